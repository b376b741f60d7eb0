"""Deliveries that PostgreSQL does not take, each really tried."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from idms_cli.delivery import BadStep
from idms_cli.delivery.sql import attempt, postgresql
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, LoginRefused, OutcomeUnknown, Unreachable
from tests.delivery.cargo import destination
from tests.delivery.database.disk import small_disk
from tests.delivery.database.postgres import Database
from tests.delivery.database.proxy import Proxy
from tests.delivery.database.rows import MEMBERS, TWO, Numbered, refused, rows

Case = Callable[["Place"], IdmsError]

THERE = ("1", "there", "5.00", "2026-01-01")
"""The row that is in the table before."""


class Place:
    """A database with the table `members` and one row in it, and a wire to it."""

    def __init__(self, db: Database, proxy: Proxy, folder: Path) -> None:
        self.db = db
        self.proxy = proxy
        self.folder = folder
        db.make(f"{MEMBERS}; INSERT INTO members VALUES {THERE}")

    def refuses(self, step: str, given: object = TWO) -> IdmsError:
        return refused(step, given, self.folder)  # type: ignore[arg-type]

    def changed(self, sql: str) -> "Place":
        self.db.make(sql)
        return self


def _said(columns: str, *cells: object, **keys: object) -> Case:
    """What is said of a second row with these cells."""

    def case(place: Place) -> IdmsError:
        good = {"ID": "7", "Name": "Ann", "Paid": Decimal("1.5"), "Joined": "2026-01-02"}
        first = tuple(good[name] for name in columns.split())
        return place.refuses(place.db.step(**keys), rows(columns, first, cells))

    return case


def _step(given: object = TWO, before: str = "", **keys: object) -> Case:
    """What is said of such a step, after some SQL of the table's owner."""

    def case(place: Place) -> IdmsError:
        if before:
            place.db.make(before)
        return place.refuses(place.db.step(**keys), given)

    return case


def _password(place: Place) -> IdmsError:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDMS_TEST_DATABASE", "wrong")
        return place.refuses(place.db.step())


def _to(place: Place, **keys: object) -> IdmsError:
    return place.refuses(place.db.step(**keys))


def _missing_driver(place: Place) -> IdmsError:
    with pytest.raises(BadStep) as caught:
        destination("{to: oracle://feeds@db/?service_name=x, table: members, mode: append}", place.folder)
    return InputError(str(caught.value), hint=caught.value.hint)


def _as_keeper(sql: str, **keys: object) -> Case:
    """What is said after some SQL of the keeper of the cluster."""

    def case(place: Place) -> IdmsError:
        place.db.psql(sql.format(database=place.db.name))
        return place.refuses(place.db.step(**keys))

    return case


def _full(place: Place) -> IdmsError:
    """A tablespace of 4 MB."""
    db = place.db
    with small_disk(db.server.folder / f"small-{db.name}", options=",uid=postgres,gid=postgres,mode=0700") as small:
        db.psql(f"CREATE TABLESPACE {db.name} LOCATION '{small}'")
        try:
            db.psql(f"ALTER TABLE members SET TABLESPACE {db.name}")
            error = place.refuses(db.step(ledger=False), Numbered(60_000))
            db.psql("ALTER TABLE members SET TABLESPACE pg_default")
        finally:
            db.psql(f"DROP TABLESPACE {db.name}")
    return error


def _locked(place: Place) -> IdmsError:
    with psycopg.connect(
        host=str(place.db.server.folder), port=place.db.server.port, user="keeper", dbname=place.db.name
    ) as other:
        other.execute("LOCK TABLE members")
        return place.refuses(place.db.step(lock_timeout="1s"))


def _slow(place: Place) -> IdmsError:
    place.db.make(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); RETURN NEW; END';"
        "CREATE TRIGGER slow BEFORE INSERT ON members FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    return place.refuses(place.db.step(mode="upsert", key=["ID"], statement_timeout="1s"))


def quickly(patch: pytest.MonkeyPatch) -> None:
    """A silent server is given up after less than its time."""
    patch.setattr(attempt, "ANSWER_S", 0.1)
    patch.setattr(postgresql, "CANCEL_S", 0.2)


def _silent(place: Place) -> IdmsError:
    place.proxy.silent_after = 100_000
    with pytest.MonkeyPatch.context() as patch:
        quickly(patch)
        return place.refuses(place.db.plain(port=place.proxy.port, statement_timeout="1s"), Numbered(10_000))


def _cut(place: Place) -> IdmsError:
    place.proxy.cut_after = 100_000
    return place.refuses(place.db.plain(port=place.proxy.port), Numbered(10_000))


def _lost(place: Place) -> IdmsError:
    place.proxy.at_commit = "after"
    place.proxy.when_cut = lambda: setattr(place.proxy, "closed", True)
    error = place.refuses(place.db.plain(port=place.proxy.port))
    place.db.psql("DELETE FROM members WHERE id <> '1'")  # they are there, and that is what nobody could find out
    return error


def _unknown(place: Place) -> IdmsError:
    place.proxy.at_commit = "before"
    return place.refuses(place.db.plain(port=place.proxy.port, ledger=False))


_TWICE = rows("ID Name", ("101", "a"), ("102", "b"), ("101", "c"))

CASES: dict[str, tuple[type[IdmsError], Case]] = {
    "a wrong password": (LoginRefused, _password),
    "an account that may not log in from here": (
        LoginRefused,
        lambda place: _to(place, to=place.db.to(user="stranger")),
    ),
    "a database that is not there": (
        DeliveryRefused,
        lambda place: _to(place, to=f"postgresql://feeds@127.0.0.1:{place.db.server.port}/nowhere"),
    ),
    "nobody listens there": (Unreachable, lambda place: _to(place, to=place.db.to(port=1))),
    "a certificate of an unknown authority": (Unreachable, _step(ca_file=None, tls="verify")),
    "a certificate for another name": (Unreachable, lambda place: _to(place, to=place.db.to(host="localhost"))),
    "the driver is not installed": (InputError, _missing_driver),
    "no such table": (DeliveryRefused, _step(table="membrs")),
    "no such schema": (DeliveryRefused, _step(table="feed.members", before="CREATE SCHEMA feeds")),
    "a column that the table does not have": (DeliveryRefused, _step(rows("ID Nam", ("2", "Ann")))),
    "a column that must not be blank": (
        DeliveryRefused,
        _step(
            before="ALTER TABLE members ADD seen date NOT NULL DEFAULT now();"
            "ALTER TABLE members ALTER seen DROP DEFAULT"
        ),
    ),
    "a column that the database computes": (
        DeliveryRefused,
        _step(
            rows("ID twice", ("2", "4")),
            before="ALTER TABLE members ADD twice numeric GENERATED ALWAYS AS (paid * 2) STORED",
        ),
    ),
    "a key that the rows do not have": (InputError, _step(mode="upsert", key=["Code"])),
    "no unique index for an upsert": (DeliveryRefused, _step(mode="upsert", key=["Name"])),
    "a key that several rows have": (DeliveryRefused, _step(_TWICE, mode="upsert", key=["ID"])),
    "a blank key": (DeliveryRefused, _said("ID Name", None, "Ann", mode="upsert", key=["ID"])),
    "no rows in place of all": (DeliveryRefused, _step(rows("ID Name"), mode="replace")),
    "a value of the wrong type": (DeliveryRefused, _said("ID Paid", "2", "n/a")),
    "a number that would be rounded": (DeliveryRefused, _said("ID Paid", "2", Decimal("1.125"))),
    "a date in another way of writing": (DeliveryRefused, _said("ID Joined", "2", "02/01/2026")),
    "a text that is too long": (
        DeliveryRefused,
        lambda place: _said("ID Name", "2", "Bookbinding")(
            place.changed("ALTER TABLE members ALTER name TYPE varchar(5)")
        ),
    ),
    "a NUL character": (DeliveryRefused, _said("ID Name", "2", "A\0n")),
    "a row that is there already": (DeliveryRefused, _said("ID Name", "1", "Ann")),
    "a rule of the table": (
        DeliveryRefused,
        lambda place: _said("ID Paid", "2", -1)(place.changed("ALTER TABLE members ADD CHECK (paid > 0)")),
    ),
    "a row that it refers to is missing": (
        DeliveryRefused,
        _step(
            before="CREATE TABLE chapters (name text PRIMARY KEY); INSERT INTO chapters VALUES ('there');"
            "ALTER TABLE members ADD FOREIGN KEY (name) REFERENCES chapters"
        ),
    ),
    "an account that may not write": (
        DeliveryRefused,
        _as_keeper("ALTER TABLE members OWNER TO keeper; GRANT SELECT ON members TO feeds"),
    ),
    "an account that may not make the ledger": (
        DeliveryRefused,
        _as_keeper("ALTER SCHEMA public OWNER TO keeper; GRANT USAGE ON SCHEMA public TO feeds"),
    ),
    "a server that takes no writes": (
        DeliveryRefused,
        _as_keeper("ALTER DATABASE {database} SET default_transaction_read_only = on", ledger=False),
    ),
    "a full disk": (DeliveryRefused, _full),
    "a lock of another session": (Unreachable, _locked),
    "a statement that takes too long": (Unreachable, _slow),
    "a server that says nothing any more": (Unreachable, _silent),
    "a connection that is cut": (Unreachable, _cut),
    "a commit whose answer is lost, and nobody can ask": (Unreachable, _lost),
    "the same, without the ledger": (OutcomeUnknown, _unknown),
}
"""By the first column of README's table."""
