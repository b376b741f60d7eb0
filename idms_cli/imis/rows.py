"""A generic entity as a kind of record: find, read, insert and update its rows."""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from urllib.parse import quote

from idms_cli.errors import OutcomeUnknown, RecordRefused
from idms_cli.imis.assumptions import UNTRUSTED_ORDINAL
from idms_cli.imis.definitions import Definition
from idms_cli.imis.entities import (
    address,
    addressable,
    agree,
    every,
    filtered,
    hits,
    read_one,
    remove,
    replace_whole,
    total,
)
from idms_cli.imis.entitypages import Selection
from idms_cli.imis.generic import changed_body, identity_elements, new_body, record_of
from idms_cli.imis.kinds import Key, Record
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.site import Site
from idms_cli.imis.spelling import spelled, text_of

_PARENT_NAMES = ("partyid", "id", "contactid", "contactkey")


class GenericRows:
    """Rows of one business object. What it looks like is asked of the site when it is first needed."""

    is_read_whole_unasked = True

    def __init__(self, site: Site, entity: str, define: Callable[[], Definition]) -> None:
        self.entity = entity
        self._site = site
        self._define = define
        self._lock = threading.Lock()
        self._known: Definition | None = None

    def properties(self) -> Mapping[str, Property]:
        """As `Kind.properties`."""
        return self._definition.properties

    def find(self, match: Mapping[str, Value], *, every: bool = False) -> list[Record]:
        """As `Kind.find`: by address where `match` holds the whole key, else by filter."""
        wanted = self._spelled(match)
        key = tuple(text_of(wanted.get(name)) for name in self._definition.keys)
        if addressable(key):
            record = self.read(key)
            return [record] if record and self._meets(wanted, record) else []

        def meets(row: dict[str, object]) -> Record | None:
            record = record_of(row, self._definition)
            return record if self._meets(wanted, record) else None

        rows = filtered(self._site, self.entity, wanted, every=every)
        return hits(rows, meets, what=f"Searching {self.entity}")

    def read(self, key: Key) -> Record | None:
        """As `Kind.read`. A key with an unknown part has no record."""
        if not addressable(key) or len(key) != len(self._definition.keys or key):
            return None
        body = read_one(self._site, self.entity, key)
        return record_of(body, self._definition) if body is not None else None

    def insert(self, values: Mapping[str, Value]) -> Key:
        """As `Kind.insert`. The Ordinal of a multi-instance row is "" in the key: the reply always says 0 (A21)."""
        wanted = self._spelled(values)
        body = new_body(self._definition, wanted, parent_id=self._parent_id(wanted))
        reply = self._site.post(f"/api/{quote(self.entity, safe='')}", body)
        elements = identity_elements(reply)
        if not elements:
            raise OutcomeUnknown(f"POST /api/{self.entity}: stored, it seems, but the answer does not say as what.")
        return self._believed_key(elements, wanted)

    def update(self, record: Record, changes: Mapping[str, Value]) -> None:
        """As `Kind.update`."""
        wanted = self._spelled(changes)
        body = changed_body(record.body, wanted, self._definition)

        def stored() -> bool | None:
            found = self.read(record.key)
            return None if found is None else agree(wanted, found.values, loose=self.is_loose)

        replace_whole(self._site, address(self.entity, record.key), body, stored=stored)

    def delete(self, record: Record) -> None:
        """As `Kind.delete`."""
        path = address(self.entity, record.key)
        remove(self._site, path, there=lambda: self.read(record.key) is not None)

    def all(self, names: Collection[str]) -> Iterator[tuple[Key, Mapping[str, Value]]]:
        """As `Whole.all`."""
        return Selection(self._definition, names).read(every(self._site, self._definition.name))

    def size(self) -> int:
        """As `Whole.size`."""
        return total(self._site, self._definition.name)

    @property
    def _definition(self) -> Definition:
        with self._lock:
            if self._known is None:
                self._known = self._define()
                self.entity = self._known.name
            return self._known

    def _spelled(self, values: Mapping[str, Value]) -> dict[str, Value]:
        properties = self._definition.properties
        return spelled(values, properties, what=self.entity)

    def _meets(self, wanted: Mapping[str, Value], record: Record) -> bool:
        return agree(wanted, record.values, loose=self.is_loose)

    def is_loose(self, name: str) -> bool:
        """As `Whole.is_loose`."""
        return self._definition.properties[name].key or "email" in name.casefold()

    def _parent_id(self, values: Mapping[str, Value]) -> str | None:
        """The contact that the new row belongs to; None where there need not be one."""
        if self._definition.parent not in {"Party", "Event"}:
            return None
        name = self._parent_property()
        parent_id = text_of(values.get(name)) if name else ""
        if not parent_id:
            raise RecordRefused(
                [f"{name or 'The key'} is missing: every row of {self.entity} belongs to a {self._definition.parent}"],
                code="validation",
            )
        return parent_id

    def _parent_property(self) -> str | None:
        by_name = {name.casefold(): name for name in self._definition.properties}
        named = (by_name[name] for name in _PARENT_NAMES if name in by_name)
        return next(named, next(iter(self._definition.keys), None))

    def _believed_key(self, elements: Key, values: Mapping[str, Value]) -> Key:
        """The key of a new row, with "" for a number that the reply does not tell (A21)."""
        names = self._definition.keys
        if len(names) != len(elements):
            return elements
        pairs = zip(names, elements, strict=True)
        return tuple("" if one == UNTRUSTED_ORDINAL != text_of(values.get(name)) else one for name, one in pairs)
