"""Conditions on the rows of an entity: asked of the site as filters, and looked at again here, since it may ignore one.

Spellings: https://developer.imis.com/docs/advanced-query-operations. `in` and `between` are not offered: how their
values are written is not known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

from idms_cli.imis.properties import Property, Value
from idms_cli.imis.values import filter_text, same, typed

Scalar = str | int | float | bool | None

OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le", "contains", "startswith", "endswith", "empty")
"""Words of a job file."""

_WIRE = {"startswith": "startsWith", "endswith": "endsWith"}
_ORDERED = ("gt", "ge", "lt", "le")
_NUMBERS = ("Integer", "Decimal", "Monetary")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"gt": gt, "ge": ge, "lt": lt, "le": le}


class NoCondition(ValueError):
    """A property cannot be compared so; the message says why."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Condition:
    """One filter; `condition_on` makes it."""

    of: Property
    operator: str
    wanted: Value

    @property
    def wire(self) -> tuple[str, str]:
        """As a parameter of the request. The operator is always said, so that no value can be taken for one."""
        if self.operator == "empty":
            return self.of.name, "isEmpty:" if self.wanted else "notEmpty:"
        return self.of.name, f"{_WIRE.get(self.operator, self.operator)}:{filter_text(self.wanted)}"

    def holds(self, wire: object) -> bool:
        """Whether a value, as the site sent it, may meet this. Only what certainly does not is refused.

        Texts are compared without regard to case, as the site's database does; a blank value passes `ne`, on which
        databases do not agree.
        """
        found = typed(wire, self.of.type)
        is_blank = found is None or found == ""
        match self.operator:
            case "empty":
                return is_blank == self.wanted
            case "eq":
                return same(self.wanted, found, loose=True)
            case "ne":
                return is_blank or not same(self.wanted, found, loose=True)
            case "contains" | "startswith" | "endswith":
                return self._has_text("" if is_blank else str(found).casefold())
        wanted, other = _ordered(self.wanted), _ordered(found)
        return other is not None and type(wanted) is type(other) and _COMPARE[self.operator](other, wanted)

    def _has_text(self, found: str) -> bool:
        text = str(self.wanted).casefold()
        if self.operator == "contains":
            return text in found
        return found.startswith(text) if self.operator == "startswith" else found.endswith(text)


def condition_on(one: Property, operator: str, value: Scalar) -> Condition:
    """Raises `NoCondition` for an operator or a value that does not go with the type of the property."""
    if operator == "empty":
        if not isinstance(value, bool):
            raise NoCondition("empty is true or false")
        return Condition(one, operator, value)
    if value is None or value == "":
        raise NoCondition("nothing is no value to compare with", hint="Write {empty: true}.")
    if operator in _ORDERED and one.type not in (*_NUMBERS, "Date"):
        raise NoCondition(
            f"{operator} is for numbers and dates, but {one.name} is of type {one.type}",
            hint="How the site orders other values is not known here.",
        )
    if operator in ("contains", "startswith", "endswith"):
        if one.type != "String":
            raise NoCondition(f"{operator} is for text, but {one.name} is of type {one.type}", hint="Use eq, ge, lt...")
        return Condition(one, operator, str(value))
    return Condition(one, operator, _read(one, value))


def _read(one: Property, value: Scalar) -> Value:
    """The value as the type of the property has it."""
    read = typed(Decimal(str(value)) if isinstance(value, float) else value, one.type)
    fits = {"Date": datetime, "Boolean": bool, "Integer": int}.get(one.type)
    if one.type in _NUMBERS and isinstance(read, bool):
        fits = str
    elif one.type in ("Decimal", "Monetary"):
        fits = Decimal
    if fits is not None and not isinstance(read, fits):
        raise NoCondition(f"'{value}' is no value of {one.name}, which is of type {one.type}")
    return read


def _ordered(value: Value) -> Decimal | datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    return None
