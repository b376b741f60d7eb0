"""Contacts: persons and organizations, through Party, under the flat names people use."""

import threading
from collections.abc import Collection, Iterator, Mapping

from idms_cli.errors import InputError, OutcomeUnknown, RecordRefused
from idms_cli.imis.assumptions import CONTACT_FILTERS
from idms_cli.imis.entities import (
    address,
    addressable,
    agree,
    filtered,
    hits,
    pages_of_bodies,
    read_one,
    replace_whole,
    total,
)
from idms_cli.imis.kinds import KINDS, Key, Kind, Record
from idms_cli.imis.party import changed_party, new_party, new_type, party_id, refuse_of_person, values_of
from idms_cli.imis.partyproperties import KEYS, Members, read_members
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.site import Site
from idms_cli.imis.spelling import spelled

_LOOSE = frozenset({*KEYS, "Email"})


def open_kind(site: Site, name: str | None) -> Kind:
    """The contacts of the site; there is only one kind, so `name` must be None."""
    if name is not None:
        raise InputError(f"Contacts have no name, but {name!r} is given.", hint="Write `destination: contact`.")
    return Contacts(site)


class Contacts:
    """Persons and organizations of one site."""

    entity = "Party"
    is_read_whole_unasked = False

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._known: Members | None = None

    def properties(self) -> Mapping[str, Property]:
        """As `Kind.properties`: the flat members, and the additional attributes the site's metadata names."""
        return self._members.all

    def find(self, match: Mapping[str, Value], *, every: bool = False) -> list[Record]:
        """As `Kind.find`: by ID where that is given, else by the members that the site can search by."""
        wanted = self._spelled(match)
        ids = [str(wanted[name]).strip() for name in KEYS if wanted.get(name) is not None]
        if ids:
            record = self.read((ids[0],))
            return [record] if record and agree(wanted, record.values, loose=_is_loose) else []

        def meets(row: dict[str, object]) -> Record | None:
            record = self._record(row)
            return record if agree(wanted, record.values, loose=_is_loose) else None

        rows = filtered(self._site, self.entity, self._conditions(wanted), every=every)
        return hits(rows, meets, what="Searching contacts")

    def read(self, key: Key) -> Record | None:
        """As `Kind.read`."""
        if len(key) != 1 or not addressable(key):
            return None
        body = read_one(self._site, self.entity, key)
        return self._record(body) if body is not None else None

    def insert(self, values: Mapping[str, Value]) -> Key:
        """As `Kind.insert`: a person if a first or last name is given, else an organization."""
        wanted = self._spelled(values)
        reply = self._site.post(f"/api/{self.entity}", new_party(wanted, self._members))
        identity = party_id(reply)
        if not identity:
            raise OutcomeUnknown("POST /api/Party: stored, it seems, but the answer does not say as what.")
        return (identity,)

    def update(self, record: Record, changes: Mapping[str, Value]) -> None:
        """As `Kind.update`."""
        wanted = self._spelled(changes)
        body = changed_party(record.body, wanted, self._members)

        def stored() -> bool | None:
            found = self.read(record.key)
            return None if found is None else agree(wanted, found.values, loose=_is_loose)

        replace_whole(self._site, address(self.entity, record.key), body, stored=stored)

    def delete(self, record: Record) -> None:
        """Always raises `RecordRefused`: contacts are erased by iMIS itself."""
        raise RecordRefused(
            [f"Contact {record.key[0]} is not deleted: {KINDS['contact'].refuses['delete']}"], code="not-allowed"
        )

    def refuse_write(self, record: Record | None, changes: Mapping[str, Value]) -> None:
        """As `Choosy.refuse_write`."""
        if record is None:
            refuse_of_person({"$type": new_type(changes)}, changes)
        elif record.body is not None:
            refuse_of_person(record.body, changes)

    def all(self, names: Collection[str]) -> Iterator[tuple[Key, Mapping[str, Value]]]:
        """As `Whole.all`."""
        for body in pages_of_bodies(self._site, self.entity, key=party_id).rows():
            values = values_of(body, self._members)
            yield (party_id(body),), {name: values.get(name) for name in names}

    def size(self) -> int:
        """As `Whole.size`."""
        return total(self._site, self.entity)

    def is_loose(self, name: str) -> bool:
        """As `Whole.is_loose`."""
        return _is_loose(name)

    @property
    def _members(self) -> Members:
        with self._lock:
            if self._known is None:
                self._known = read_members(self._site)
            return self._known

    def _record(self, body: dict[str, object]) -> Record:
        return Record((party_id(body),), values_of(body, self._members), body)

    def _spelled(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return spelled(values, self._members.all, what="A contact")

    def _conditions(self, wanted: Mapping[str, Value]) -> dict[str, Value]:
        """The part of `wanted` that the site can search by; the rest is checked on the rows it gives."""
        conditions = {
            CONTACT_FILTERS.get(name, name): value
            for name, value in wanted.items()
            if name in CONTACT_FILTERS or name in self._members.attributes
        }
        if not conditions:
            raise InputError(
                f"iMIS cannot search contacts by {', '.join(wanted) or 'nothing'} alone.",
                hint=f"Match on ID, on {', '.join(CONTACT_FILTERS)}, or on an additional attribute.",
            )
        return conditions


def _is_loose(name: str) -> bool:
    return name in _LOOSE
