"""The codes that a property may have, where the site keeps them in a table: read once, when they are first needed."""

import threading
from collections.abc import Mapping

from idms_cli.errors import RecordRefused, SiteError
from idms_cli.imis.definitions import items
from idms_cli.imis.entities import filtered
from idms_cli.imis.getter import Getter
from idms_cli.imis.pages import Row
from idms_cli.imis.properties import CodeList, Property, Value
from idms_cli.imis.values import plain_name, same, unwrap

MOST_CODES = 10_000
"""A list with more codes than this is a table of records; it is not checked against."""


class CodeLists:
    """The lists of one site. May be used from several threads."""

    def __init__(self, site: Getter) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._known: dict[CodeList, tuple[str, ...]] = {}

    def codes(self, target: Property) -> tuple[str, ...]:
        """The codes of a property; empty when it has none, or when they cannot be read, which is told once.

        May raise what ends the run: `LoginRefused`, `Unreachable`.
        """
        if target.choices or target.code_list is None:
            return target.choices
        with self._lock:
            if target.code_list not in self._known:
                self._known[target.code_list] = self._read(target.code_list, target.name)
            return self._known[target.code_list]

    def _read(self, wanted: CodeList, name: str) -> tuple[str, ...]:
        if not wanted.is_readable:
            return self._unchecked(wanted, name, "its rule has a condition that idms does not know")
        conditions: dict[str, Value] = dict(wanted.conditions)
        codes: dict[str, None] = {}
        try:
            for row in filtered(self._site, wanted.entity, conditions, every=True):
                values = _flat(row)
                code = values.get(_plain(wanted.value))
                if code not in (None, "") and _meets(values, conditions):
                    codes[str(code)] = None
                if len(codes) > MOST_CODES:
                    return self._unchecked(wanted, name, f"it has more than {MOST_CODES:,} codes")
        except (RecordRefused, SiteError) as error:
            return self._unchecked(wanted, name, str(error).rstrip("."))
        return tuple(codes) or self._unchecked(wanted, name, "it is empty")

    def _unchecked(self, wanted: CodeList, name: str, why: str) -> tuple[str, ...]:
        self._site.log(f"Warning: {name} is not checked against its list of codes, {wanted.in_words}: {why}")
        return ()


def _meets(values: Mapping[str, Value], conditions: Mapping[str, Value]) -> bool:
    """Checked again here: the site may ignore a filter (A26). What a row does not tell is the site's to check."""
    told = {name: value for name, value in conditions.items() if _plain(name) in values}
    return all(same(value, values[_plain(name)], loose=True) for name, value in told.items())


def _flat(row: Row) -> dict[str, Value]:
    """The properties of a business object, or the members of a contract of its own; by plain names."""
    pairs = items(row.get("Properties"))
    named = [(str(pair.get("Name", "")), pair.get("Value")) for pair in pairs] or list(row.items())
    return {_plain(name): unwrap(value) for name, value in named}


def _plain(name: str) -> str:
    """`Table_Name` is `TableName` (K7)."""
    return plain_name(name).replace("_", "").casefold()
