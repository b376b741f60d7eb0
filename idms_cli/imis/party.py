"""The body of a Party: read as flat values, made new, and changed in place so that all else survives."""

import copy
from collections.abc import Collection, Mapping, Set
from typing import Any

from idms_cli.errors import RecordRefused
from idms_cli.imis.assumptions import (
    GENDER_TYPE,
    ORGANIZATION_TYPE,
    PHONE_TYPES,
    PRIMARY_EMAIL_TYPE,
    STATUS_TYPE,
)
from idms_cli.imis.definitions import items
from idms_cli.imis.generic import read_pairs, write_pairs
from idms_cli.imis.partyproperties import KEYS, OF_PERSON, PLACES, Members
from idms_cli.imis.properties import Value
from idms_cli.imis.values import plain, typed

_CONTRACTS = "Asi.Soa.Membership.DataContracts"


def contract(name: str) -> str:
    """The `$type` of a data contract of Membership."""
    return f"{_CONTRACTS}.{name}, Asi.Contracts"


PERSON = contract("PersonData")
_OBJECTS = {
    "PersonName": contract("PersonNameData"),
    "PrimaryOrganization": contract("PrimaryOrganizationInformationData"),
    "Gender": GENDER_TYPE,
    "Status": STATUS_TYPE,
}


def party_id(body: Any) -> str:
    """The iMIS ID in a body, empty when it has none."""
    if not isinstance(body, dict):
        return ""
    return str(body.get("PartyId") or body.get("Id") or "")


def is_person(body: Mapping[str, Any]) -> bool:
    """Whether the body is a person's, by its `$type`, or else by where the name of an organization stands."""
    kind = str(body.get("$type", ""))
    return "PersonData" in kind or ("OrganizationData" not in kind and not body.get("OrganizationName"))


def values_of(body: dict[str, Any], members: Members) -> dict[str, Value]:
    """The contact's values under the flat names; what it does not have is None."""
    values: dict[str, Value] = dict.fromkeys(members.flat)
    values.update(dict.fromkeys(KEYS, party_id(body)))
    for name, (container, member) in PLACES.items():
        values[name] = typed(_object(body, container).get(member), "String")
    values["OrganizationName"] = _organization_name(body)
    values["Email"] = typed((primary_email(body) or {}).get("Address"), "String")
    values["Phone"] = typed((_primary(items(body.get("Phones"))) or {}).get("Number"), "String")
    for name in PHONE_TYPES:
        values[name] = typed((_phone_of(items(body.get("Phones")), name) or {}).get("Number"), "String")
    values["BirthDate"] = typed(body.get("BirthDate"), "Date")
    attributes = read_pairs(body.get("AdditionalAttributes"), members.attributes)
    return {**attributes, **values}


def new_party(values: Mapping[str, Value], members: Members) -> dict[str, Any]:
    """A body to create a contact with: a person if a first or last name is given, else an organization (A15)."""
    given = {name: value for name, value in values.items() if value is not None and value != ""}
    body: dict[str, Any] = {"$type": new_type(given)}
    if body["$type"] == ORGANIZATION_TYPE:
        body["OrganizationName"] = ""
    wanted_id = next((str(given[name]) for name in KEYS if name in given), None)
    if wanted_id:
        body |= {"PartyId": wanted_id, "Id": wanted_id}
    return changed_party(body, {name: value for name, value in given.items() if name not in KEYS}, members)


def new_type(names: Collection[str]) -> str:
    """The `$type` of a new contact of which these properties are given."""
    if "FirstName" in names or "LastName" in names:
        return PERSON
    if "OrganizationName" in names:
        return ORGANIZATION_TYPE
    raise RecordRefused(
        ["A new contact needs FirstName or LastName, or for an organization OrganizationName"], code="validation"
    )


def refuse_of_person(body: Mapping[str, Any], names: Collection[str]) -> None:
    """Raises `RecordRefused` where a property that only persons have is to be set on an organization."""
    wrong = [name for name in OF_PERSON if name in names]
    if wrong and not is_person(body):
        which = f"contact {party_id(body)}" if party_id(body) else "a new contact with an OrganizationName alone"
        reason = f"Only a person has {', '.join(wrong)}, and {which} is an organization"
        raise RecordRefused([reason], code="unknown-property")


def changed_party(body: Any, changes: Mapping[str, Value], members: Members) -> dict[str, Any]:
    """A copy of the whole `body` with `changes` made. Raises `RecordRefused` for what cannot be changed."""
    refuse_of_person(body, [name for name, value in changes.items() if value not in (None, "")])
    whole: dict[str, Any] = copy.deepcopy(body)
    for name, value in changes.items():
        if name in OF_PERSON and not is_person(body):
            continue
        if name in KEYS and str(value) != party_id(body):
            raise RecordRefused([f"The ID of contact {party_id(body)} cannot be changed"], code="key")
        _set_member(whole, name, value)
    for name in [one for one in PHONE_TYPES if one in changes]:
        _set_phone(whole, name, text_member(changes[name]))
    if "Phone" in changes:
        _set_primary_phone(whole, text_member(changes["Phone"]), kept=PHONE_TYPES.keys() & changes.keys())
    attributes = {name: value for name, value in changes.items() if name in members.attributes}
    if attributes:
        whole["AdditionalAttributes"] = write_pairs(whole.get("AdditionalAttributes"), attributes, members.attributes)
    return {"$type": whole.pop("$type", PERSON), **whole}


def _set_member(body: dict[str, Any], name: str, value: Value) -> None:
    if name in PLACES:
        container, member = PLACES[name]
        _object_to_change(body, container)[member] = text_member(value)
    elif name == "OrganizationName" and is_person(body):
        _object_to_change(body, "PrimaryOrganization")["Name"] = text_member(value)
    elif name == "OrganizationName":
        body["OrganizationName"] = text_member(value)
    elif name == "BirthDate":
        body["BirthDate"] = plain(value)
    elif name == "Email":
        _set_email(body, text_member(value))


def _set_email(body: dict[str, Any], address: str) -> None:
    primary = primary_email(body)
    if primary is not None:
        primary["Address"] = address
    elif address:
        entry = {
            "$type": contract("EmailData"),
            "Address": address,
            "EmailType": PRIMARY_EMAIL_TYPE,
            "IsPrimary": True,
        }
        collection(body, "Emails", "EmailDataCollection").append(entry)


def _set_primary_phone(body: dict[str, Any], number: str, *, kept: Set[str]) -> None:
    """Change the primary phone; if it is of a kind in `kept`, whose number was just set, another becomes primary."""
    phones = collection(body, "Phones", "PhoneDataCollection")
    primary = _primary(phones)
    if primary is not None and number and primary.get("Number") != number and _is_kind(primary, kept):
        primary["IsPrimary"] = False
        primary = None
    if primary is not None:
        primary["Number"] = number
    elif same_number := next((one for one in phones if number and one.get("Number") == number), None):
        same_number["IsPrimary"] = True
    elif number:
        free = (words[0] for name, words in PHONE_TYPES.items() if _phone_of(phones, name) is None)
        phones.append(_new_phone(number, next(free, "Mobile"), primary=True))


def _set_phone(body: dict[str, Any], name: str, number: str) -> None:
    phones = collection(body, "Phones", "PhoneDataCollection")
    phone = _phone_of(phones, name)
    if phone is not None:
        phone["Number"] = number
    elif number:
        phones.append(_new_phone(number, PHONE_TYPES[name][0], primary=False))


def _new_phone(number: str, kind: str, *, primary: bool) -> dict[str, Any]:
    return {"$type": contract("PhoneData"), "Number": number, "PhoneType": kind, "IsPrimary": primary}


def _phone_of(phones: list[Any], name: str) -> dict[str, Any] | None:
    """The first phone of the kind `name`, whichever of the known words the site has for it."""
    words = {word.casefold() for word in PHONE_TYPES[name]}
    return next((one for one in phones if str(one.get("PhoneType", "")).casefold() in words), None)


def _is_kind(phone: dict[str, Any], names: Set[str]) -> bool:
    return any(_phone_of([phone], name) for name in names)


def _primary(entries: list[Any]) -> dict[str, Any] | None:
    return next((one for one in entries if one.get("IsPrimary") is True), None)


def primary_email(body: dict[str, Any]) -> dict[str, Any] | None:
    """The primary entry; one of the primary type counts even where the flag is left out."""
    entries = items(body.get("Emails"))
    typed_so = (one for one in entries if one.get("EmailType") == PRIMARY_EMAIL_TYPE)
    return _primary(entries) or next(typed_so, None)


def _organization_name(body: dict[str, Any]) -> Value:
    if is_person(body):
        return typed(_object(body, "PrimaryOrganization").get("Name"), "String")
    return typed(body.get("OrganizationName"), "String")


def _object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def _object_to_change(body: dict[str, Any], name: str) -> dict[str, Any]:
    """The object `name` of `body`, made with its `$type` if it is not there."""
    if not isinstance(body.get(name), dict):
        body[name] = {"$type": _OBJECTS[name]}
    found: dict[str, Any] = body[name]
    return found


def collection(body: dict[str, Any], name: str, kind: str) -> list[Any]:
    """The list of the collection `name` of `body`, made if it is not there, in the form the site uses."""
    found = body.get(name)
    if isinstance(found, list):
        return found
    if not isinstance(found, dict):
        found = body[name] = {"$type": contract(kind)}
    values: list[Any] = found.setdefault("$values", [])
    return values


def text_member(value: Value) -> str:
    """A member's text; the empty text clears it (A14)."""
    return "" if value is None else str(plain(value))
