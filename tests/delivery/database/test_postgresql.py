"""Rows into PostgreSQL, read back with psql: three modes, types, names, tables that are made."""

import threading
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idms_cli.files.writers import Cells
from tests.conftest import until
from tests.delivery.cargo import ListRows, SampleCargo, delivery, destination
from tests.delivery.database.postgres import PASSWORD, USER, Database
from tests.delivery.database.rows import MEMBERS, TWO, Numbered, count, deliver, refused, rows, table


def session(db: Database) -> "psycopg.Connection[tuple[object, ...]]":
    """Another program's own connection."""
    return psycopg.connect(
        host="127.0.0.1", port=db.server.port, user=USER, password=PASSWORD, dbname=db.name, autocommit=True
    )


def test_rows_are_appended_and_psql_shows_the_same(db: Database, tmp_path: Path) -> None:
    db.make(MEMBERS)
    given = rows(
        "ID Name Paid Joined",
        ("00101", "Zoë «O'Néill»", Decimal("12.50"), "2026-03-01T00:00:00"),
        ("2", 'a "quote", a \\ backslash\\N', 7, "2026-12-31"),
        ("3", "two\nlines\r\nand\ta tab", None, None),
        ("4", "", "", ""),
        ("5", r"\N", Decimal("99999999.99"), " "),
        ("6", "\\.", "1e3", "2026-02-28T23:59:59.1234567Z"),
        ("7", None, False, None),
    )
    receipt = deliver(db.step(), given, tmp_path)
    assert (receipt.items, receipt.counts) == (7, {"inserted": 7})
    assert receipt.address == f"{db.to()}, table members"
    assert table(db) == [
        ("00101", "Zoë «O'Néill»", "12.50", "2026-03-01"),
        ("2", 'a "quote", a \\ backslash\\N', "7.00", "2026-12-31"),
        ("3", "two\nlines\r\nand\ta tab", "<null>", "<null>"),
        ("4", "", "<null>", "<null>"),
        ("5", r"\N", "99999999.99", "<null>"),
        ("6", "\\.", "1000.00", "2026-02-28"),
        ("7", "<null>", "0.00", "<null>"),
    ]


def test_each_type_takes_what_it_can_hold(db: Database, tmp_path: Path) -> None:
    db.make(
        "CREATE DOMAIN grade AS text CHECK (value IN ('A', 'B', '')); CREATE TYPE mood AS ENUM ('sad', 'ok');"
        "CREATE TABLE members (i integer, big numeric, f double precision, b boolean, t varchar(5), at timestamp,"
        "atz timestamptz, g grade, m mood, j json, u uuid, a text[], c char(3), y bytea, clock time)"
    )
    uid = "0df1bafd-896b-4f8e-b846-2530515551a0"
    given = rows(
        "i big f b t at atz g m j u a c y clock",
        (Decimal("10.0"), 12345678901234567890123456789, Decimal("0.1"), True, 5, "2026-01-02T03:04:05", "2026-07-01",
         "A", "ok", '{"a": "x\\ny"}', uid, '{a,"b c"}', "ab", "\\x00ff", "08:00"),
        ("7", Decimal("0.000000000000000000001"), "1e300", "Yes", Decimal("1E+2"), "2026-01-02 03:04",
         "2026-01-02T00:00:00-05:00", "", "sad", True, uid.upper(), "{}", "", "", ""),
        (True, "-5", 3, 0, False, None, "", "B", "", "", "", "", None, None, None),
    )  # fmt: skip
    deliver(db.step(), given, tmp_path)
    assert table(db, "SET TimeZone = 'UTC'; SELECT * FROM members") == [
        ("10", "12345678901234567890123456789", "0.1", "t", "5", "2026-01-02 03:04:05", "2026-07-01 00:00:00+00",
         "A", "ok", '{"a": "x\\ny"}', uid, '{a,"b c"}', "ab ", "\\x00ff", "08:00:00"),
        ("7", "0.000000000000000000001", "1e+300", "t", "100", "2026-01-02 03:04:00", "2026-01-02 05:00:00+00",
         "", "sad", "true", uid, "{}", "   ", "<null>", "<null>"),
        ("1", "-5", "3", "f", "false", "<null>", "<null>", "B", "<null>", "<null>", "<null>", "<null>", "<null>",
         "<null>", "<null>"),
    ]  # fmt: skip


def test_a_time_without_an_offset_is_by_the_clock_of_the_job(db: Database, tmp_path: Path) -> None:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    db.make("CREATE TABLE members (at timestamptz)")
    values = {"now": datetime(2026, 7, 1, tzinfo=ZoneInfo("America/New_York"))}
    given = SampleCargo(rows=rows("at", ("2026-07-01T12:00:00",)))
    destination(db.step(), tmp_path).deliver(given, delivery(tmp_path, values=values))
    assert db.psql("SELECT at AT TIME ZONE 'UTC' FROM members") == "2026-07-01 16:00:00"


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.none() | st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))),
        min_size=1,
        max_size=700,
    )
)
def test_any_text_comes_back_as_it_was(
    db: Database, tmp_path_factory: pytest.TempPathFactory, cells: list[Cells]
) -> None:
    db.psql("DROP TABLE IF EXISTS members")
    db.make("CREATE TABLE members (n serial, t text)")
    deliver(db.step(ledger=False), rows("t", *cells), tmp_path_factory.mktemp("text"))
    with session(db) as reader:
        assert reader.execute("SELECT t FROM members ORDER BY n").fetchall() == cells


def test_columns_are_found_without_regard_to_case_and_in_any_order(db: Database, tmp_path: Path) -> None:
    db.make(
        'CREATE TABLE "Members" ("Full Name" text, id text, "100%" text, "say ""hi""" text, rest text DEFAULT \'x\')'
    )
    given = ListRows(("ID", "100%", "FULL NAME", 'say "hi"'), (("1", "half", "Zoë", "hi"),))
    deliver(db.step(table="members"), given, tmp_path)
    assert table(db, 'SELECT * FROM "Members"') == [("Zoë", "1", "half", "hi", "x")]


def test_a_table_of_another_schema_is_named_with_it(db: Database, tmp_path: Path) -> None:
    db.make(f"CREATE SCHEMA feeds; {MEMBERS.replace('members', 'feeds.members')}")
    deliver(db.step(table="feeds.members"), TWO, tmp_path)
    assert count(db, "feeds.members") == 2
    assert count(db, "feeds.idms_deliveries") == 1


def test_replace_puts_the_rows_in_place_of_all_and_readers_see_the_old_ones_until_then(
    db: Database, tmp_path: Path
) -> None:
    db.make(f"{MEMBERS}; INSERT INTO members (id) VALUES ('old')")
    seen = []
    given = Numbered(1200, lambda number: number == 1100 and seen.append(table(db, "SELECT id FROM members")))
    receipt = deliver(db.step(mode="replace"), given, tmp_path)
    assert seen == [[("old",)]]
    assert receipt.counts == {"inserted": 1200, "deleted": 1}
    assert count(db) == 1200


def test_two_that_replace_at_once_come_one_after_the_other(db: Database, tmp_path: Path) -> None:
    db.make(MEMBERS.replace(" PRIMARY KEY", ""))
    (tmp_path / "other").mkdir()
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

    def second(number: int) -> None:
        if number == 5:
            thread.start()
            until(lambda: db.psql(waits) == "1")

    thread = threading.Thread(target=deliver, args=(db.step(mode="replace"), TWO, tmp_path / "other"))
    deliver(db.step(mode="replace"), Numbered(10, second), tmp_path)
    thread.join(30)
    assert [row[0] for row in table(db)] == ["101", "102"]


def test_no_rows_empty_a_table_only_where_that_is_allowed(db: Database, tmp_path: Path) -> None:
    db.make(f"{MEMBERS}; INSERT INTO members (id) VALUES ('old')")
    none = rows("ID Name")
    error = refused(db.step(mode="replace"), none, tmp_path)
    assert "would empty it" in str(error)
    assert count(db) == 1
    assert deliver(db.step(mode="append"), none, tmp_path).items == 0
    assert deliver(db.step(mode="replace", empty="allow"), none, tmp_path).counts == {"deleted": 1}
    assert count(db) == 0


def test_upsert_adds_changes_and_leaves_alone(db: Database, tmp_path: Path) -> None:
    db.make(f"{MEMBERS}; INSERT INTO members VALUES ('101', 'Old', 5), ('102', 'Ann', 6), ('9', 'Other', 7)")
    before = dict(table(db, "SELECT id, xmin FROM members"))
    receipt = deliver(db.step(mode="upsert", key=["id"]), rows("ID Name", *TWO.cells, ("103", "New")), tmp_path)
    assert receipt.counts == {"inserted": 1, "updated": 1, "unchanged": 1}
    assert table(db, "SELECT id, name, paid FROM members ORDER BY 1") == [
        ("101", "Zoë", "5.00"),
        ("102", "Ann", "6.00"),
        ("103", "New", "<null>"),
        ("9", "Other", "7.00"),
    ]
    after = dict(table(db, "SELECT id, xmin FROM members"))
    assert after["102"] == before["102"]  # its row was not even written


def test_upsert_by_several_columns_in_any_unique_index(db: Database, tmp_path: Path) -> None:
    db.make(
        "CREATE TABLE members (course text, id integer, grade text, more json);"
        "CREATE UNIQUE INDEX ON members (course, id)"
    )
    step = db.step(mode="upsert", key=["ID", "Course"])
    deliver(step, rows("ID Course Grade More", (1, "a", "B", '{"x": 1}'), (1, "b", "C", None)), tmp_path)
    receipt = deliver(step, rows("ID Course Grade More", (1, "a", "A", '{"x": 1}'), (1, "b", "C", None)), tmp_path)
    assert receipt.counts == {"updated": 1, "unchanged": 1}
    assert table(db, "SELECT grade FROM members ORDER BY course") == [("A",), ("C",)]


def test_rows_that_vanished_are_deleted_by_their_key(db: Database, tmp_path: Path) -> None:
    """As a delta gives them: the key, and nothing else."""
    db.make("CREATE TABLE members (id integer PRIMARY KEY, name text NOT NULL)")
    db.make("INSERT INTO members VALUES (1, 'gone'), (2, 'Old'), (3, 'Other')")
    given = rows(
        "change ID Name", ("vanished", "1", None), ("changed", 2, "New"), ("new", 4, "Zoë"), ("vanished", 9, None)
    )
    step = db.step(mode="upsert", key=["ID"], delete_vanished="Change")
    assert deliver(step, given, tmp_path).counts == {"inserted": 1, "updated": 1, "deleted": 1}
    assert table(db) == [("2", "New"), ("3", "Other"), ("4", "Zoë")]
    assert deliver(step, given, tmp_path).counts == {"unchanged": 2}
    error = refused(step, rows("change ID Name", ("vanished", 2, None), ("new", 2, "x")), tmp_path)
    assert "2 rows have id 2" in str(error)
    error = refused(step, rows("change ID Name", ("new", 5, None)), tmp_path)
    assert 'null value in column "name"' in str(error)
    assert count(db) == 3


def test_a_table_that_is_made_has_no_column_for_what_vanished(db: Database, tmp_path: Path) -> None:
    step = db.step(mode="upsert", key=["ID"], delete_vanished="change", create=True)
    deliver(step, rows("ID change Name", ("1", "new", "Zoë"), ("2", "vanished", None)), tmp_path)
    assert table(db) == [("1", "Zoë")]


def test_upsert_of_keys_alone(db: Database, tmp_path: Path) -> None:
    db.make(f"{MEMBERS}; INSERT INTO members (id) VALUES ('1')")
    receipt = deliver(db.step(mode="upsert", key=["ID"]), rows("ID", ("1",), ("2",)), tmp_path)
    assert receipt.counts == {"inserted": 1, "unchanged": 1}


def test_upsert_into_partitions_and_generated_keys(db: Database, tmp_path: Path) -> None:
    db.make(
        "CREATE TABLE members (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text,"
        "twice integer GENERATED ALWAYS AS (id * 2) STORED) PARTITION BY RANGE (id);"
        "CREATE TABLE low PARTITION OF members FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE high PARTITION OF members FOR VALUES FROM (10) TO (99)"
        if int(db.psql("SHOW server_version_num")) >= 170000
        else "CREATE TABLE members (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text,"
        "twice integer GENERATED ALWAYS AS (id * 2) STORED)"
    )
    step = db.step(mode="upsert", key=["id"])
    deliver(step, rows("id name", (1, "a"), (11, "b")), tmp_path)
    assert deliver(step, rows("id name", (1, "A"), (12, "c")), tmp_path).counts == {"inserted": 1, "updated": 1}
    assert table(db) == [("1", "A", "2"), ("11", "b", "22"), ("12", "c", "24")]


def test_a_table_that_is_not_there_is_made_from_the_rows(db: Database, tmp_path: Path) -> None:
    given = rows(
        "ID Name Paid Ok Joined Nothing Mixed",
        ("1", "Zoë", Decimal("1.25"), True, "2026-01-02T00:00:00", None, 1),
        ("2", None, 12345678901234567890, None, "2026-01-03", None, "x"),
    )
    step = db.step(mode="upsert", key=["ID"], create=True, columns={"joined": "date"})
    told: list[str] = []
    deliver(step, given, tmp_path, told=told)
    own = "attrelid = 'members'::regclass AND attnum > 0"
    types = f"SELECT attname, atttypid::regtype, attnotnull FROM pg_attribute WHERE {own}"
    assert table(db, types) == [
        ("ID", "text", "t"),
        ("Name", "text", "f"),
        ("Paid", "numeric", "f"),
        ("Ok", "boolean", "f"),
        ("Joined", "date", "f"),
        ("Nothing", "text", "f"),
        ("Mixed", "text", "f"),
    ]
    assert table(db) == [
        ("1", "Zoë", "1.25", "t", "2026-01-02", "<null>", "1"),
        ("2", "<null>", "12345678901234567890", "<null>", "2026-01-03", "<null>", "x"),
    ]
    assert told[0].startswith('table members was not there; it is made: "ID" text NOT NULL, ')
    assert deliver(step, given, tmp_path).counts == {"unchanged": 2}


def test_a_made_table_is_gone_with_rows_that_are_refused(db: Database, tmp_path: Path) -> None:
    step = db.step(create=True, columns={"Paid": "numeric(5,2)"})
    refused(step, rows("Paid", ("1",), ("x",)), tmp_path)
    assert db.psql("SELECT to_regclass('members')") == ""


def test_a_dry_run_says_what_would_be_done_and_asks_nobody(db: Database, tmp_path: Path) -> None:
    there = destination(db.step(mode="upsert", key=["ID"], to=db.to(port=1)), tmp_path)
    assert there.rehearse(SampleCargo(rows=TWO), delivery(tmp_path)) == (
        f"would write 2 rows, each over the one of its key (ID), into table members of {db.to(port=1)}"
    )
    assert there.describe() == f"{db.to(port=1)}, table members"
    assert there.resource() == f"postgresql://127.0.0.1:1/{db.name}/members"


def test_the_way_is_encrypted_and_the_server_the_right_one_by_default(db: Database, tmp_path: Path) -> None:
    db.make(MEMBERS)
    seen = []
    used = "SELECT bool_or(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = current_database()"
    deliver(db.step(), Numbered(3, lambda number: number == 1 and seen.append(db.psql(used))), tmp_path)
    assert seen == ["t"]


def test_a_socket_of_this_machine_needs_neither_password_nor_certificate(db: Database, tmp_path: Path) -> None:
    db.psql(MEMBERS)
    to = f"postgresql://keeper@:{db.server.port}/{db.name}?host={db.server.folder}"
    deliver(db.step(to=to, auth=None, ca_file=None), TWO, tmp_path)
    assert count(db) == 2
