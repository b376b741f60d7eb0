"""What the site's entities are made of: their properties, keys, lengths and drop-down lists."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CodesOf:
    """A drop-down list whose codes are the rows of another entity."""

    entity: str
    value: str
    description: str = ""
    where: tuple[tuple[str, str], ...] = ()
    """Property and value of the rows that belong to the list."""
    operation: int = 3
    """As the rule says; 3 is "equals"."""


@dataclass(frozen=True)
class Property:
    """One column of an entity, as the site's designer would have set it up."""

    name: str
    type: str = "String"
    """`String`, `Integer`, `Boolean`, `Date`, `Decimal` or `Monetary`."""
    max_length: int | None = None
    precision: int = 18
    scale: int = 2
    required: bool = False
    key: bool = False
    assigned: bool = False
    """Given by the site (an Ordinal, a SEQN); what a client sends for it is passed over."""
    choices: Mapping[str, str] | None = None
    """Code -> text of a drop-down list."""
    codes_of: CodesOf | None = None
    """Where the codes are, when they are not fixed."""


@dataclass(frozen=True)
class Entity:
    """A business object. `shape` is `Single`, `Multi` or `Standard`; `parent` is `Party` or `Standalone`."""

    name: str
    shape: str
    parent: str
    description: str
    properties: tuple[Property, ...]
    typed: bool = False
    """A data contract of its own, not `GenericEntityData`: not among the business objects that the site lists."""

    @property
    def keys(self) -> tuple[Property, ...]:
        return tuple(each for each in self.properties if each.key)

    @property
    def parent_property(self) -> str:
        """The property that holds the contact's ID; empty for a standalone object."""
        return next((each.name for each in self.properties if each.name in {"ID", "PartyId"}), "")

    def property_named(self, name: str) -> Property | None:
        """A property by its name in any case."""
        return next((each for each in self.properties if each.name.lower() == name.lower()), None)


CUSTOMER_TYPES = {
    "REG": "Regular member",
    "STU": "Student",
    "RET": "Retired",
    "NM": "Non-member",
    "ORG": "Organization",
}
STATUSES = {"A": "Active", "I": "Inactive", "S": "Suspended", "D": "Marked for deletion"}
ADDRESS_PURPOSES = ("Address", "Billing", "Shipping")
STANDINGS = {"GOOD": "Good standing", "LAPSED": "Lapsed", "GRACE": "In grace period", "HONORARY": "Honorary"}
GRADES = {"A": "Distinction", "B": "Merit", "C": "Pass", "F": "Failed"}
COMMUNICATION_TYPES = {"NEWS": "Newsletter", "EVENTS": "Event invitations", "OFFERS": "Offers of partners"}
RELATION_TYPES = {"PARENT": "Parent of", "CHILD": "Child of", "MENTOR": "Mentor of", "MENTEE": "Mentored by"}
ACTIVITY_TYPES = {
    "EDUC": "Education",
    "CALL": "Phone call",
    "DONATION": "Donation",
    "MEETING": "Meeting",
    "NOTE": "Note",
}

MEMBERSHIP = Entity(
    "ABC_Membership",
    "Single",
    "Party",
    "Standing of a member",
    (
        Property("ID", max_length=10, required=True, key=True),
        Property("Standing", max_length=20, choices=STANDINGS),
        Property("LapsedOn", "Date"),
        Property("PaidThru", "Date"),
        Property("Newsletter", "Boolean"),
    ),
)
SCORES = Entity(
    "ABC_Scores",
    "Multi",
    "Party",
    "Course results",
    (
        Property("ID", max_length=10, required=True, key=True),
        Property("Ordinal", "Integer", required=True, key=True, assigned=True),
        Property("Course", max_length=40, required=True),
        Property("Grade", max_length=5, choices=GRADES),
        Property("Hours", "Decimal", precision=9, scale=2),
        Property("Score", "Integer"),
        Property("TakenOn", "Date"),
    ),
)
CODES = Entity(
    "ABC_Codes",
    "Multi",
    "Standalone",
    "A list of codes",
    (
        Property("Ordinal", "Integer", required=True, key=True, assigned=True),
        Property("Code", max_length=15, required=True),
        Property("Description", max_length=100),
    ),
)
VISITS = Entity(
    "ABC_Visits",
    "Multi",
    "Party",
    "Visits of members; their drop-downs take the codes from tables",
    (
        Property("ID", max_length=10, required=True, key=True),
        Property("Ordinal", "Integer", required=True, key=True, assigned=True),
        Property(
            "Region", max_length=20, codes_of=CodesOf("GenTable", "Code", "Description", (("TableName", "REGION"),))
        ),
        Property("Topic", max_length=20, codes_of=CodesOf("ABC_Codes", "Code", "Description")),
        Property("VisitedOn", "Date"),
    ),
)
ACTIVITY = Entity(
    "Activity",
    "Standard",
    "Party",
    "Activities of a contact",
    (
        Property("SEQN", "Integer", required=True, key=True, assigned=True),
        Property("PartyId", max_length=10, required=True),
        Property("ACTIVITY_TYPE", max_length=10, required=True, choices=ACTIVITY_TYPES),
        Property("TRANSACTION_DATE", "Date"),
        Property("EFFECTIVE_DATE", "Date"),
        Property("THRU_DATE", "Date"),
        Property("TICKLER_DATE", "Date"),
        Property("PRODUCT_CODE", max_length=31),
        Property("SOURCE_CODE", max_length=40),
        Property("CAMPAIGN_CODE", max_length=10),
        Property("DESCRIPTION", max_length=255),
        Property("NOTE"),
        Property("AMOUNT", "Monetary", precision=19, scale=4),
        Property("QUANTITY", "Decimal", precision=15, scale=6),
        Property("UF_1", max_length=255),
        Property("UF_2", max_length=255),
        Property("UF_3", max_length=255),
        Property("UF_4", "Decimal", precision=15, scale=4),
        Property("UF_5", "Decimal", precision=15, scale=4),
        Property("UF_6", "Date"),
        Property("UF_7", "Date"),
    ),
)

RELATIONSHIP = Entity(
    "Relationship",
    "Standard",
    "Party",
    "Relationships between two contacts (assumption K4)",
    (
        Property("SEQN", "Integer", required=True, key=True, assigned=True),
        Property("ID", max_length=10, required=True),
        Property("RELATION_TYPE", max_length=15, required=True, choices=RELATION_TYPES),
        Property("TARGET_ID", max_length=10, required=True),
        Property("TARGET_RELATION_TYPE", max_length=15, choices=RELATION_TYPES),
        Property("TITLE", max_length=80),
        Property("EFFECTIVE_DATE", "Date"),
        Property("THRU_DATE", "Date"),
        Property("NOTE"),
    ),
)

ENTITIES = (MEMBERSHIP, SCORES, CODES, VISITS, ACTIVITY, RELATIONSHIP)
"""The business objects of the site. To add one: define it above and name it here."""

PARTY = Entity(
    "Party",
    "Standard",
    "Standalone",
    "Persons and organizations, flat: what filters and queries see of them",
    (
        Property("ID", key=True),
        Property("PartyId"),
        Property("UniformId"),
        Property("Name"),
        Property("NamePrefix"),
        Property("FirstName"),
        Property("MiddleName"),
        Property("LastName"),
        Property("NameSuffix"),
        Property("InformalName"),
        Property("OrganizationName"),
        Property("Title"),
        Property("Email"),
        Property("Phone"),
        Property("BirthDate", "Date"),
        Property("Gender"),
        Property("Status"),
        Property("UpdatedOn", "Date"),
        Property("IsOrganization", "Boolean"),
        Property("CustomerTypeCode"),
        Property("JoinDate", "Date"),
        Property("PaidThruDate", "Date"),
        Property("RenewedThruDate", "Date"),
        Property("Chapter"),
        Property("MajorKey"),
    ),
)
ATTRIBUTES = ("CustomerTypeCode", "JoinDate", "PaidThruDate", "RenewedThruDate", "Chapter")
"""What a party's `AdditionalAttributes` hold."""
