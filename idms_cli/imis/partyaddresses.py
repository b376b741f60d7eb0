"""The addresses inside a Party: read as flat values, added and changed in place so that the others survive."""

import copy
from collections.abc import Mapping
from typing import Any

from idms_cli.imis.assumptions import PREFERRED_REASONS
from idms_cli.imis.definitions import items
from idms_cli.imis.party import collection, contract, text_member
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.values import typed

ADDRESS = contract("AddressData")
FULL_ADDRESS = contract("FullAddressData")
LINES = ("Address1", "Address2", "Address3")
OWN_PLACES = {"Phone": "Phone", "Fax": "Fax", "Email": "Email"}
"""Flat name -> member of `FullAddressData`."""
PLACES = {
    "City": "CityName",
    "StateProvince": "CountrySubEntityCode",
    "StateProvinceName": "CountrySubEntityName",
    "PostalCode": "PostalCode",
    "Country": "CountryCode",
    "CountryName": "CountryName",
}
"""Flat name -> member of the `AddressData` within."""
TWINS = {
    "StateProvince": "StateProvinceName",
    "StateProvinceName": "StateProvince",
    "Country": "CountryName",
    "CountryName": "Country",
}
"""Code and name of the same thing: one that is set alone clears the other, which would contradict it (K1)."""

PROPERTIES = (
    Property("ID", key=True),
    Property("AddressPurpose", key=True),
    *(Property(name) for name in (*LINES, *PLACES, *OWN_PLACES)),
    *(Property(name, type="Boolean") for name in PREFERRED_REASONS),
)

Body = dict[str, Any]


def entries(body: Mapping[str, Any]) -> list[Any]:
    """The addresses of a contact, without the empty one that stands for none."""
    return [one for one in items(body.get("Addresses")) if not _is_empty(one)]


def entry_id(entry: Mapping[str, Any]) -> str:
    """The site's own number of an address, empty when it gives none."""
    return str(entry.get("FullAddressId") or "")


def purpose_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("AddressPurpose") or "")


def values_of(entry: Mapping[str, Any]) -> dict[str, Value]:
    """An address under the flat names, without the contact's ID."""
    inner = _inner(entry)
    values: dict[str, Value] = {"AddressPurpose": purpose_of(entry)}
    values |= dict(zip(LINES, [*_lines(inner), None, None, None], strict=False))
    values |= {name: typed(inner.get(member), "String") for name, member in PLACES.items()}
    values |= {name: typed(entry.get(member), "String") for name, member in OWN_PLACES.items()}
    reasons = _reasons(entry)
    return {**values, **{name: reason in reasons for name, reason in PREFERRED_REASONS.items()}}


def with_new(body: Mapping[str, Any], values: Mapping[str, Value]) -> Body:
    """A copy of a Party with one address more; an empty one in its place is filled."""
    whole: Body = copy.deepcopy(dict(body))
    addresses = collection(whole, "Addresses", "FullAddressDataCollection")
    purpose = text_member(values.get("AddressPurpose"))
    free = (one for one in addresses if _is_empty(one) and purpose_of(one).casefold() in {"", purpose.casefold()})
    entry = next(free, None)
    if entry is None:
        entry = {"$type": FULL_ADDRESS}
        addresses.append(entry)
    entry["AddressPurpose"] = purpose
    _set(whole, entry, values)
    return whole


def with_changes(body: Mapping[str, Any], index: int, changes: Mapping[str, Value]) -> Body:
    """A copy of a Party with `changes` made in the address that is `entries(body)[index]`."""
    whole: Body = copy.deepcopy(dict(body))
    _set(whole, entries(whole)[index], changes)
    return whole


def _set(whole: Body, entry: Body, values: Mapping[str, Value]) -> None:
    inner = _inner(entry)
    entry["Address"] = inner
    lines = _lines(inner)
    for position, name in enumerate(LINES):
        if name in values:
            lines += [""] * (position + 1 - len(lines))
            lines[position] = text_member(values[name])
    _put_lines(inner, lines)
    for name in [one for one in PLACES if one in values]:
        inner[PLACES[name]] = text_member(values[name])
        twin = TWINS.get(name)
        if twin is not None and twin not in values and PLACES[twin] in inner:
            inner[PLACES[twin]] = ""
    for name in [one for one in OWN_PLACES if one in values]:
        entry[OWN_PLACES[name]] = text_member(values[name])
    for name in [one for one in PREFERRED_REASONS if one in values]:
        _prefer(whole, entry, PREFERRED_REASONS[name], wanted=values[name] is True)


def _prefer(whole: Body, entry: Body, reason: str, *, wanted: bool) -> None:
    """Set or take the mark for mail, bills or shipping; only one address of a contact can have it (K1)."""
    for other in items(whole.get("Addresses")):
        if (wanted or other is entry) and reason in _reasons(other):
            marks = collection(other, "CommunicationPreferences", "CommunicationPreferenceDataCollection")
            marks[:] = [mark for mark in marks if mark.get("Reason") != reason]
    if wanted:
        marks = collection(entry, "CommunicationPreferences", "CommunicationPreferenceDataCollection")
        marks.append({"$type": contract("CommunicationPreferenceData"), "Reason": reason})


def _put_lines(inner: Body, lines: list[str]) -> None:
    found = inner.get("AddressLines")
    if isinstance(found, list):
        inner["AddressLines"] = lines
    else:
        kept = found if isinstance(found, dict) else {"$type": contract("AddressLineDataCollection")}
        inner["AddressLines"] = {**kept, "$values": lines}


def _lines(inner: Mapping[str, Any]) -> list[str]:
    found = inner.get("AddressLines")
    lines = found.get("$values") if isinstance(found, dict) else found
    return ["" if line is None else str(line) for line in lines] if isinstance(lines, list) else []


def _reasons(entry: Mapping[str, Any]) -> set[str]:
    return {str(mark.get("Reason")) for mark in items(entry.get("CommunicationPreferences"))}


def _inner(entry: Mapping[str, Any]) -> Body:
    found = entry.get("Address")
    return found if isinstance(found, dict) else {"$type": ADDRESS}


def _is_empty(entry: Mapping[str, Any]) -> bool:
    inner = _inner(entry)
    places = (inner.get(member) for member in PLACES.values())
    own = (entry.get(member) for member in OWN_PLACES.values())
    return not any((*_lines(inner), *places, *own))
