"""Entities with a data contract of their own, flat as they are stored; and the groups and events of the site."""

from collections.abc import Mapping
from dataclasses import dataclass

from idms_cli.sandbox.definitions import Entity, Property

GROUP_MEMBER = Entity(
    "GroupMember",
    "Standard",
    "Party",
    "Memberships of groups",
    (
        Property("GroupMemberId", key=True),
        Property("GroupId", required=True),
        Property("PartyId", required=True),
        Property("JoinDate", "Date"),
        Property("IsActive", "Boolean"),
    ),
    typed=True,
)
GROUP_MEMBER_DETAIL = Entity(
    "GroupMemberDetail",
    "Standard",
    "Standalone",
    "Roles within a membership",
    (
        Property("GroupMemberDetailId", key=True),
        Property("Number", "Integer", assigned=True),
        Property("GroupMemberId", required=True),
        Property("RoleId", required=True),
        Property("EffectiveDate", "Date"),
        Property("ExpirationDate", "Date"),
        Property("IsActive", "Boolean"),
    ),
    typed=True,
)
EVENT_REGISTRATION = Entity(
    "EventRegistration",
    "Standard",
    "Party",
    "Registrations, one row for each call of RegisterEvent",
    (
        Property("Number", "Integer", key=True, assigned=True),
        Property("EventId", required=True),
        Property("PartyId", required=True),
        Property("FunctionId", required=True),
        Property("RegisteredBy"),
        Property("BillTo"),
        Property("Waitlist", "Boolean"),
        Property("Status", "Integer"),
    ),
    typed=True,
)
USER = Entity(
    "User",
    "Standard",
    "Party",
    "Logins",
    (Property("UserId", key=True, required=True), Property("UserName", max_length=100, required=True)),
    typed=True,
)
GEN_TABLE = Entity(
    "GenTable",
    "Standard",
    "Standalone",
    "General lookup tables",
    (
        Property("TableName", max_length=30, required=True, key=True),
        Property("Code", max_length=60, required=True, key=True),
        Property("Description", max_length=255),
        Property("Substitute", max_length=255),
    ),
    typed=True,
)
CONTRACTS = (GROUP_MEMBER, GROUP_MEMBER_DETAIL, EVENT_REGISTRATION, USER, GEN_TABLE)


@dataclass(frozen=True)
class Group:
    """A group that contacts may join. `roles`: id -> name."""

    id: str
    name: str
    group_class: str
    roles: Mapping[str, str]

    @property
    def is_committee(self) -> bool:
        return self.group_class == "COMMITTEE"


MEMBER_ROLE_ID = "29AAE912-660E-4C53-B884-AD9EE27DEE0C"
GROUPS = (
    Group(
        "556FE5A0-86A3-4910-BB44-5957D73388E2",
        "Mentors",
        "GENERAL",
        {MEMBER_ROLE_ID: "Member", "7C1D22A0-0001-4E4C-9A53-1B8F0D1A2B3C": "Chair"},
    ),
    Group("COMMITTEE/AWARDS", "Awards", "COMMITTEE", {"MEMBER": "Member", "CHAIR": "Chair"}),
)

EVENTS: Mapping[str, Mapping[str, tuple[str, bool]]] = {
    "CONF25": {
        "FULL": ("Full conference", True),
        "DAY1": ("First day", True),
        "DINNER": ("Conference dinner", False),
    },
    "GALA": {"SEAT": ("One seat", True)},
}
"""Event -> function -> its name, and whether it is a registration option."""
