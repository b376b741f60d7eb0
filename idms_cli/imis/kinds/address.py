"""Addresses of a contact, found by its ID and their purpose; written back with the whole contact."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from idms_cli.errors import InputError, RecordRefused
from idms_cli.imis import partyaddresses
from idms_cli.imis.assumptions import PREFERRED_REASONS
from idms_cli.imis.definitions import items, metadata, nested, properties_of
from idms_cli.imis.entities import address, addressable, agree, filtered, read_one
from idms_cli.imis.kinds import KINDS, Key, Kind, Record
from idms_cli.imis.party import party_id
from idms_cli.imis.partyaddresses import Body, entries, entry_id, purpose_of
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.sharedbodies import SharedBodies
from idms_cli.imis.site import Site
from idms_cli.imis.spelling import needed, spelled, text_of
from idms_cli.imis.values import same

PARTY = "Party"
_LOOSE = frozenset({"ID", "AddressPurpose", "Email"})
_PREFERENCES = "CommunicationPreferences"


def open_kind(site: Site, name: str | None) -> Kind:
    """The addresses of the site's contacts; there is only one kind, so `name` must be None."""
    if name is not None:
        raise InputError(f"Addresses have no name, but {name!r} is given.", hint="Write `destination: address`.")
    return Addresses(site)


class Addresses:
    """Addresses of contacts. Their key is the contact's ID, the purpose and, where the site tells it, their number."""

    entity = PARTY

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._known: dict[str, Property] | None = None
        self._parties = SharedBodies(site, read=self._read_party, path=_party_path, what="contact")

    def properties(self) -> Mapping[str, Property]:
        """As `Kind.properties`; with the purposes of the site as the choices. Two metadata calls."""
        with self._lock:
            if self._known is None:
                self._known = _read_properties(self._site)
            return self._known

    def find(self, match: Mapping[str, Value], *, every: bool = False) -> list[Record]:  # noqa: ARG002 - always every
        """As `Kind.find`. The contact's ID must be among what is matched."""
        wanted = self._spelled(match)
        contact = text_of(wanted.get("ID"))
        if "ID" not in wanted:
            raise InputError(
                "iMIS finds addresses by their contact only.", hint="Match on ID, and on AddressPurpose beside it."
            )
        body = self._read_party((contact,))
        records = [] if body is None else [_record(body, entry) for entry in entries(body)]
        return [record for record in records if agree(wanted, record.values, loose=_is_loose)]

    def read(self, key: Key) -> Record | None:
        """As `Kind.read`."""
        body = self._read_party(key[:1])
        index = None if body is None else _index(body, key)
        return None if body is None or index is None else _record(body, entries(body)[index])

    def insert(self, values: Mapping[str, Value]) -> Key:
        """As `Kind.insert`: one more address, of a purpose that the contact has no address for yet."""
        wanted = self._spelled(values)
        contact, purpose = needed(wanted, "ID", "AddressPurpose")

        def with_new(body: Body) -> Body:
            if any(same(purpose, purpose_of(entry), loose=True) for entry in entries(body)):
                raise RecordRefused([f"Contact {contact} has an address for {purpose} already"], code="exists")
            return partyaddresses.with_new(body, wanted)

        reply = self._parties.add((contact,), with_new)
        stored = entries(reply) if isinstance(reply, dict) else []
        ours = [entry for entry in stored if same(purpose, purpose_of(entry), loose=True)]
        return _key(contact, ours[0]) if ours else (contact, purpose)

    def update(self, record: Record, changes: Mapping[str, Value]) -> None:
        """As `Kind.update`."""
        wanted = self._spelled(changes)
        moved = [name for name in ("ID", "AddressPurpose") if name in wanted]
        if any(not same(wanted[name], record.values[name], loose=True) for name in moved):
            raise RecordRefused(["The contact and the purpose of an address cannot be changed"], code="key")

        def with_changes(body: Body) -> Body:
            index = _index(body, record.key)
            if index is None:
                raise RecordRefused([f"The address {' '.join(record.key)} is no longer there"], code="not-found")
            return partyaddresses.with_changes(body, index, wanted)

        def holds(body: Body) -> bool:
            index = _index(body, record.key)
            return index is not None and agree(wanted, _record(body, entries(body)[index]).values, loose=_is_loose)

        self._parties.change(record.key[:1], record.body, with_changes, stored=holds)

    def delete(self, record: Record) -> None:
        """Always raises `RecordRefused`."""
        raise RecordRefused([f"Contact {record.key[0]}: {KINDS['address'].refuses['delete']}"], code="not-allowed")

    def _read_party(self, key: Key) -> Body | None:
        return read_one(self._site, PARTY, key) if len(key) == 1 and addressable(key) else None

    def _spelled(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return spelled(values, self.properties(), what="An address")


def _party_path(body: Body) -> str:
    return address(PARTY, (party_id(body),))


def _record(body: Body, entry: Mapping[str, Any]) -> Record:
    contact = party_id(body)
    return Record(_key(contact, entry), {"ID": contact, **partyaddresses.values_of(entry)}, body)


def _key(contact: str, entry: Mapping[str, Any]) -> Key:
    number = entry_id(entry)
    return (contact, purpose_of(entry), number) if number else (contact, purpose_of(entry))


def _index(body: Body, key: Key) -> int | None:
    """Where among a contact's addresses the one with this key stands: by its number, else as the only one for it."""
    found = entries(body)
    numbered = [index for index, entry in enumerate(found) if key[2:] == (entry_id(entry),)]
    purposed = [index for index, entry in enumerate(found) if purpose_of(entry) == key[1]]
    if numbered:
        return numbered[0]
    return purposed[0] if len(purposed) == 1 else None


def _read_properties(site: Site) -> dict[str, Property]:
    """Our names for what the site's metadata says an address has; all of them where it says nothing of addresses."""
    described = _described(site)
    known = properties_of(described)
    inner = properties_of(nested(described, "Address"))
    listed = {**{one: known.get(member) for one, member in partyaddresses.OWN_PLACES.items()}}
    listed |= {one: inner.get(member) for one, member in partyaddresses.PLACES.items()}
    listed |= dict.fromkeys(PREFERRED_REASONS, known.get(_PREFERENCES))
    properties = {}
    for one in partyaddresses.PROPERTIES:
        told = listed.get(one.name)
        if not described or one.name not in listed or told is not None:
            length = told.max_length if told is not None and one.type == "String" else None
            properties[one.name] = replace(one, max_length=length)
    purposes = _purposes(site)
    properties["AddressPurpose"] = replace(properties["AddressPurpose"], choices=purposes)
    return properties


def _described(site: Site) -> list[Any]:
    try:
        return nested(items(metadata(site, PARTY).get("Properties")), "Addresses")
    except RecordRefused as refused:
        site.log(f"The site does not describe addresses ({refused}); all members known from other sites are taken")
        return []


def _purposes(site: Site) -> tuple[str, ...]:
    try:
        return tuple(str(row["Name"]) for row in filtered(site, "AddressPurpose", {}) if row.get("Name"))
    except RecordRefused as refused:
        site.log(f"The site does not list the purposes of addresses ({refused})")
        return ()


def _is_loose(name: str) -> bool:
    return name in _LOOSE
