"""Registrations of contacts for events: inserted, once, since the site itself would take one twice."""

from collections.abc import Mapping
from typing import Any

from idms_cli.errors import InputError, OutcomeUnknown, RecordRefused
from idms_cli.imis.answers import reasons_in
from idms_cli.imis.assumptions import ACTIVE_REGISTRATION, WITHOUT_PAYMENT
from idms_cli.imis.definitions import items
from idms_cli.imis.entities import addressable, agree, read_one
from idms_cli.imis.kinds import KINDS, Key, Kind, Record
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.sharedbodies import Body
from idms_cli.imis.site import Site
from idms_cli.imis.spelling import needed, spelled, text_of
from idms_cli.imis.values import same, unwrap

ENTITY = "EventRegistration"
REQUEST = "Asi.Soa.Events.DataContracts.EventRegistrationRequest, Asi.Contracts"
PROPERTIES = (
    Property("EventId", key=True),
    Property("ID", key=True),
    Property("FunctionId", key=True),
    Property("RegistrationOption"),
    Property("RegisteredBy"),
    Property("BillTo"),
    Property("Waitlist", type="Boolean"),
)

_KEYS = ("EventId", "ID", "FunctionId")


def open_kind(site: Site, name: str | None) -> Kind:
    """The registrations for all events; the event is a property, so `name` must be None."""
    if name is not None:
        hint = "Write `destination: event_registration`, and map EventId."
        raise InputError(f"Event registrations have no name, but {name!r} is given.", hint=hint)
    return Registrations(site)


class Registrations:
    """Active registrations, one record for each event, contact and function (registration option or program item)."""

    entity = ENTITY

    def __init__(self, site: Site) -> None:
        self._site = site

    def properties(self) -> Mapping[str, Property]:
        """As `Kind.properties`; without asking the site."""
        return {one.name: one for one in PROPERTIES}

    def find(self, match: Mapping[str, Value], *, every: bool = False) -> list[Record]:  # noqa: ARG002 - always every
        """As `Kind.find`: the active ones. Event and contact must be among what is matched."""
        wanted = self._spelled(match)
        event, contact = text_of(wanted.get("EventId")), text_of(wanted.get("ID"))
        if not {"EventId", "ID"} <= wanted.keys():
            raise InputError(
                "iMIS finds a registration by event and contact only.", hint="Match on EventId, ID and FunctionId."
            )
        untold = [name for name in wanted if name not in _KEYS]
        if untold:
            raise InputError(
                f"The site does not tell {', '.join(untold)} of a registration.",
                hint="Match on EventId, ID and FunctionId.",
            )
        records = self._active(event, contact)
        return [record for record in records if not record.key[2] or agree(wanted, record.values, loose=_always)]

    def read(self, key: Key) -> Record | None:
        """As `Kind.read`."""
        if len(key) != 3:
            return None
        found = self._active(key[0], key[1])
        return next((record for record in found if same(key[2], record.key[2], loose=True)), None)

    def insert(self, values: Mapping[str, Value]) -> Key:
        """As `Kind.insert`, after a look whether the contact is registered: the site does not check that.

        https://help.imis.com/enterprise/imis_power_suite/idms/event_registrations_guide.htm
        """
        wanted = self._spelled(values)
        event, contact, function = needed(wanted, *_KEYS)
        for record in self._active(event, contact):
            if record.key[2] == "" or same(function, record.key[2], loose=True):
                raise RecordRefused(
                    [f"Contact {contact} is registered for {event} {record.key[2]}".rstrip()], code="exists"
                )
        reply = self._site.post(f"/api/{ENTITY}/_execute", _request(wanted))
        outcome = reply.get("IsSuccessStatusCode") if isinstance(reply, dict) else None
        if outcome is False:
            reasons = reasons_in(reply) or [f"The site did not register contact {contact} for {event}"]
            raise RecordRefused(reasons, code="validation")
        if outcome is not True:
            raise OutcomeUnknown(f"POST /api/{ENTITY}/_execute: the answer does not say whether it was done.")
        return (event, contact, function)

    def update(self, record: Record, changes: Mapping[str, Value]) -> None:
        """Always raises `RecordRefused`."""
        raise _not_allowed(record, "update", *changes)

    def delete(self, record: Record) -> None:
        """Always raises `RecordRefused`."""
        raise _not_allowed(record, "delete")

    def _active(self, event: str, contact: str) -> list[Record]:
        """What a contact is registered for; a function "" when the site does not tell for what."""
        if not addressable((event, contact)):
            return []
        body = read_one(self._site, ENTITY, (f"{event}-{contact}",))
        if body is None or unwrap(body.get("Status")) != ACTIVE_REGISTRATION:
            return []
        return [_record(event, contact, function, body) for function in _functions(event, body) or [""]]

    def _spelled(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return spelled(values, self.properties(), what="An event registration")


def _request(values: Mapping[str, Value]) -> Body:
    """https://developer.imis.com/reference/executeeventregistration-1"""
    event, contact, function = (text_of(values[name]) for name in _KEYS)
    option = text_of(values.get("RegistrationOption")) or function
    return {
        "$type": REQUEST,
        "EntityTypeName": ENTITY,
        "OperationName": "RegisterEvent",
        "RegistrationType": WITHOUT_PAYMENT,
        "EventId": event,
        "RegistrationOptionFunctionId": f"{event}/{option}",
        "FunctionId": function,
        "RegistrantId": contact,
        "RegisteredBy": text_of(values.get("RegisteredBy")) or contact,
        "BillTo": text_of(values.get("BillTo")) or contact,
        "Waitlist": values.get("Waitlist") is True,
    }


def _functions(event: str, body: Mapping[str, Any]) -> list[str]:
    """The codes of the functions, without the event's code before them."""
    listed = (one.get("EventFunction") or {} for one in items(body.get("Functions")))
    codes = (str(one.get("EventFunctionCode") or "") for one in listed if isinstance(one, dict))
    return [code.removeprefix(f"{event}/") for code in codes if code]


def _record(event: str, contact: str, function: str, body: Body) -> Record:
    values: dict[str, Value] = dict.fromkeys(one.name for one in PROPERTIES)
    values |= {"EventId": event, "ID": contact, "FunctionId": function}
    return Record((event, contact, function), values, body)


def _not_allowed(record: Record, action: str, *names: str) -> RecordRefused:
    reason = KINDS["event_registration"].refuses[action]
    text = f"Contact {record.key[1]}, event {record.key[0]}: {reason}"
    return RecordRefused([f"{text} ({', '.join(names)})" if names else text], code="not-allowed")


def _always(_name: str) -> bool:
    return True
