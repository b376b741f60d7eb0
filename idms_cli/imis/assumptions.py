"""Every fact about the site that no public material gives, with the number of the open question and what we chose.

Nothing here was seen on a real site. When one of them proves wrong, this is the place to look.
"""

# A1  The token's life is `expires_in` seconds; the other members of the reply are not needed.
RENEW_EARLY_S = 60.0
"""A token is renewed so long before it ends, or after half its life if that is short."""
DEFAULT_TOKEN_LIFE_S = 1199.0
"""Used when a reply has no `expires_in`: the shortest life ever reported."""

# A3, A6  The answer 401 does not tell a dead token from missing rights: after one new login it is taken for the latter.
# A4      A new token may end the old one on every site, also in the cloud: so one token is shared by all processes.

# Any JSON answer to this, also a refusal, shows that the site works; it is a short list, which every site has.
DOORBELL = "/api/AddressPurpose"

# A7  A larger page than 500 is cut to 500 by the site, so more is never asked for.
MAX_PAGE = 500
MIN_PAGE = 25
"""A page that times out is asked for again in halves, down to this."""

# A8  Nothing keeps the rows of a query in order or still between two pages: pages are checked (pages.py).
# A9  In a row of `/api/query` an empty column may be null or not be there at all: both are None.

# A10 An unknown query is 400 with this text on older sites, and at random for a query that exists; else 404.
QUERY_NOT_FOUND = "not found"
QUERY_NOT_FOUND_TRIES = 3

# A11 A cached answer may be old: the look after a lost answer to a PUT is repeated once, after this pause.
SETTLE_S = 2.0

# A12 Date-times are the site's local time, without zone, in both directions. An offset that comes anyway is dropped.

# A14 PUT: what is left out may be blanked, so the whole object is written back. A text is cleared with an empty text
#     (most columns of iMIS cannot be null), anything else with null.

# A15 A contact needs a first or last name, or an organization name. A phone needs a type:
PHONE_TYPES = {
    "MobilePhone": ("Mobile", "Cell"),
    "HomePhone": ("Home",),
    "WorkPhone": ("Work", "Office", "Business"),
    "Fax": ("Fax",),
}
"""The kinds of phone by our name, and the words sites use for `PhoneType`; the first is used for a new one."""
PRIMARY_EMAIL_TYPE = "_Primary"
GENDER_TYPE = "Asi.Soa.Membership.DataContracts.GenderData, Asi.Contracts"
STATUS_TYPE = "Asi.Soa.Membership.DataContracts.PartyStatusData, Asi.Contracts"
NAME_SUFFIX_MEMBER = "NameSuffix"
"""The member of `PersonName` that holds a suffix such as Jr."""

# A16 Class names of a validation reply are only known in part: this part is looked for.
VALIDATION_TYPE = "ValidationResultsData"

# A17 Bodies of 4xx and 5xx are not known: any text in them is shown, shortened. 429 means "not carried out", and so
#     does 503 with `Retry-After`. 500 with this text is often the record's own fault:
SERVER_FAULT = "contact the administrator"

# A19 Organizations are `OrganizationData`, and `$type` comes first in every object.
ORGANIZATION_TYPE = "Asi.Soa.Membership.DataContracts.OrganizationData, Asi.Contracts"

# A21 The Ordinal in the reply to a POST of a multi-instance row is always 0, whatever was stored: it is not believed.
UNTRUSTED_ORDINAL = "0"

# A25 Key parts are percent-encoded one by one. A part with one of these characters cannot be told apart in an address:
UNADDRESSABLE = "|/\\"

# A26 A filter on a property the site does not know may be ignored: rows are checked again here. An empty property
#     is found with `isEmpty:`. Of a contact's own members these are taken to work as filters, as attributes do.
CONTACT_FILTERS = {
    "FirstName": "FirstName",
    "LastName": "LastName",
    "Email": "Email",
    "Phone": "Phone",
    "Status": "Status",
    "OrganizationName": "OrganizationName",
}

# A27 No rate, no `Retry-After` and no time limit of the site is known: a pause asked for is obeyed up to this long.
LONGEST_PAUSE_S = 120.0

# Additional attributes of a contact for sites that do not describe Party (501): those seen in public code.
DEFAULT_ATTRIBUTES = {
    "CustomerTypeCode": "String",
    "JoinDate": "Date",
    "PaidThruDate": "Date",
    "RenewedThruDate": "Date",
    "Chapter": "String",
}

# Properties of Activity for sites that do not describe it, and of which none is more than attested.
DEFAULT_ACTIVITY = {
    "SEQN": "Integer",
    "PartyId": "String",
    "ACTIVITY_TYPE": "String",
    "TRANSACTION_DATE": "Date",
    "EFFECTIVE_DATE": "Date",
    "THRU_DATE": "Date",
    "TICKLER_DATE": "Date",
    "DESCRIPTION": "String",
    "NOTE": "String",
    "AMOUNT": "Monetary",
    "QUANTITY": "Decimal",
    "UF_1": "String",
    "UF_2": "String",
    "UF_3": "String",
    "UF_4": "String",
    "UF_5": "String",
    "UF_6": "String",
    "UF_7": "String",
}

# Own choices about kinds of record, where the public record is silent beside a few names:

# K1  An address of a Party: its fax is `Fax`. The marks for preferred mail, bills and shipping are `Reason`s in its
#     `CommunicationPreferences` (the member and its `Reason` are seen in public code, the words are not), and only one
#     address of a contact has each. A code that is written alone makes the name beside it void, and a name the code.
PREFERRED_REASONS = {"IsPreferredMail": "mail", "IsPreferredBill": "bill", "IsPreferredShip": "ship"}

# K2  Types of communication are listed at `CommunicationType` with `CommunicationTypeId` and one of these for the name.
#     A contact without an entry for a type has not said anything about it.
TYPE_NAMES = ("CommunicationTypeDisplay", "ReasonCode")

# K3  `Group` can be filtered by `GroupId` as it can by `Name`, and lists its `Roles` (`RoleId`, `Name`). The role
#     Member has this id where a group lists none (it is the same in ASI's examples and in public code). Without a date
#     a membership and a role begin today, in UTC. The last role that is deleted takes the membership with it.
MEMBER_ROLE = "Member"
MEMBER_ROLE_ID = "29AAE912-660E-4C53-B884-AD9EE27DEE0C"

# K4  No public source shows a relationship over REST. The `Relationship` table of iMIS is taken for a business object
#     with the columns of that table; a site that has it under another name is served by `{panel: NAME}`. The reciprocal
#     type is a column of the same row.
DEFAULT_RELATIONSHIP = {
    "SEQN": "Integer",
    "ID": "String",
    "RELATION_TYPE": "String",
    "TARGET_ID": "String",
    "TARGET_RELATION_TYPE": "String",
    "TITLE": "String",
    "EFFECTIVE_DATE": "Date",
    "THRU_DATE": "Date",
    "NOTE": "String",
}

# K5  `EventRegistration/{event}-{contact}` shows `Status` 1 for an active registration, and what was registered for in
#     `Functions[].EventFunction.EventFunctionCode`, with or without the event's code before it. Who registers and who
#     is billed is the registrant where nothing else is said. An `_execute` whose answer does not tell
#     `IsSuccessStatusCode` may have been carried out.
ACTIVE_REGISTRATION = 1
WITHOUT_PAYMENT = 3

# K6  The key of `User` is the contact's ID. A second login for a contact is refused with this word somewhere in the
#     answer, whatever its status. The members for locking a user are not known.
LOGIN_EXISTS = "DuplicateProviderUserKey"

# K7  A lookup value is `GenTableData`, with members named as the columns of the table: `Table_Name`, `Code`,
#     `Upper_Code`, `Description` are seen in public code, `Substitute` for the expansion is not. It is found by
#     `TableName`, and its key has two parts.
TABLE_NAMES = ("Table_Name", "TableName")

# K8  A drop-down from a query (`PropertyRuleQueryData`) has `Query.EntityTypeName`, `Query.Criteria` and
#     `ValuePropertyName`: seen in public code, where 3 is the only `Operation`, taken for "equals" here. Its codes are
#     then those of the rows at `/api/{EntityTypeName}` that meet the criteria. That the account may read that entity
#     over REST is not sure: a list that cannot be read is told, and not checked against.
EQUAL = 3

# Own choices about queries:

# Q1  A column of a query is known in its rows by its `Alias`, where it has none by its `Caption`, else its `Name`. Rows
#     are believed first; a definition only tells what no row shows, and counts with all the names that it has.

# The metadata of a single entity, taken where the list of all is not offered (501), does not tell what the entity hangs
# below: it is a contact if there is one of these properties.
PARTY_KEYS = frozenset({"ID", "PartyId"})
