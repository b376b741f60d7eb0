"""Group, GroupMember and GroupMemberDetail: who is in which group, in which roles.

The shapes are those of https://developer.imis.com/docs/making-changes-to-groupmemberdetails; the keys of committees
are composed, as https://developer.imis.com/docs/working-with-committees shows them.
"""

import uuid
from collections.abc import Collection
from typing import Any

from idms_cli.sandbox.bodies import listed, member, required_body
from idms_cli.sandbox.contracts import GROUP_MEMBER, GROUP_MEMBER_DETAIL, GROUPS, Group
from idms_cli.sandbox.definitions import Property
from idms_cli.sandbox.exchange import Json, Reply, Request, bad_data, http_error, invalid, not_found
from idms_cli.sandbox.filters import conditions, equals
from idms_cli.sandbox.paging import paged
from idms_cli.sandbox.party_shape import MEMBERSHIP
from idms_cli.sandbox.site import Sandbox
from idms_cli.sandbox.tables import Table
from idms_cli.sandbox.values import BadValueError, Row, Scalar, typed

NAMES = ("GroupId", "Name", "GroupClassId")
DATES = ("EffectiveDate", "ExpirationDate")


def list_groups(site: Sandbox, request: Request) -> Reply:
    """Groups with their roles; can be filtered by id, name and class."""
    wanted = {name: request.first(name).removeprefix("eq:").casefold() for name in NAMES if request.first(name)}
    found = [each for each in GROUPS if all(_group_row(each)[name].casefold() == text for name, text in wanted.items())]
    window, chosen = site.faults.page(request, found)
    return paged(window, [_group(each) for each in chosen], item_type=_type("GroupData"))


def answer_members(site: Sandbox, request: Request) -> Reply | None:
    """Memberships: list, create, read, replace, delete."""
    match request.method, request.parts[2:]:
        case "GET", ():
            return _list(site, request)
        case "POST", ():
            return _create(site, request)
        case "GET", (_,):
            return Reply(200, _shown(site, _existing(site, request, "GroupMember")))
        case "PUT", (_,):
            return _replace(site, request)
        case "DELETE", (_,):
            return _delete(site, request)
    return None


def answer_details(site: Sandbox, request: Request) -> Reply | None:
    """Roles of members: only to be deleted. With its last role the membership goes (assumption K3)."""
    if (request.method, len(request.parts)) != ("DELETE", 3):
        return None
    row = _existing(site, request, "GroupMemberDetail")
    table = site.table("GroupMemberDetail")
    table.remove(table.key_of(row))
    site.ledger.wrote(request, "GroupMemberDetail", table.key_of(row), str(row["RoleId"]))
    if not _details(site, str(row["GroupMemberId"])):
        site.table("GroupMember").remove((str(row["GroupMemberId"]),))
    return Reply(200)


def _list(site: Sandbox, request: Request) -> Reply:
    found = site.table("GroupMember").find(conditions(GROUP_MEMBER, request.query))
    window, rows = site.faults.page(request, found)
    return paged(window, [_shown(site, row) for row in rows], item_type=_type("GroupMemberData"))


def _create(site: Sandbox, request: Request) -> Reply:
    """A second POST to a committee takes the place of the first, as was reported of the real site; elsewhere 400."""
    body = required_body(request.content)
    group_id, party_id = _named(body, "Group", "GroupId"), _named(body, "Party", "PartyId")
    group = next((each for each in GROUPS if each.id == group_id), None)
    messages = [] if group else [f"'{group_id}' is not a group."]
    messages += [] if site.parties.exists(party_id) else [f"Contact {party_id} does not exist."]
    if group is None or messages:
        raise invalid(messages)
    member_id = _member_id(group, party_id)
    there = (member_id,) in site.table("GroupMember").rows
    if there and not group.is_committee:
        raise invalid([f"Contact {party_id} is in {group.name} already."])
    row: Row = {"GroupMemberId": member_id, "GroupId": group_id, "PartyId": party_id}
    return Reply(201, _store(site, request, {**row, **_own(body)}, group, body))


def _replace(site: Sandbox, request: Request) -> Reply:
    """The details that are sent take the place of all that were; one without an id is new."""
    old = _existing(site, request, "GroupMember")
    body = required_body(request.content)
    kept = {name: old[name] for name in ("JoinDate", "IsActive")} if site.put_missing == "keep" else {}
    group = next(each for each in GROUPS if each.id == old["GroupId"])
    keys = {name: old[name] for name in ("GroupMemberId", "GroupId", "PartyId")}
    return Reply(site.put_status, _store(site, request, {**kept, **_own(body), **keys}, group, body))


def _delete(site: Sandbox, request: Request) -> Reply:
    row = _existing(site, request, "GroupMember")
    for detail in list(_details(site, str(row["GroupMemberId"]))):
        site.table("GroupMemberDetail").remove((str(detail["GroupMemberDetailId"]),))
    site.table("GroupMember").remove((str(row["GroupMemberId"]),))
    site.ledger.wrote(request, "GroupMember", (str(row["GroupMemberId"]),), f"PartyId={row['PartyId']}")
    return Reply(200)


def _store(site: Sandbox, request: Request, values: Row, group: Group, body: Json) -> Json:
    members, table = site.table("GroupMember"), site.table("GroupMemberDetail")
    row = {**members.empty_row(), **values}
    member_id = str(row["GroupMemberId"])
    sent = [_detail_row(table, each, member_id) for each in listed(member(body, "MembershipDetails"))]
    unknown = [str(each["RoleId"]) for each in sent if each["RoleId"] not in group.roles]
    if unknown:
        raise invalid([f"'{role}' is not a role of {group.name}." for role in unknown])
    for old in list(_details(site, member_id)):
        table.remove((str(old["GroupMemberDetailId"]),))
    for detail in sent:
        _identify(table, detail, group)
        table.put(detail)
    members.put(row)
    summary = f"{group.name}: {', '.join(group.roles[str(each['RoleId'])] for each in sent)}"
    site.ledger.wrote(request, "GroupMember", (member_id,), f"PartyId={row['PartyId']}, {summary}")
    return _shown(site, row)


def _own(body: Json) -> Row:
    sent = {name: member(body, name) for name in ("JoinDate", "IsActive")}
    return {name: _typed(GROUP_MEMBER.property_named(name), value) for name, value in sent.items() if value is not None}


def _detail_row(table: Table, sent: Any, member_id: str) -> Row:
    row = table.empty_row()
    row["GroupMemberDetailId"] = str(member(sent, "GroupMemberDetailId") or "")
    row["GroupMemberId"] = member_id
    row["RoleId"] = _named(sent, "Role", "RoleId")
    row["IsActive"] = member(sent, "IsActive") is not False
    for name in DATES:
        row[name] = _typed(GROUP_MEMBER_DETAIL.property_named(name), member(sent, name))
    return row


def _identify(table: Table, detail: Row, group: Group) -> None:
    """Give a new detail its number and id."""
    if detail["GroupMemberDetailId"]:
        return
    table.number(detail)
    composed = f"{detail['GroupMemberId']}:{detail['Number']}"
    detail["GroupMemberDetailId"] = composed if group.is_committee else _uuid(composed)


def _existing(site: Sandbox, request: Request, entity: str) -> Row:
    """By the key in the address. ASP.NET refuses a path with a colon, so that a committee's cannot be addressed."""
    key = request.parts[2]
    if ":" in key:
        raise http_error(400, "A potentially dangerous Request.Path value was detected from the client (:).")
    row = site.table(entity).rows.get((key,))
    if row is None:
        raise not_found()
    return row


def _details(site: Sandbox, member_id: str) -> Collection[Row]:
    return site.table("GroupMemberDetail").find([equals("GroupMemberId", member_id)])


def _shown(site: Sandbox, row: Row) -> Json:
    group = next(each for each in GROUPS if each.id == row["GroupId"])
    party = site.parties.get(str(row["PartyId"])) or {}
    return {
        "$type": _type("GroupMemberData"),
        "GroupMemberId": row["GroupMemberId"],
        "Group": {"$type": _type("GroupSummaryData"), **_group_row(group)},
        "Party": {"$type": _type("PartySummaryData"), "PartyId": row["PartyId"], "Name": party.get("Name", "")},
        "JoinDate": row["JoinDate"],
        "IsActive": row["IsActive"],
        "MembershipDetails": {
            "$type": _type("GroupMemberDetailDataCollection"),
            "$values": [_detail(each, group) for each in _details(site, str(row["GroupMemberId"]))],
        },
    }


def _detail(row: Row, group: Group) -> Json:
    name = group.roles[str(row["RoleId"])]
    dates = {each: row[each] for each in DATES if row[each] is not None}
    return {
        "$type": _type("GroupMemberDetailData"),
        "GroupMemberDetailId": row["GroupMemberDetailId"],
        "Stage": {"$type": _type("GroupStageData")},
        **dates,
        "IsActive": row["IsActive"],
        "Role": {"$type": _type("GroupRoleData"), "RoleId": row["RoleId"], "Name": name, "Description": name},
    }


def _group(group: Group) -> Json:
    roles = [{"$type": _type("GroupRoleData"), "RoleId": code, "Name": name} for code, name in group.roles.items()]
    return {
        "$type": _type("GroupData"),
        **_group_row(group),
        "Roles": {"$type": _type("GroupRoleDataCollection"), "$values": roles},
    }


def _group_row(group: Group) -> dict[str, str]:
    return {"GroupId": group.id, "Name": group.name, "GroupClassId": group.group_class}


def _member_id(group: Group, party_id: str) -> str:
    composed = f"{group.id}:{party_id}"
    return composed if group.is_committee else _uuid(composed)


def _uuid(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, text)).upper()


def _named(body: Any, container: str, name: str) -> str:
    return str(member(member(body, container), name) or "")


def _typed(kind: Property | None, value: Any) -> Scalar:
    try:
        return None if kind is None else typed(kind, value)
    except BadValueError:
        raise bad_data() from None


def _type(name: str) -> str:
    return f"{MEMBERSHIP}.{name}, Asi.Contracts"
