"""Members of groups and committees: a whole membership, or one role of it where the role is matched on."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from idms_cli.errors import InputError, OutcomeUnknown, RecordRefused
from idms_cli.imis import groups
from idms_cli.imis.assumptions import MEMBER_ROLE
from idms_cli.imis.entities import agree, filtered, hits, remove
from idms_cli.imis.groups import Group, Groups, Role, contact_id, detail_id, details, group_id, has_role, values_of
from idms_cli.imis.kinds import Key, Kind, Record
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.sharedbodies import Body, SharedBodies
from idms_cli.imis.site import Site
from idms_cli.imis.spelling import needed, spelled, text_of
from idms_cli.imis.values import same

ENTITY = "GroupMember"
PROPERTIES = (
    Property("GroupId", key=True),
    Property("GroupName"),
    Property("ID", key=True),
    Property("Role"),
    *(Property(name, type=kind) for name, kind in groups.TYPES.items()),
)
_LOOSE = frozenset({"GroupId", "GroupName", "ID", "Role"})


def open_kind(site: Site, name: str | None) -> Kind:
    """The members of all groups; the group is a property, so `name` must be None."""
    if name is not None:
        hint = "Write `destination: group_member`, and map GroupId or GroupName."
        raise InputError(f"Group members have no name, but {name!r} is given.", hint=hint)
    return GroupMembers(site)


class GroupMembers:
    """A record is a membership with the key (group, contact); or, found by its role, (group, contact, detail).

    A role that is mapped and matched on is changed alone; one that is only mapped is added to the membership
    (https://docs.csiinc.com/idms/group-members-tutorial).
    """

    entity = ENTITY

    def __init__(self, site: Site) -> None:
        self._site = site
        self._groups = Groups(site)
        self._bodies = SharedBodies(site, read=self._read_body, path=groups.member_path, what="group member")

    def properties(self) -> Mapping[str, Property]:
        """As `Kind.properties`; without asking the site."""
        return {one.name: one for one in PROPERTIES}

    def find(self, match: Mapping[str, Value], *, every: bool = False) -> list[Record]:
        """As `Kind.find`: memberships, or the roles that match where the role is among what is matched."""
        wanted = self._spelled(match)
        group = self._group_id(wanted)
        sought = {"GroupId": group, "PartyId": text_of(wanted.get("ID"))}
        conditions: dict[str, Value] = {name: text for name, text in sought.items() if text}
        if not conditions:
            raise InputError(
                "iMIS finds group members by group and contact only.", hint="Match on GroupId or GroupName, and on ID."
            )
        rest = {name: value for name, value in wanted.items() if name not in {"GroupId", "GroupName", "Role"}}

        def meets(row: Body) -> Record | None:
            ours = not group or same(group, group_id(row), loose=True)
            ours = ours and ("ID" not in wanted or same(wanted["ID"], contact_id(row), loose=True))
            return _membership(row) if ours else None

        records = hits(filtered(self._site, ENTITY, conditions, every=every), meets, what="Searching group members")
        if "Role" in wanted:
            role = text_of(wanted["Role"])
            records = [_role(one.body, each) for one in records for each in details(one.body) if has_role(each, role)]
        return [record for record in records if agree(rest, record.values, loose=_is_loose)]

    def read(self, key: Key) -> Record | None:
        """As `Kind.read`."""
        body = self._read_body(key[:2])
        if body is None:
            return None
        if len(key) == 2:
            return _membership(body)
        detail = _detail(body, key[2])
        return None if detail is None else _role(body, detail)

    def insert(self, values: Mapping[str, Value]) -> Key:
        """As `Kind.insert`: a new membership, or one role more for a contact that is a member already.

        It looks first: a second membership of a committee was reported to take the place of the first.
        """
        wanted = self._spelled(values)
        (contact,) = needed(wanted, "ID")
        group = self._group(wanted)
        role = group.role(text_of(wanted.get("Role")) or MEMBER_ROLE)
        dated = {"JoinDate": self._today(), "EffectiveDate": self._today(), **wanted}

        def with_role(body: Body) -> Body:
            if any(has_role(each, role.name) for each in details(body)):
                raise RecordRefused(
                    [f"Contact {contact} is {role.name} of {group.name or group.id} already"], code="exists"
                )
            return groups.with_role(body, role, {"EffectiveDate": self._today(), **wanted})

        def create() -> Any:
            return self._site.post(f"/api/{ENTITY}", groups.new_member(group, contact, role, dated))

        reply = self._bodies.add((group.id, contact), with_role, create=create)
        if reply is not None and not isinstance(reply, dict):
            raise OutcomeUnknown(f"/api/{ENTITY}: stored, it seems, but the answer does not say as what.")
        return _new_key(group, contact, role, reply or {})

    def update(self, record: Record, changes: Mapping[str, Value]) -> None:
        """As `Kind.update`. A role among the changes is added, with the dates among them, and the others stay."""
        wanted = self._spelled(changes)
        if not wanted.keys().isdisjoint({"GroupId", "GroupName", "ID"}):
            raise RecordRefused(["A member cannot be moved to another group or contact"], code="key")
        role = self._groups.by("GroupId", record.key[0]).role(text_of(wanted["Role"])) if "Role" in wanted else None
        if role is not None and len(record.key) == 2:
            self._give_role(record, role, wanted)
        elif role is not None:
            raise RecordRefused(["A role that is matched on cannot become another one"], code="key")
        else:
            self._change(record, wanted, _chosen_detail(record, wanted))

    def delete(self, record: Record) -> None:
        """As `Kind.delete`: one role, or with all its roles the membership."""
        for path in _paths(record):
            self._remove(record.key, path)

    def refuse_write(self, record: Record | None, changes: Mapping[str, Value]) -> None:
        """As `Choosy.refuse_write`."""
        if record is None:
            return
        if not changes:
            _paths(record)
        elif changes.keys() != {"Role"} or not any(has_role(one, str(changes["Role"])) for one in details(record.body)):
            groups.member_path(record.body)

    def _remove(self, key: Key, path: str) -> None:
        remove(self._site, path, there=lambda: self._is_there(key, path))

    def _give_role(self, record: Record, role: Role, wanted: Mapping[str, Value]) -> None:
        has = next((each for each in details(record.body) if has_role(each, role.name)), None)
        if has is not None:
            self._change(record, wanted, detail_id(has))
            return
        values = {"EffectiveDate": self._today(), **wanted}

        def with_role(body: Body) -> Body:
            if any(has_role(each, role.name) for each in details(body)):
                return body
            return groups.with_role(body, role, values)

        def holds(body: Body) -> bool:
            return any(has_role(each, role.name) for each in details(body))

        self._bodies.change(record.key[:2], record.body, with_role, stored=holds, once=True)

    def _change(self, record: Record, wanted: Mapping[str, Value], detail: str | None) -> None:
        told = {name: value for name, value in wanted.items() if name != "Role"}

        def with_values(body: Body) -> Body:
            return groups.with_values(body, detail, told)

        def holds(body: Body) -> bool:
            return agree(told, values_of(body, _detail(body, detail or "")), loose=_is_loose)

        self._bodies.change(record.key[:2], record.body, with_values, stored=holds)

    def _read_body(self, key: Key) -> Body | None:
        """By filter: the key of a committee's member cannot stand in an address."""
        if len(key) != 2 or not all(key):
            return None
        rows = filtered(self._site, ENTITY, {"GroupId": key[0], "PartyId": key[1]})
        ours = (row for row in rows if same(key[0], group_id(row), loose=True) and contact_id(row) == key[1])
        return next(ours, None)

    def _is_there(self, key: Key, path: str) -> bool:
        body = self._read_body(key[:2])
        return body is not None and path in {groups.member_path(body), *map(groups.detail_path, details(body))}

    def _group_id(self, wanted: Mapping[str, Value]) -> str:
        if text_of(wanted.get("GroupId")):
            return text_of(wanted["GroupId"])
        name = text_of(wanted.get("GroupName"))
        return self._groups.by("Name", name).id if name else ""

    def _group(self, wanted: Mapping[str, Value]) -> Group:
        if text_of(wanted.get("GroupId")):
            return self._groups.by("GroupId", text_of(wanted["GroupId"]))
        if text_of(wanted.get("GroupName")):
            return self._groups.by("Name", text_of(wanted["GroupName"]))
        raise RecordRefused(["GroupId or GroupName is missing"], code="validation")

    def _today(self) -> datetime:
        moment = datetime.fromtimestamp(self._site.clock.now(), UTC)
        return moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)

    def _spelled(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return spelled(values, self.properties(), what="A group member")


def _paths(record: Record) -> list[str]:
    """What has to be removed: one role, or all of the membership."""
    body = record.body
    if len(record.key) == 3:
        return [groups.detail_path(each) for each in details(body) if detail_id(each) == record.key[2]]
    return [groups.detail_path(each) for each in details(body)] or [groups.member_path(body)]


def _membership(body: Body) -> Record:
    """With the role and dates of its only detail; they are None when it has several."""
    own = details(body)
    values = values_of(body, own[0] if len(own) == 1 else None)
    return Record((group_id(body), contact_id(body)), values, body)


def _role(body: Body, detail: Mapping[str, Any]) -> Record:
    return Record((group_id(body), contact_id(body), detail_id(detail)), values_of(body, detail), body)


def _detail(body: Mapping[str, Any], wanted: str) -> dict[str, Any] | None:
    return next((each for each in details(body) if detail_id(each) == wanted), None)


def _chosen_detail(record: Record, wanted: Iterable[str]) -> str | None:
    """Whose dates are to be changed. Raises `RecordRefused` when that is not clear."""
    if len(record.key) == 3:
        return record.key[2]
    if not any(name in groups.OF_ROLE for name in wanted):
        return None
    own = details(record.body)
    if len(own) != 1:
        reason = f"Contact {record.key[1]} has {len(own)} roles in {record.key[0]}: match on Role to say whose dates"
        raise RecordRefused([reason], code="many-roles")
    return detail_id(own[0])


def _new_key(group: Group, contact: str, role: Role, reply: Body) -> Key:
    """With the number of the new detail, where the reply tells it."""
    told = [detail_id(each) for each in details(reply) if has_role(each, role.name) and detail_id(each)]
    return (group.id, contact, told[0]) if told else (group.id, contact)


def _is_loose(name: str) -> bool:
    return name in _LOOSE
