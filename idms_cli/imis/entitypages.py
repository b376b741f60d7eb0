"""Pages of generic entities, decoded no further than what many rows are read for: identity, and names with values."""

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from idms_cli.imis.definitions import Definition, items
from idms_cli.imis.generic import identity_elements, property_named
from idms_cli.imis.kinds import Key
from idms_cli.imis.pages import Page, parse
from idms_cli.imis.properties import Value
from idms_cli.imis.values import typed


# Named as their members in JSON; without cycles, so that the garbage collector need not look at a hundred thousand.
class Pair(msgspec.Struct, gc=False):
    """A property."""

    name: str = msgspec.field(name="Name", default="")
    value: Any = msgspec.field(name="Value", default=None)


class Pairs(msgspec.Struct, gc=False):
    """The properties of a row."""

    values: list[Pair] = msgspec.field(name="$values")


class Elements(msgspec.Struct, gc=False):
    """The parts of a key."""

    values: list[str] = msgspec.field(name="$values")


class Identity(msgspec.Struct, gc=False):
    """What a row is known by."""

    elements: Elements = msgspec.field(name="IdentityElements")


class EntityRow(msgspec.Struct, gc=False):
    """A row of a generic entity."""

    properties: Pairs = msgspec.field(name="Properties")
    identity: Identity | None = msgspec.field(name="Identity", default=None)

    @property
    def key(self) -> Key:
        """As `identity_elements`."""
        return () if self.identity is None else tuple(self.identity.elements.values)


class Rows(msgspec.Struct):
    """The rows of a page."""

    values: list[EntityRow] = msgspec.field(name="$values")


class EntityPage(msgspec.Struct):
    """A page in the form in which sites send it; any other form is read by `pages.parse`."""

    items: Rows = msgspec.field(name="Items")
    total: int = msgspec.field(name="TotalCount")
    has_next: bool = msgspec.field(name="HasNext")
    next_offset: int | None = msgspec.field(name="NextOffset", default=None)


_DECODER = msgspec.json.Decoder(EntityPage, float_hook=lru_cache(maxsize=4096)(Decimal))
"""A column says the same few thousand numbers again and again."""


def decode(body: bytes) -> EntityPage | None:
    """The page in `body`: four times as fast as all of its JSON. None when the body has another form."""
    try:
        return _DECODER.decode(body)
    except (ValueError, RecursionError):
        return None


def read_page(content: Any, offset: int, what: str) -> Page[EntityRow]:
    """The page in what `decode` gave, or in any JSON. Raises `SiteError` when it is no page."""
    if not isinstance(content, EntityPage):
        page = parse(content, offset, what)
        return Page([_plain(row) for row in page.rows], offset, page.total, page.has_next, page.next_offset)
    rows = content.items.values
    return Page(rows, offset, content.total, content.has_next, content.next_offset or offset + len(rows))


def identity_of(row: EntityRow) -> str | None:
    """A row's identity as one text, of which a hundred thousand are held more easily than of tuples; None for none."""
    return str(row.identity.elements.values) if row.identity and row.identity.elements.values else None


class Selection:
    """Some properties of many rows: what a name stands for is settled when it is first met."""

    def __init__(self, definition: Definition, names: Collection[str]) -> None:
        self._definition = definition
        self._wanted = frozenset(names)
        self._settled: dict[str, tuple[str, str] | None] = {}

    def read(self, rows: Iterator[EntityRow]) -> Iterator[tuple[Key, Mapping[str, Value]]]:
        """Key and values of each row, as `generic.record_of` has them."""
        settled, settle = self._settled, self._settle
        for row in rows:
            values: dict[str, Value] = {}
            for pair in row.properties.values:
                name = pair.name
                target = settled[name] if name in settled else settle(name)
                if target is not None:
                    values[target[0]] = typed(pair.value, target[1])
            yield row.key or self._key(row), values

    def _key(self, row: EntityRow) -> Key:
        """From the properties, where the site gives a row no identity."""
        definition = self._definition
        named = ((property_named(pair.name, definition.properties), pair.value) for pair in row.properties.values)
        values = {spelling: typed(value, kind) for (spelling, kind), value in named if spelling in definition.keys}
        return tuple("" if values.get(name) is None else str(values[name]) for name in definition.keys)

    def _settle(self, name: str) -> tuple[str, str] | None:
        """The site's spelling of a property and its type; None for one that is not wanted."""
        spelling, kind = property_named(name, self._definition.properties)
        self._settled[name] = (spelling, kind) if spelling in self._wanted else None
        return self._settled[name]


def _plain(row: dict[str, Any]) -> EntityRow:
    pairs = [Pair(str(pair.get("Name", "")), pair.get("Value")) for pair in items(row.get("Properties"))]
    return EntityRow(Pairs(pairs), Identity(Elements(list(identity_elements(row)))))
