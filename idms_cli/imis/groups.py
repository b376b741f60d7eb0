"""Groups and the bodies of their members: one membership for a contact and group, with a detail for each role."""

import copy
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from idms_cli.errors import RecordRefused
from idms_cli.imis.assumptions import MEMBER_ROLE, MEMBER_ROLE_ID
from idms_cli.imis.definitions import items, near_match
from idms_cli.imis.entities import filtered
from idms_cli.imis.party import collection, contract
from idms_cli.imis.properties import Value
from idms_cli.imis.sharedbodies import Body
from idms_cli.imis.site import Site
from idms_cli.imis.values import plain, same, typed

OF_MEMBERSHIP = ("IsActive", "JoinDate")
OF_ROLE = ("EffectiveDate", "ExpirationDate")
TYPES = {"IsActive": "Boolean", "JoinDate": "Date", "EffectiveDate": "Date", "ExpirationDate": "Date"}


@dataclass(frozen=True)
class Role:
    """A role that members of a group may have."""

    id: str
    name: str

    def is_called(self, word: str) -> bool:
        return same(word, self.name, loose=True) or same(word, self.id, loose=True)


@dataclass(frozen=True)
class Group:
    """A group as the site describes it. `roles` is empty where it does not list them."""

    id: str
    name: str
    roles: tuple[Role, ...]

    def role(self, word: str) -> Role:
        """The role of that name or id. Raises `RecordRefused` when the group has none."""
        found = next((role for role in self.roles if role.is_called(word)), None)
        if found is None and not self.roles:
            return Role(MEMBER_ROLE_ID, MEMBER_ROLE) if same(word, MEMBER_ROLE, loose=True) else Role(word, word)
        if found is None:
            names = [role.name for role in self.roles]
            known = near_match(word, names) or f" It has: {', '.join(names)}."
            raise RecordRefused([f"The group {self.name or self.id} has no role {word!r}.{known}"], code="unknown-role")
        return found


class Groups:
    """Finds groups by id or name, each once. Thread-safe."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], Group] = {}

    def by(self, member: str, value: str) -> Group:
        """The group with that `GroupId` or `Name`. Raises `RecordRefused` when there is none, or there are several."""
        key = (member, value.casefold())
        with self._lock:
            if key not in self._found:
                self._found[key] = self._look_up(member, value)
            return self._found[key]

    def _look_up(self, member: str, value: str) -> Group:
        rows = filtered(self._site, "Group", {member: value})
        found = [row for row in rows if same(value, row.get(member), loose=True)]
        if len(found) != 1:
            many = f"{len(found)} groups have" if found else "No group has"
            raise RecordRefused([f"{many} the {member} {value!r}"], code="unknown-group")
        roles = [Role(str(one.get("RoleId") or ""), str(one.get("Name") or "")) for one in items(found[0].get("Roles"))]
        return Group(str(found[0].get("GroupId") or ""), str(found[0].get("Name") or ""), tuple(roles))


def member_path(body: Mapping[str, Any]) -> str:
    """`/api/GroupMember/{GroupMemberId}`. Raises `RecordRefused` as `_path` does."""
    return _path("GroupMember", str(body.get("GroupMemberId") or ""))


def detail_path(detail: Mapping[str, Any]) -> str:
    """`/api/GroupMemberDetail/{GroupMemberDetailId}`. Raises `RecordRefused` as `_path` does."""
    return _path("GroupMemberDetail", detail_id(detail))


def _path(entity: str, number: str) -> str:
    """Raises `RecordRefused` for a member of a committee: the id has a colon, which ASP.NET takes in no address.

    https://developer.imis.com/docs/working-with-committees
    """
    if ":" in number:
        reason = f"Members of committees can only be added: the site takes no address with a ':', as in {number}"
        raise RecordRefused([f"{reason}. Change or remove this one in iMIS"], code="not-allowed")
    return f"/api/{entity}/{quote(number, safe='')}"


def details(body: Mapping[str, Any]) -> list[Any]:
    """The roles that a member has or had, each with its dates."""
    return items(body.get("MembershipDetails"))


def detail_id(detail: Mapping[str, Any]) -> str:
    return str(detail.get("GroupMemberDetailId") or "")


def has_role(detail: Mapping[str, Any], word: str) -> bool:
    """Whether the detail is of the role with that name or id."""
    return Role(_inner(detail, "Role", "RoleId"), role_name(detail)).is_called(word)


def role_name(detail: Mapping[str, Any]) -> str:
    return _inner(detail, "Role", "Name")


def group_id(body: Mapping[str, Any]) -> str:
    return _inner(body, "Group", "GroupId")


def contact_id(body: Mapping[str, Any]) -> str:
    return _inner(body, "Party", "PartyId")


def values_of(body: Mapping[str, Any], detail: Mapping[str, Any] | None) -> dict[str, Value]:
    """A membership under flat names, with the role and dates of one detail; they are None without."""
    one = detail or {}
    return {
        "GroupId": group_id(body),
        "GroupName": _inner(body, "Group", "Name") or None,
        "ID": contact_id(body),
        "Role": role_name(one) or None,
        **{name: typed(body.get(name), TYPES[name]) for name in OF_MEMBERSHIP},
        **{name: typed(one.get(name), TYPES[name]) for name in OF_ROLE},
    }


def new_member(group: Group, contact: str, role: Role, values: Mapping[str, Value]) -> Body:
    """A body to create a membership with. `values` have `JoinDate` and the dates of the role."""
    body: Body = {
        "$type": contract("GroupMemberData"),
        "Group": {"$type": contract("GroupSummaryData"), "GroupId": group.id},
        "Party": {"$type": contract("PartySummaryData"), "PartyId": contact},
        "IsActive": values.get("IsActive") is not False,
        "JoinDate": plain(values.get("JoinDate")),
    }
    return with_role(body, role, values)


def with_role(body: Body, role: Role, values: Mapping[str, Value]) -> Body:
    """A copy of a membership with one role more, and its own members changed as `values` say."""
    whole = with_values(body, None, {name: value for name, value in values.items() if name in OF_MEMBERSHIP})
    detail: Body = {
        "$type": contract("GroupMemberDetailData"),
        "Role": {"$type": contract("GroupRoleData"), "RoleId": role.id, "Name": role.name},
        "IsActive": True,
    }
    detail |= {name: plain(values[name]) for name in OF_ROLE if values.get(name) is not None}
    collection(whole, "MembershipDetails", "GroupMemberDetailDataCollection").append(detail)
    return whole


def with_values(body: Body, detail: str | None, changes: Mapping[str, Value]) -> Body:
    """A copy of a membership, changed in its own members and in the detail with that id.

    (https://developer.imis.com/docs/making-changes-to-groupmemberdetails)
    """
    whole = copy.deepcopy(body)
    whole |= {name: plain(value) for name, value in changes.items() if name in OF_MEMBERSHIP}
    for one in details(whole):
        if detail is not None and detail_id(one) == detail:
            one |= {name: plain(value) for name, value in changes.items() if name in OF_ROLE}
    return whole


def _inner(body: Mapping[str, Any], container: str, member: str) -> str:
    found = body.get(container)
    return str(found.get(member) or "") if isinstance(found, dict) else ""
