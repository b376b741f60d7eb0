"""A map over a small file and the properties of a made-up kind, for the tests of mapping."""

from typing import Any

import pytest

from idms_cli.imis.properties import Property
from idms_cli.records.mapping import BoundMapping, MapRefused, Rule, bind

PROPERTIES = {
    target.name: target
    for target in (
        Property("ID", key=True, read_only=True),
        Property("ACTIVITY_TYPE", max_length=10, choices=("EDUC", "MEET")),
        Property("TRANSACTION_DATE", "Date"),
        Property("AMOUNT", "Monetary"),
        Property("QUANTITY", "Integer"),
        Property("ACTIVE", "Boolean"),
        Property("NOTE", max_length=20),
        Property("CHANGED_ON", "Date", read_only=True),
        Property("INTERESTS", max_length=12, choices=("ART", "LAW", "MATH", "MUSIC")),
    )
}
COLUMNS = ("member", "Completed On", "price", "note", "Note")


def bound(rules: dict[str, Any], **options: Any) -> BoundMapping:
    checked = {key: rule if isinstance(rule, str) else Rule(**rule) for key, rule in rules.items()}
    return bind(checked, COLUMNS, PROPERTIES, **options)


def refused(rules: dict[str, Any], **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(MapRefused) as caught:
        bound(rules, **options)
    return [(fault.word, fault.code) for fault in caught.value.faults]
