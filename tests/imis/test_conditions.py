"""Conditions: how they are asked of the site, and what is refused when a site ignores them."""

from decimal import Decimal
from typing import Any

import pytest

from idms_cli.imis.conditions import NoCondition, condition_on
from idms_cli.imis.properties import Property

GRADE = Property("Grade")
HOURS = Property("Hours", type="Decimal")
SCORE = Property("Score", type="Integer")
TAKEN = Property("TakenOn", type="Date")
OPEN = Property("Open", type="Boolean")


@pytest.mark.parametrize(
    ("one", "operator", "value", "wire"),
    [
        (GRADE, "eq", "A", "eq:A"),
        (GRADE, "eq", "eq:A", "eq:eq:A"),
        (GRADE, "ne", "A", "ne:A"),
        (GRADE, "startswith", "A", "startsWith:A"),
        (GRADE, "empty", True, "isEmpty:"),
        (GRADE, "empty", False, "notEmpty:"),
        (HOURS, "ge", 1.5, "ge:1.5"),
        (SCORE, "lt", "50", "lt:50"),
        (TAKEN, "ge", "2026-01-31", "ge:2026-01-31T00:00:00"),
        (OPEN, "eq", True, "eq:true"),
        (OPEN, "eq", "no", "eq:false"),
    ],
)
def test_a_condition_on_the_wire_says_its_operator(one: Property, operator: str, value: Any, wire: str) -> None:
    assert condition_on(one, operator, value).wire == (one.name, wire)


@pytest.mark.parametrize(
    ("one", "operator", "value", "found", "holds"),
    [
        (GRADE, "eq", "a", "A", True),
        (GRADE, "eq", "A", "B", False),
        (GRADE, "eq", "A", None, False),
        (GRADE, "ne", "A", "B", True),
        (GRADE, "ne", "A", "a", False),
        (GRADE, "ne", "A", "", True),
        (GRADE, "contains", "ING", "Bookbinding", True),
        (GRADE, "startswith", "book", "Bookbinding", True),
        (GRADE, "endswith", "ink", "Bookbinding", False),
        (GRADE, "empty", True, "", True),
        (GRADE, "empty", False, None, False),
        (HOURS, "ge", 2, {"$type": "System.Decimal", "$value": 2.0}, True),
        (HOURS, "gt", 2, {"$type": "System.Decimal", "$value": "2.00"}, False),
        (HOURS, "lt", 2, None, False),
        (HOURS, "le", 0, Decimal(0), True),
        (SCORE, "ge", 0, 0, True),
        (TAKEN, "ge", "2026-01-31", "2026-01-31T00:00:00", True),
        (TAKEN, "lt", "2026-01-31", "2026-01-31T00:00:00", False),
        (TAKEN, "lt", "2026-01-31", "some day", False),
        (OPEN, "eq", True, {"$type": "System.Boolean", "$value": True}, True),
    ],
)
def test_a_row_is_looked_at_again(one: Property, operator: str, value: Any, found: object, holds: bool) -> None:
    assert condition_on(one, operator, value).holds(found) is holds


@pytest.mark.parametrize(
    ("one", "operator", "value"),
    [
        (GRADE, "ge", "A"),
        (GRADE, "eq", ""),
        (GRADE, "eq", None),
        (GRADE, "empty", "yes"),
        (HOURS, "contains", 5),
        (HOURS, "ge", "many"),
        (SCORE, "eq", 1.5),
        (SCORE, "eq", True),
        (TAKEN, "ge", "31/01/2026"),
        (OPEN, "eq", "maybe"),
    ],
)
def test_what_cannot_be_compared_is_refused(one: Property, operator: str, value: Any) -> None:
    with pytest.raises(NoCondition):
        condition_on(one, operator, value)
