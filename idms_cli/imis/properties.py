"""What the site says of one property of an entity: its type, length, and what may be done with it."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

Value = str | int | bool | Decimal | datetime | date | None
"""One typed value: what mapping makes of a cell, and what a record read from the site holds."""

TYPES = ("String", "Integer", "Boolean", "Date", "Decimal", "Monetary", "Binary")


@dataclass(frozen=True)
class CodeList:
    """Where the site keeps the codes that a property may have (`PropertyRuleQueryData`)."""

    entity: str
    """The table, such as `GenTable`."""
    value: str
    """Its property that holds the code."""
    conditions: tuple[tuple[str, str], ...] = ()
    """Property and value of the rows that belong to the list."""
    is_readable: bool = True
    """False when its rule has a condition that is not known to idms."""

    @property
    def in_words(self) -> str:
        """`GenTable with TableName REGION`."""
        which = ", ".join(f"{name} {value}" for name, value in self.conditions)
        return f"{self.entity} with {which}" if which else self.entity


@dataclass(frozen=True)
class Property:
    """A property as the site's metadata describes it (`BoEntityDefinition`, `PropertyTypeName`)."""

    name: str
    """The site's own spelling."""
    type: str = "String"
    """One of `TYPES`."""
    max_length: int | None = None
    """Longest String, in characters."""
    precision: int | None = None
    scale: int | None = None
    """Digits after the point of a Decimal."""
    required: bool = False
    key: bool = False
    """Part of the record's identity (`IsIdentity`)."""
    read_only: bool = False
    choices: tuple[str, ...] = ()
    """The codes of a fixed drop-down list; empty when there is none."""
    code_list: CodeList | None = None
    """Where the codes are kept, when they are not fixed."""
