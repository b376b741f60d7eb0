"""Party, Person and Organization: list, read, create, replace, delete, validate."""

import re
import uuid
from datetime import UTC

from idms_cli.sandbox.bodies import listed, member, pairs, required_body
from idms_cli.sandbox.definitions import ADDRESS_PURPOSES, COMMUNICATION_TYPES, CUSTOMER_TYPES, STATUSES
from idms_cli.sandbox.exchange import Json, Reply, Request, http_error, invalid, not_found
from idms_cli.sandbox.filters import Condition, conditions, equals
from idms_cli.sandbox.paging import paged
from idms_cli.sandbox.panels import key_in, verdict
from idms_cli.sandbox.party_shape import MEMBERSHIP, flat, is_organization, merged, shown, stamped
from idms_cli.sandbox.site import Sandbox
from idms_cli.sandbox.values import Row

PARTY_TYPE = f"{MEMBERSHIP}.PartyData, Asi.Contracts"
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
LONGEST = {
    "NamePrefix": 25,
    "FirstName": 20,
    "MiddleName": 20,
    "LastName": 30,
    "NameSuffix": 10,
    "InformalName": 20,
    "OrganizationName": 80,
    "Title": 80,
    "Email": 100,
    "Phone": 25,
}
"""Characters that each member of a party can hold."""


def list_parties(site: Sandbox, request: Request) -> Reply:
    """One page of the parties that meet the filters; Person and Organization show only their own."""
    table = site.parties.table
    wanted = _of_kind(request) + conditions(table.entity, request.query)
    window, rows = site.faults.page(request, table.find(wanted))
    return paged(window, [_shown(site, str(row["ID"])) for row in rows], item_type=PARTY_TYPE)


def read_party(site: Sandbox, request: Request) -> Reply:
    """One party by its ID."""
    return Reply(200, shown(_existing(site, request)))


def create_party(site: Sandbox, request: Request) -> Reply:
    """Store a new person or organization under the next ID."""
    party = _new_party(site, request)
    messages = _objections(party)
    if messages:
        raise invalid(messages)
    party_id = site.parties.new_id()
    party = {**party, "Id": party_id, "PartyId": party_id, "UniformId": str(uuid.uuid4())}
    _store(site, request, party)
    return Reply(201, shown(party))


def replace_party(site: Sandbox, request: Request) -> Reply:
    """Write a party anew; whole members that are not sent are kept or blanked, as the sandbox is set."""
    old = _existing(site, request)
    sent = _contract(request)
    if is_organization(sent) != is_organization(old):
        raise http_error(400, f"{old['Id']} is not a {sent['$type'].partition(',')[0]}.")
    party = merged(sent, old, keep=site.put_missing == "keep")
    party = _stamped(site, request, party, created=old["UpdateInformation"])
    messages = _objections(party)
    if messages:
        raise invalid(messages)
    _store(site, request, party, before=old)
    return Reply(site.put_status, shown(party))


def delete_party(site: Sandbox, request: Request) -> Reply:
    """Remove a party; its rows in panels stay (assumption A22)."""
    party = _existing(site, request)
    site.parties.remove(party["Id"])
    site.ledger.wrote(request, "Party", (party["Id"],), party["Name"])
    return Reply(200)


def validate_party(site: Sandbox, request: Request) -> Reply:
    """What a POST would say, and nothing stored."""
    party = _new_party(site, request)
    return verdict(_objections(party), party)


def _stamped(site: Sandbox, request: Request, party: Json, *, created: Json | None = None) -> Json:
    now = site.clock().astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()
    return stamped(party, user=request.user, now=now, created=created)


def _of_kind(request: Request) -> list[Condition]:
    kind = request.entity.lower()
    return [] if kind == "party" else [equals("IsOrganization", kind == "organization")]


def _shown(site: Sandbox, party_id: str) -> Json:
    return shown(site.parties.get(party_id) or {})


def _existing(site: Sandbox, request: Request) -> Json:
    party = site.parties.get(key_in(request, 1)[0])
    if party is None or not all(each.holds(flat(party)) for each in _of_kind(request)):
        raise not_found()
    return party


def _contract(request: Request) -> Json:
    """The body, of a class that fits the address: `/api/Party` takes persons and organizations."""
    body = required_body(request.content)
    name = body["$type"]
    kind = request.entity.lower()
    fits = {
        "party": ("PersonData", "OrganizationData"),
        "person": ("PersonData",),
        "organization": ("OrganizationData",),
    }
    if not any(each in name for each in fits[kind]):
        raise http_error(400, f"A {request.entity} cannot be made from {name.partition(',')[0]}.")
    return body


def _new_party(site: Sandbox, request: Request) -> Json:
    sent = _contract(request)
    attributes = pairs(member(sent, "AdditionalAttributes"))
    if not any(name.lower() == "customertypecode" for name in attributes):
        default = "ORG" if is_organization(sent) else "REG"
        items = [{"Name": "CustomerTypeCode", "Value": default}, *listed(member(sent, "AdditionalAttributes"))]
        sent = {**sent, "AdditionalAttributes": items}
    return _stamped(site, request, merged(sent, {}, keep=False))


def _store(site: Sandbox, request: Request, party: Json, *, before: Json | None = None) -> None:
    site.parties.put(party)
    site.ledger.wrote(request, "Party", (party["Id"],), _summary(flat(party), flat(before) if before else None))


def _summary(new: Row, old: Row | None) -> str:
    shown_names = [name for name in new if name not in {"UniformId", "PartyId", "UpdatedOn"}]
    if old is None:
        return ", ".join(f"{name}={new[name]}" for name in shown_names if new[name] not in {None, ""})
    changes = [f"{name}: {old[name]} -> {new[name]}" for name in shown_names if new[name] != old[name]]
    return ", ".join(changes) or "nothing changed"


def _objections(party: Json) -> list[str]:
    row = flat(party)
    if is_organization(party):
        messages = [] if row["OrganizationName"] else ["Organization Name is required."]
    else:
        messages = [] if row["LastName"] else ["Last Name is required."]
    for name, longest in LONGEST.items():
        if len(str(row[name] or "")) > longest:
            messages.append(f"{name} is longer than {longest} characters.")
    for item in listed(party["Emails"]):
        if item["Address"] and not EMAIL.fullmatch(item["Address"]):
            messages.append(f"'{item['Address']}' is not a valid e-mail address.")
    for item in listed(party["Addresses"]):
        if item["AddressPurpose"] not in ADDRESS_PURPOSES:
            messages.append(f"'{item['AddressPurpose']}' is not a valid address purpose.")
    for item in listed(party["CommunicationTypePreferences"]):
        if item["CommunicationTypeId"] not in COMMUNICATION_TYPES:
            messages.append(f"'{item['CommunicationTypeId']}' is not a type of communication.")
    if row["CustomerTypeCode"] and row["CustomerTypeCode"] not in CUSTOMER_TYPES:
        messages.append(f"'{row['CustomerTypeCode']}' is not a valid customer type.")
    if row["Status"] not in STATUSES:
        messages.append(f"'{row['Status']}' is not a valid status.")
    return messages
