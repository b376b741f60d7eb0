"""Queries under `$/Idms`: what they select, and the two endpoints that run them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from idms_cli.sandbox.definitions import ACTIVITY, MEMBERSHIP, PARTY, SCORES, Entity, Property
from idms_cli.sandbox.filters import Condition, equals


@dataclass(frozen=True)
class Column:
    """One column: a property of the query's own entity, or of another one joined by the contact's ID."""

    alias: str
    property: str
    entity: Entity | None = None
    """`PARTY` or a single-instance panel; None for the query's own entity."""

    def kind(self, own: Entity) -> Property:
        """Type and lengths of what it shows."""
        found = (self.entity or own).property_named(self.property)
        if found is None:
            raise LookupError(self.property)
        return found


@dataclass(frozen=True)
class Query:
    """A query as the site's query tool would hold it. Its rows come in the order of its entity's table.

    An alias that is there twice gets the number of its column in the rows: `FullName5`.
    """

    path: str
    entity: Entity
    columns: tuple[Column, ...]
    conditions: Callable[[datetime], tuple[Condition, ...]] = lambda _now: ()
    prompts: tuple[Column, ...] = ()
    """In order; an empty answer means "all"."""
    rest: bool = True
    """"Available via the REST API" (https://developer.imis.com/changelog)."""
    readers: frozenset[str] | None = None
    """Who may run it; None for everybody. Anybody else is answered 403: our choice, no public source says it."""
    sparse: bool = False
    """Leave out of a flat row what is null, rather than send it (assumption A9)."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def named_columns(self) -> tuple[tuple[str, Column], ...]:
        """Each column with its name in rows."""
        names: list[str] = []
        for number, column in enumerate(self.columns, start=1):
            names.append(f"{column.alias}{number}" if column.alias in names else column.alias)
        return tuple(zip(names, self.columns, strict=True))


def columns(entity: Entity, names: str) -> tuple[Column, ...]:
    """Columns of one entity under their own names, from one line of them."""
    return tuple(Column(name, name, entity) for name in names.split())


def _completed_today(now: datetime) -> tuple[Condition, ...]:
    midnight = now.astimezone(UTC).date().isoformat() + "t00:00:00"
    return (equals("ACTIVITY_TYPE", "EDUC"), Condition("TRANSACTION_DATE", "at least", (midnight,)))


MEMBER_TYPE = Column("MemberType", "CustomerTypeCode", PARTY)
FULL_NAME = Column("FullName", "Name", PARTY)

QUERIES = (
    Query(
        "$/Idms/Members",
        PARTY,
        (
            *columns(PARTY, "ID FirstName LastName Email"),
            FULL_NAME,
            MEMBER_TYPE,
            Column("Standing", "Standing", MEMBERSHIP),
            Column("PaidThru", "PaidThru", MEMBERSHIP),
        ),
        lambda _now: (equals("IsOrganization", False),),
    ),
    Query(
        "$/Idms/Lapsed members",
        MEMBERSHIP,
        (Column("ID", "ID"), FULL_NAME, MEMBER_TYPE, Column("PaidThru", "PaidThru"), Column("Standing", "Standing")),
        lambda _now: (equals("Standing", "LAPSED"),),
        prompts=(MEMBER_TYPE,),
    ),
    Query(
        "$/Idms/Completed today",
        ACTIVITY,
        (
            Column("SEQN", "SEQN"),
            Column("ID", "PartyId"),
            FULL_NAME,
            Column("Email", "Email", PARTY),
            Column("Course", "DESCRIPTION"),
            Column("CompletedOn", "TRANSACTION_DATE"),
            Column("Hours", "QUANTITY"),
        ),
        _completed_today,
    ),
    Query(
        "$/Idms/Completions",
        ACTIVITY,
        (
            Column("SEQN", "SEQN"),
            Column("ID", "PartyId"),
            FULL_NAME,
            Column("Code", "PRODUCT_CODE"),
            Column("Course", "DESCRIPTION"),
            Column("CompletedOn", "TRANSACTION_DATE"),
            Column("Hours", "QUANTITY"),
        ),
        lambda _now: (equals("ACTIVITY_TYPE", "EDUC"), equals("SOURCE_CODE", "LMS")),
    ),
    Query(
        "$/Idms/Member feed",
        PARTY,
        (
            *columns(PARTY, "ID NamePrefix FirstName LastName Email Phone Chapter JoinDate UpdatedOn"),
            MEMBER_TYPE,
            Column("PaidThru", "PaidThru", MEMBERSHIP),
            Column("Newsletter", "Newsletter", MEMBERSHIP),
        ),
        lambda _now: (equals("IsOrganization", False), equals("Status", "A")),
    ),
    Query(
        "$/Idms/Contacts by status",
        PARTY,
        (Column("ID", "ID"), FULL_NAME, Column("Status", "Status"), MEMBER_TYPE),
        lambda _now: (equals("IsOrganization", False),),
        prompts=(Column("Status", "Status"),),
    ),
    Query("$/Idms/Scores", SCORES, tuple(Column(each.name, each.name) for each in SCORES.properties)),
    Query("$/Idms/Not for REST", PARTY, columns(PARTY, "ID Name"), rest=False),
    Query("$/Idms/Not for all", PARTY, columns(PARTY, "ID Name"), readers=frozenset({"MANAGER"})),
)
"""The queries of the site. To add one: one more here, or `Sandbox.add_query`."""
