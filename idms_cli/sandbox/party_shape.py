"""What a party looks like on the wire: members, nested objects, collections, and what a PUT makes of them."""

from typing import Any

from idms_cli.sandbox.bodies import listed, member, pairs
from idms_cli.sandbox.definitions import PARTY, STATUSES, Property
from idms_cli.sandbox.exchange import SOA, Json, bad_data
from idms_cli.sandbox.values import BadValueError, Row, Scalar, typed

MEMBERSHIP = "Asi.Soa.Membership.DataContracts"
PERSON = f"{MEMBERSHIP}.PersonData, Asi.Contracts"
ORGANIZATION = f"{MEMBERSHIP}.OrganizationData, Asi.Contracts"
PROPERTY = f"{SOA}.GenericPropertyData, Asi.Contracts"
PREFERENCE = f"{MEMBERSHIP}.CommunicationPreferenceData"

OBJECTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "PersonName": (
        "PersonNameData",
        ("NamePrefix", "FirstName", "MiddleName", "LastName", "NameSuffix", "InformalName", "Designation"),
    ),
    "PrimaryOrganization": ("PrimaryOrganizationInformationData", ("OrganizationPartyId", "Name", "Title")),
    "Gender": ("GenderData", ("Code",)),
    "Status": ("PartyStatusData", ("PartyStatusId",)),
    "FinancialInformation": ("FinancialInformationData", ()),
}
"""Nested object -> its class and members. What a client leaves out of an object it sends is blanked
(https://developer.imis.com/v20.3.44/discuss/5dc46c894ce31a00f0796b80)."""

COLLECTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Emails": ("EmailData", ("Address", "EmailType", "IsPrimary")),
    "Phones": ("PhoneData", ("Number", "PhoneType", "IsPrimary")),
    "Addresses": (
        "FullAddressData",
        ("FullAddressId", "AddressPurpose", "Email", "Phone", "Fax", "Address", "CommunicationPreferences"),
    ),
    "Salutations": ("PartySalutationData", ("SalutationMethod", "Text")),
    "AlternateIds": ("AlternateIdData", ("Id", "IdType")),
    "CommunicationTypePreferences": ("PartyCommunicationTypePreferenceData", ("CommunicationTypeId", "OptInFlag")),
    "SocialNetworks": ("PartySocialNetworkData", ("SocialNetworkUserName", "SocialNetwork")),
}
"""Collection -> class and members of its items. A collection that is sent takes the place of the whole old one."""

ADDRESS_MEMBERS = (
    "CityName",
    "CountrySubEntityCode",
    "CountrySubEntityName",
    "PostalCode",
    "CountryCode",
    "CountryName",
)
FLAGS = frozenset({"IsPrimary", "OptInFlag"})
SCALARS = ("BirthDate", "OrganizationName", "Sort", "SortIsOverridden")


def is_organization(body: Json) -> bool:
    """By its `$type`."""
    return "OrganizationData" in body["$type"]


def merged(sent: Json, old: Json, *, keep: bool) -> Json:
    """`old` with what was sent in its place; members that were not sent are kept or blanked.

    Members that no party has are passed over, as Json.NET does. Raises the refusal for bad data.
    """
    organization = is_organization(sent)
    party: Json = {"$type": ORGANIZATION if organization else PERSON}
    for name in ("Id", "PartyId", "UniformId"):
        party[name] = old.get(name, "")
    for name in SCALARS:
        party[name] = _scalar(name, _chosen(name, sent, old, keep=keep))
    for name in OBJECTS:
        if not (organization and name == "PersonName"):
            party[name] = _object(name, _chosen(name, sent, old, keep=keep))
    for name in COLLECTIONS:
        party[name] = _collection(name, _chosen(name, sent, old, keep=keep))
    party["AdditionalAttributes"] = _attributes(_chosen("AdditionalAttributes", sent, old, keep=keep))
    _finish(party, organization=organization)
    return party


def stamped(party: Json, *, user: str, now: str, created: Json | None = None) -> Json:
    """With `UpdateInformation`, which only the site sets; `created` is that of the party as it was."""
    first = created or {"CreatedBy": user, "CreatedOn": now}
    update = {
        "$type": f"{SOA}.EntityUpdateInformationData, Asi.Contracts",
        "CreatedBy": first["CreatedBy"],
        "CreatedOn": first["CreatedOn"],
        "UpdatedBy": user,
        "UpdatedOn": now,
    }
    return {**party, "UpdateInformation": update}


def shown(party: Json) -> Json:
    """A party as it is read: without an address, it still has one, with empty fields."""
    if party["Addresses"]["$values"]:
        return party
    return {**party, "Addresses": {**party["Addresses"], "$values": [_address({})]}}


def flat(party: Json) -> Row:
    """The row that filters and queries see."""
    name, company = party.get("PersonName") or {}, party["PrimaryOrganization"]
    values: dict[str, Any] = {
        "ID": party["Id"],
        "PartyId": party["PartyId"],
        "UniformId": party["UniformId"],
        "Name": party["Name"],
        **{each: name.get(each) for each in OBJECTS["PersonName"][1]},
        "OrganizationName": party["OrganizationName"] if is_organization(party) else company["Name"],
        "Title": company["Title"],
        "Email": primary(party["Emails"], "Address"),
        "Phone": primary(party["Phones"], "Number"),
        "BirthDate": party["BirthDate"],
        "Gender": party["Gender"]["Code"],
        "Status": party["Status"]["PartyStatusId"],
        "UpdatedOn": party["UpdateInformation"]["UpdatedOn"],
        "IsOrganization": is_organization(party),
        "MajorKey": next((item["Id"] for item in listed(party["AlternateIds"]) if item["IdType"] == "MajorKey"), None),
        **pairs(party["AdditionalAttributes"]),
    }
    return {kind.name: _stored(kind, values.get(kind.name)) for kind in PARTY.properties}


def primary(collection: Json, name: str) -> str:
    """This member of the primary item, or of the first one; empty when there is none."""
    items = listed(collection)
    chosen = next((item for item in items if item["IsPrimary"]), items[0] if items else {})
    return str(chosen.get(name, ""))


def _chosen(name: str, sent: Json, old: Json, *, keep: bool) -> Any:
    if any(key.lower() == name.lower() for key in sent):
        return member(sent, name)
    return old.get(name) if keep else None


def _scalar(name: str, value: Any) -> Scalar:
    if name == "SortIsOverridden":
        return value is True
    return _stored(Property(name, "Date" if name == "BirthDate" else "String"), value)


def _object(name: str, value: Any) -> Json:
    if not isinstance(value, dict | None):
        raise bad_data()
    kind, members = OBJECTS[name]
    return {"$type": f"{MEMBERSHIP}.{kind}, Asi.Contracts", **{each: _text(member(value, each)) for each in members}}


def _collection(name: str, value: Any) -> Json:
    kind, members = COLLECTIONS[name]
    make = _address if name == "Addresses" else lambda item: _item(kind, members, item)
    items = [make(item) for item in listed(value)]
    if name == "Addresses":
        items = _numbered([item for item in items if not _is_empty(item)])
    return {"$type": f"{MEMBERSHIP}.{kind}Collection, Asi.Contracts", "$values": items}


def _item(kind: str, members: tuple[str, ...], item: Any) -> Json:
    if not isinstance(item, dict):
        raise bad_data()
    values = {each: member(item, each) for each in members}
    return {
        "$type": f"{MEMBERSHIP}.{kind}, Asi.Contracts",
        **{each: value is True if each in FLAGS else _text(value) for each, value in values.items()},
    }


def _address(item: Any) -> Json:
    kind, members = COLLECTIONS["Addresses"]
    address = member(item, "Address") or {}
    if not isinstance(address, dict):
        raise bad_data()
    lines = [_text(line) for line in listed(member(address, "AddressLines"))]
    marks = [{"$type": f"{PREFERENCE}, Asi.Contracts", "Reason": _text(each)} for each in _reasons(item)]
    return {
        **_item(kind, tuple(each for each in members if each not in {"Address", "CommunicationPreferences"}), item),
        "CommunicationPreferences": {"$type": f"{PREFERENCE}Collection, Asi.Contracts", "$values": marks},
        "Address": {
            "$type": f"{MEMBERSHIP}.AddressData, Asi.Contracts",
            "AddressLines": {"$type": f"{MEMBERSHIP}.AddressLineDataCollection, Asi.Contracts", "$values": lines},
            **{each: _text(member(address, each)) for each in ADDRESS_MEMBERS},
        },
    }


def _reasons(item: Any) -> list[Any]:
    """For what an address is preferred: `mail`, `bill`, `ship` (assumption K1)."""
    return [member(each, "Reason") for each in listed(member(item, "CommunicationPreferences"))]


def _numbered(addresses: list[Json]) -> list[Json]:
    """Each with its `FullAddressId`; a new one gets the next number of this contact."""
    highest = max((int(each["FullAddressId"]) for each in addresses if each["FullAddressId"].isdigit()), default=0)
    for item in addresses:
        if not item["FullAddressId"]:
            highest += 1
            item["FullAddressId"] = str(highest)
    return addresses


def _is_empty(item: Json) -> bool:
    address = item["Address"]
    texts = (item["Email"], item["Phone"], item["Fax"], *(address[each] for each in ADDRESS_MEMBERS))
    return not any((*texts, *listed(address["AddressLines"])))


def _attributes(value: Any) -> Json:
    items = []
    for name, attribute in pairs(value).items():
        kind = PARTY.property_named(name) or Property(name)
        stored = _stored(kind, attribute)
        item: Json = {"$type": PROPERTY, "Name": kind.name}
        items.append(item if stored is None else {**item, "Value": stored})
    return {"$type": f"{SOA}.GenericPropertyDataCollection, Asi.Contracts", "$values": items}


def _finish(party: Json, *, organization: bool) -> None:
    """What the site works out by itself."""
    name = party.get("PersonName", {})
    if organization:
        party["Name"] = party["OrganizationName"] or ""
        party["Sort"] = party["Name"] if not party["SortIsOverridden"] else party["Sort"]
    else:
        del party["OrganizationName"]
        party["Name"] = " ".join(name[each] for each in ("FirstName", "LastName") if name[each])
        name["FullName"] = " ".join(
            name[each] for each in ("NamePrefix", "FirstName", "MiddleName", "LastName", "NameSuffix") if name[each]
        )
        if not party["SortIsOverridden"]:
            party["Sort"] = ", ".join(name[each] for each in ("LastName", "FirstName") if name[each])
    status = party["Status"]
    status["PartyStatusId"] = status["PartyStatusId"] or "A"
    status["Name"] = status["Description"] = STATUSES.get(status["PartyStatusId"], "")


def _text(value: Any) -> str:
    return "" if value is None else str(_stored(Property(""), value))


def _stored(kind: Property, value: Any) -> Scalar:
    try:
        return typed(kind, value)
    except BadValueError:
        raise bad_data() from None
