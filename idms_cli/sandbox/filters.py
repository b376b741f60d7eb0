"""Filters in a query string: `Grade=eq:A&TakenOn=ge:2026-01-01`, all of which must hold.

The spellings are those of https://developer.imis.com/docs/advanced-query-operations.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from idms_cli.sandbox.definitions import Entity, Property
from idms_cli.sandbox.exchange import http_error
from idms_cli.sandbox.values import BadValueError, Row, Scalar, typed

PAGING = frozenset({"limit", "offset", "orderby"})

SPELLINGS = {
    **dict.fromkeys(("eq", "==", "equal"), "equal"),
    **dict.fromkeys(("ne", "!="), "not equal"),
    **dict.fromkeys(("gt", ">"), "greater"),
    **dict.fromkeys(("ge", ">="), "at least"),
    **dict.fromkeys(("lt", "<"), "less"),
    **dict.fromkeys(("le", "<="), "at most"),
    "contains": "contains",
    **dict.fromkeys(("notcontain", "!contain"), "not contains"),
    "startswith": "starts with",
    "endswith": "ends with",
    "in": "in",
    "between": "between",
    **dict.fromkeys(("isempty", "empty"), "empty"),
    **dict.fromkeys(("notempty", "!empty"), "not empty"),
    **dict.fromkeys(("istrue", "true"), "is true"),
    **dict.fromkeys(("isfalse", "false"), "is false"),
}

TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "equal": lambda value, wanted: value == wanted[0],
    "not equal": lambda value, wanted: value != "" and value != wanted[0],
    "greater": lambda value, wanted: value != "" and value > wanted[0],
    "at least": lambda value, wanted: value != "" and value >= wanted[0],
    "less": lambda value, wanted: value != "" and value < wanted[0],
    "at most": lambda value, wanted: value != "" and value <= wanted[0],
    "contains": lambda value, wanted: wanted[0] in value,
    "not contains": lambda value, wanted: wanted[0] not in value,
    "starts with": lambda value, wanted: value.startswith(wanted[0]),
    "ends with": lambda value, wanted: value.endswith(wanted[0]),
    "in": lambda value, wanted: value in wanted,
    "between": lambda value, wanted: value != "" and wanted[0] <= value <= wanted[-1],
    "empty": lambda value, _: value == "",
    "not empty": lambda value, _: value != "",
    "is true": lambda value, _: value is True,
    "is false": lambda value, _: value is False,
}
TEXT_TESTS = frozenset({"contains", "not contains", "starts with", "ends with"})


@dataclass(frozen=True)
class Condition:
    """One filter: the property's value, in the form `comparable` gives it, against what is wanted."""

    property: str
    test: str
    wanted: tuple[Any, ...]

    def holds(self, row: Row) -> bool:
        """Whether the row passes."""
        value = comparable(row.get(self.property))
        return TESTS[self.test](str(value) if self.test in TEXT_TESTS else value, self.wanted)


def comparable(value: Scalar) -> Any:
    """Text compares without regard to case, as SQL Server's usual collation does; null is the empty text."""
    if value is None:
        return ""
    return value.casefold() if isinstance(value, str) else value


def equals(name: str, value: Scalar) -> Condition:
    """`name` has this value."""
    return Condition(name, "equal", (comparable(value),))


def conditions(entity: Entity, query: Iterable[tuple[str, str]]) -> list[Condition]:
    """The filters in a query string.

    A property that the entity does not have is passed over in silence: so do some endpoints of the real site, and a
    client has to check that the rows match.
    """
    found = []
    for name, text in query:
        kind = None if name.lower() in PAGING else entity.property_named(name)
        if kind is not None:
            found.append(condition(kind, text))
    return found


def condition(kind: Property, text: str) -> Condition:
    """One filter from its text: an operator and a colon, or the bare value."""
    word, colon, rest = text.partition(":")
    test = SPELLINGS.get(word.lower()) if colon else None
    if test is None:
        test, rest = "equal", text
    if test in TEXT_TESTS:
        return Condition(kind.name, test, (rest.casefold(),))
    several = test in {"in", "between"}
    return Condition(kind.name, test, tuple(_wanted(kind, each) for each in (rest.split(",") if several else [rest])))


def _wanted(kind: Property, text: str) -> Any:
    try:
        return comparable(typed(kind, text))
    except BadValueError:
        raise http_error(400, f"The value '{text}' is not valid for {kind.name}.") from None
