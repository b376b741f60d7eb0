"""A contact's opt-in to one type of communication; written back with the whole contact."""

import copy
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from idms_cli.errors import InputError, RecordRefused
from idms_cli.imis.assumptions import TYPE_NAMES
from idms_cli.imis.definitions import items, near_match
from idms_cli.imis.entities import address, addressable, agree, filtered, read_one
from idms_cli.imis.kinds import KINDS, Key, Kind, Record
from idms_cli.imis.party import collection, contract, party_id
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.sharedbodies import Body, SharedBodies
from idms_cli.imis.site import Site
from idms_cli.imis.spelling import needed, spelled, text_of
from idms_cli.imis.values import same

PARTY = "Party"
PREFERENCES = "CommunicationTypePreferences"
PROPERTIES = (
    Property("ID", key=True),
    Property("CommunicationTypeId", key=True),
    Property("CommunicationType"),
    Property("OptInFlag", type="Boolean", required=True),
)


class CommunicationType(NamedTuple):
    """A type of communication that the site offers."""

    id: str
    names: tuple[str, ...]

    def is_called(self, word: str) -> bool:
        return any(same(word, one, loose=True) for one in (self.id, *self.names))


def open_kind(site: Site, name: str | None) -> Kind:
    """The preferences of the site's contacts; there is only one kind, so `name` must be None."""
    if name is not None:
        hint = "Write `destination: communication_preference`, and map CommunicationType."
        raise InputError(f"Communication preferences have no name, but {name!r} is given.", hint=hint)
    return Preferences(site)


class Preferences:
    """One record for each contact and type that the site offers; `OptInFlag` is None where nothing was said yet."""

    entity = PARTY

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._known: Sequence[CommunicationType] | None = None
        self._parties = SharedBodies(site, read=self._read_party, path=_party_path, what="contact")

    def properties(self) -> Mapping[str, Property]:
        """As `Kind.properties`; without asking the site."""
        return {one.name: one for one in PROPERTIES}

    def find(self, match: Mapping[str, Value], *, every: bool = False) -> list[Record]:  # noqa: ARG002 - always every
        """As `Kind.find`. The contact's ID must be among what is matched."""
        wanted = self._spelled(match)
        if "ID" not in wanted:
            hint = "Match on ID, and on CommunicationTypeId or CommunicationType beside it."
            raise InputError("iMIS finds communication preferences by their contact only.", hint=hint)
        one = self._named(wanted)
        body = self._read_party((text_of(wanted["ID"]),))
        if body is None:
            return []
        records = [_record(body, each) for each in ([one] if one else self._types)]
        rest = {name: wanted[name] for name in ("OptInFlag",) if name in wanted}
        return [record for record in records if agree(rest, record.values, loose=lambda _: False)]

    def read(self, key: Key) -> Record | None:
        """As `Kind.read`."""
        body = self._read_party(key[:1]) if len(key) == 2 else None
        found = next((each for each in self._types if each.id == key[1]), None) if body is not None else None
        return _record(body, found) if body is not None and found is not None else None

    def insert(self, values: Mapping[str, Value]) -> Key:
        """As `Kind.insert`: says something of a type of which nothing was said yet."""
        wanted = self._spelled(values)
        (contact,) = needed(wanted, "ID")
        one = self._needed_type(wanted)
        flag = _flag(wanted)

        def with_flag(body: Body) -> Body:
            if _entry(body, one.id) is not None:
                raise RecordRefused([f"Contact {contact} has a preference for {one.names[0]} already"], code="exists")
            return _with_flag(body, one.id, flag)

        self._parties.add((contact,), with_flag)
        return (contact, one.id)

    def update(self, record: Record, changes: Mapping[str, Value]) -> None:
        """As `Kind.update`."""
        wanted = self._spelled(changes)
        if set(wanted) != {"OptInFlag"}:
            raise RecordRefused(["Of a preference only OptInFlag can be changed"], code="key")
        flag = _flag(wanted)
        contact, type_id = record.key

        def holds(body: Body) -> bool:
            return (_entry(body, type_id) or {}).get("OptInFlag") is flag

        def with_flag(body: Body) -> Body:
            return _with_flag(body, type_id, flag)

        is_new = record.values["OptInFlag"] is None
        self._parties.change((contact,), record.body, with_flag, stored=holds, once=is_new)

    def delete(self, record: Record) -> None:
        """Always raises `RecordRefused`."""
        reason = KINDS["communication_preference"].refuses["delete"]
        raise RecordRefused([f"Contact {record.key[0]}: {reason}"], code="not-allowed")

    @property
    def _types(self) -> Sequence[CommunicationType]:
        with self._lock:
            if self._known is None:
                self._known = _read_types(self._site)
            return self._known

    def _named(self, wanted: Mapping[str, Value]) -> CommunicationType | None:
        """The type that is wanted, None when any will do. Raises `RecordRefused` for one that the site has not."""
        words = [text_of(wanted[name]) for name in ("CommunicationTypeId", "CommunicationType") if name in wanted]
        if not words:
            return None
        found = [each for each in self._types if all(each.is_called(word) for word in words)]
        if len(found) != 1:
            known = [each.names[0] for each in self._types]
            listed = near_match(words[0], known) or f" It has: {', '.join(known)}."
            raise RecordRefused(
                [f"The site has no type of communication {' / '.join(words)}.{listed}"], code="unknown-type"
            )
        return found[0]

    def _needed_type(self, wanted: Mapping[str, Value]) -> CommunicationType:
        found = self._named(wanted)
        if found is None:
            raise RecordRefused(["CommunicationTypeId or CommunicationType is missing"], code="validation")
        return found

    def _read_party(self, key: Key) -> Body | None:
        return read_one(self._site, PARTY, key) if len(key) == 1 and addressable(key) else None

    def _spelled(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return spelled(values, self.properties(), what="A communication preference")


def _read_types(site: Site) -> list[CommunicationType]:
    rows = filtered(site, "CommunicationType", {})
    return [_type_of(row) for row in rows if row.get("CommunicationTypeId")]


def _type_of(row: Mapping[str, Any]) -> CommunicationType:
    type_id = str(row["CommunicationTypeId"])
    names = tuple(str(row[name]) for name in TYPE_NAMES if row.get(name))
    return CommunicationType(type_id, names or (type_id,))


def _record(body: Body, one: CommunicationType) -> Record:
    contact = party_id(body)
    flag = (_entry(body, one.id) or {}).get("OptInFlag")
    values: dict[str, Value] = {
        "ID": contact,
        "CommunicationTypeId": one.id,
        "CommunicationType": one.names[0],
        "OptInFlag": flag if isinstance(flag, bool) else None,
    }
    return Record((contact, one.id), values, body)


def _entry(body: Mapping[str, Any], type_id: str) -> dict[str, Any] | None:
    found = items(body.get(PREFERENCES))
    return next((each for each in found if str(each.get("CommunicationTypeId")) == type_id), None)


def _with_flag(body: Body, type_id: str, flag: bool) -> Body:
    whole = copy.deepcopy(body)
    entry = _entry(whole, type_id)
    if entry is None:
        entry = {"$type": contract("PartyCommunicationTypePreferenceData"), "CommunicationTypeId": type_id}
        collection(whole, PREFERENCES, "PartyCommunicationTypePreferenceDataCollection").append(entry)
    entry["OptInFlag"] = flag
    return whole


def _flag(values: Mapping[str, Value]) -> bool:
    flag = values.get("OptInFlag")
    if not isinstance(flag, bool):
        raise RecordRefused(["OptInFlag must be yes or no"], code="validation")
    return flag


def _party_path(body: Body) -> str:
    return address(PARTY, (party_id(body),))
