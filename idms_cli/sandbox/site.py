"""The sandbox itself: its settings, its records, and what tests and the command do with it."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from idms_cli.errors import InputError
from idms_cli.sandbox import savefile
from idms_cli.sandbox.contracts import CONTRACTS
from idms_cli.sandbox.definitions import ENTITIES, Entity
from idms_cli.sandbox.faults import Faults
from idms_cli.sandbox.ledger import Ledger, Write
from idms_cli.sandbox.parties import Parties
from idms_cli.sandbox.queries import QUERIES, Query
from idms_cli.sandbox.seed import fill
from idms_cli.sandbox.tables import Table
from idms_cli.sandbox.tokens import Tokens
from idms_cli.sandbox.values import BadValueError, Row, Scalar, typed

USER = "idms-background"
PASSWORD = "sandbox"  # noqa: S105  the sandbox's own, printed where it starts
TWO_WEEKS_S = 14 * 24 * 3600 - 1
INBOX = 1_000
"""Bodies that are kept of what was sent to the inbox."""


def utc_now() -> datetime:
    """The clock that a sandbox reads unless it is given another."""
    return datetime.now(UTC)


@dataclass
class Sandbox:
    """A small iMIS site in memory. Thread-safe.

    What the public record of iMIS leaves open, or older versions do otherwise, is a setting here: `put_missing`,
    `put_status`, `one_token_per_user`, `unknown_query_status`, `query_service`, `describes_queries`.
    """

    users: Mapping[str, str] = field(default_factory=lambda: {USER: PASSWORD})
    """User name -> password."""
    clients: Mapping[str, str] = field(default_factory=lambda: {"sandbox-client": "sandbox-secret"})
    """Client applications, for the refresh grant."""
    members: int = 300
    seed: int = 1
    faults_at: Mapping[str, float] = field(default_factory=dict)
    """Fault name -> rate; see `faults.FAULTS`."""
    latency_s: float = 0.0
    """Added to every request."""
    slow_s: float = 3.0
    """How long the fault `slow-page` takes."""
    put_status: int = 200
    put_missing: Literal["keep", "blank"] = "keep"
    token_life_s: int = TWO_WEEKS_S
    one_token_per_user: bool = True
    unknown_query_status: int = 400
    query_service: bool = True
    """Whether there is `/api/query`, and not only `/api/iqa`."""
    describes_queries: bool = True
    """Whether `QueryDefinition` answers, or refuses with 403 as to a public user."""
    data: Path | None = None
    """File to load from, and to save to."""
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._stopping = threading.Event()
        self.ledger = Ledger()
        self.inbox: deque[Any] = deque(maxlen=INBOX)
        """What was sent to `/_sandbox/inbox`, newest last: a receiver for transfers."""
        self.faults = Faults(self.faults_at, seed=self.seed)
        self.tokens = Tokens(
            self.users,
            self.clients,
            life_s=self.token_life_s,
            one_per_user=self.one_token_per_user,
            clock=self.clock,
        )
        self.tables = {entity.name: Table(entity) for entity in (*ENTITIES, *CONTRACTS)}
        self.parties = Parties()
        self.queries: dict[str, Query] = {}
        for query in QUERIES:
            self.add_query(query)
        if self.data is not None and self.data.exists():
            savefile.load(self.data, self.tables, self.parties)
        else:
            fill(self.tables, self.parties, members=self.members, seed=self.seed, now=self.clock())

    @property
    def writes(self) -> list[Write]:
        """What was stored over the wire, in order."""
        return list(self.ledger.writes)

    @property
    def calls(self) -> dict[str, Any]:
        """Counts of requests, tokens, refused logins and faults, as JSON."""
        return {
            **self.ledger.snapshot(),
            "tokens": self.tokens.issued,
            "refused_logins": self.tokens.refused,
            "faults": dict(sorted(self.faults.struck.items())),
        }

    def reset(self) -> None:
        """Start counting from nought; records, tokens and rates stay."""
        self.ledger.reset()
        self.tokens.reset_counts()
        self.faults.reset_counts()

    def set_fault(self, name: str, rate: float) -> None:
        """Make a fault happen at this rate from now on. Raises `InputError`."""
        self.faults.set(name, rate)

    def add_query(self, query: Query) -> None:
        """Make a query known under its path, in place of one that has the same."""
        self.queries[query.path.lower()] = query

    def add_entity(self, entity: Entity) -> None:
        """Make a business object known, without rows."""
        self.tables[entity.name] = Table(entity)

    def rows(self, entity: str) -> list[Row]:
        """All rows of an entity, or of `Party`, flat and in order; copies. Raises `InputError`."""
        with self.lock:
            return [dict(row) for row in self.table(entity).rows.values()]

    def add_rows(self, entity: str, rows: Iterable[Mapping[str, Scalar]]) -> int:
        """Put rows into a panel or `Activity` as they are, without the checks of a POST, and return how many.

        An Ordinal or SEQN that is left out is given. Raises `InputError` for an unknown entity, property or bad value.
        """
        with self.lock:
            table = self.table(entity)
            if table is self.parties.table:
                raise InputError("Contacts cannot be loaded as rows.", hint="POST them to /api/Party.")
            count = 0
            for row in rows:
                _add(table, row)
                count += 1
            return count

    def table(self, entity: str) -> Table:
        """The rows of an entity by its name in any case. Raises `InputError`."""
        table = self.table_named(entity)
        if table is None:
            names = ", ".join(self.tables)
            raise InputError(f"There is no entity named {entity!r}.", hint=f"Entities are: Party, {names}.")
        return table

    def table_named(self, entity: str) -> Table | None:
        """The rows of an entity by its name in any case, None when there is no such entity."""
        if entity.lower() == "party":
            return self.parties.table
        return next((table for name, table in self.tables.items() if name.lower() == entity.lower()), None)

    def pause(self, seconds: float) -> None:
        """Wait, unless the server stops meanwhile."""
        self._stopping.wait(seconds)

    def stop_pauses(self, *, stop: bool = True) -> None:
        """End all pauses at once, and those to come; or let them be again."""
        (self._stopping.set if stop else self._stopping.clear)()

    def save(self) -> None:
        """Write all records to the data file, if there is one."""
        if self.data is not None:
            with self.lock:
                savefile.save(self.data, self.tables, self.parties)


def _add(table: Table, values: Mapping[str, Scalar]) -> None:
    row = table.empty_row()
    for name, value in values.items():
        kind = table.entity.property_named(name)
        if kind is None:
            raise InputError(f"{table.entity.name} has no property {name!r}.")
        try:
            row[kind.name] = typed(kind, value)
        except BadValueError:
            raise InputError(f"{table.entity.name} cannot hold {value!r} as {name}.") from None
    if table.numbered_by and row[table.numbered_by] is None:
        table.number(row)
    table.put(row)
