"""Cut, killed, stopped at any moment and gone on with: the rows are in PostgreSQL once, or not at all."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from idms_cli.errors import Interrupted, OutcomeUnknown, Unreachable
from tests.conftest import until
from tests.delivery.cargo import SampleCargo, delivery, destination
from tests.delivery.database.messages import quickly
from tests.delivery.database.postgres import Database
from tests.delivery.database.proxy import Proxy
from tests.delivery.database.rows import MEMBERS, TWO, Numbered, count, deliver, refused, rows, table

CHILD = """\
import sys, time
from pathlib import Path
from tests.delivery.database.rows import Numbered, deliver

def at(number):
    if number == int(sys.argv[3]):
        Path(sys.argv[1], "reached").touch()
        time.sleep(60)

deliver(sys.argv[2], Numbered(2000, at), Path(sys.argv[1]))
"""


def _child(step: str, folder: Path, *, stands_still_at: int = -1) -> "subprocess.Popen[bytes]":
    """A process of its own that delivers 2,000 rows."""
    command = [sys.executable, "-c", CHILD, str(folder), step, str(stands_still_at)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[3], env=os.environ)


@pytest.mark.parametrize("mode", ["append", "replace", "upsert"])
def test_killed_in_the_middle_nothing_is_there_and_the_next_attempt_brings_all(
    db: Database, tmp_path: Path, mode: str
) -> None:
    db.make(f"{MEMBERS}; INSERT INTO members (id) VALUES ('M5'), ('old')")
    if mode == "append":
        db.make("DELETE FROM members WHERE id = 'M5'")
    before = table(db)
    step = db.step(mode=mode, key=["ID"] if mode == "upsert" else None)
    child = _child(step, tmp_path, stands_still_at=1700)
    until((tmp_path / "reached").exists)
    child.send_signal(signal.SIGKILL)
    child.wait(30)
    assert table(db) == before
    deliver(step, Numbered(2000), tmp_path)
    assert count(db) == {"append": 2001, "replace": 2000, "upsert": 2001}[mode]
    assert db.psql("SELECT count(DISTINCT id) FROM members") == str(count(db))


def test_killed_after_the_commit_and_before_its_answer_nothing_comes_twice(
    db: Database, proxy: Proxy, tmp_path: Path
) -> None:
    db.make(MEMBERS.replace(" PRIMARY KEY", ""))
    proxy.at_commit = "after"
    children: list[subprocess.Popen[bytes]] = []
    proxy.when_cut = lambda: os.kill(children[0].pid, signal.SIGKILL)
    children.append(_child(db.plain(port=proxy.port), tmp_path))
    assert children[0].wait(30) == -signal.SIGKILL
    assert count(db) == 2000
    told: list[str] = []
    assert deliver(db.plain(port=proxy.port), Numbered(2000), tmp_path, told=told).counts == {"inserted": 2000}
    assert count(db) == 2000
    assert told == ["idms_deliveries says that an earlier attempt committed this: nothing is sent again"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mode", ["append", "replace", "upsert"])
def test_a_commit_whose_answer_is_lost_is_found_out_at_once(
    db: Database, proxy: Proxy, tmp_path: Path, mode: str, when: str
) -> None:
    db.make(MEMBERS)
    proxy.at_commit = when  # type: ignore[assignment]
    told: list[str] = []
    deliver(db.plain(port=proxy.port, mode=mode, key=["ID"] if mode == "upsert" else None), TWO, tmp_path, told=told)
    assert proxy.at_commit == ""
    assert told[0] == "the answer to the commit was lost: the database is asked whether it took place"
    assert [row[:2] for row in table(db)] == [("101", "Zoë"), ("102", "Ann")]


def test_a_delivery_that_was_committed_is_known_even_when_its_table_is_gone(db: Database, tmp_path: Path) -> None:
    db.make(MEMBERS)
    deliver(db.step(), TWO, tmp_path)
    db.make("ALTER TABLE members RENAME TO taken")
    assert deliver(db.step(), TWO, tmp_path).counts == {"inserted": 2}


@pytest.mark.parametrize("when", ["before", "after"])
def test_without_a_ledger_a_lost_commit_stays_unknown_to_every_attempt(
    db: Database, proxy: Proxy, tmp_path: Path, when: str
) -> None:
    db.make(MEMBERS)
    step = db.plain(port=proxy.port, ledger=False)
    proxy.at_commit = when  # type: ignore[assignment]
    for _ in range(2):
        assert isinstance(refused(step, TWO, tmp_path), OutcomeUnknown)
    assert count(db) == {"before": 0, "after": 2}[when]


def test_without_a_ledger_a_commit_that_was_answered_is_known(db: Database, tmp_path: Path) -> None:
    db.make(f"{MEMBERS}; ALTER TABLE members ADD CONSTRAINT once UNIQUE (name) DEFERRABLE INITIALLY DEFERRED")
    step = db.step(ledger=False)
    doubled = rows("ID Name", ("1", "Ann"), ("2", "Ann"))
    assert "violates unique constraint" in str(refused(step, doubled, tmp_path))  # told at the commit
    assert deliver(step, TWO, tmp_path) == deliver(step, TWO, tmp_path)
    assert count(db) == 2
    assert count(db, "pg_tables WHERE tablename = 'idms_deliveries'") == 0


def test_a_lost_commit_that_nobody_could_ask_about_is_found_out_by_the_next_attempt(
    db: Database, proxy: Proxy, tmp_path: Path
) -> None:
    db.make(MEMBERS.replace(" PRIMARY KEY", ""))
    step = db.plain(port=proxy.port)
    proxy.at_commit = "after"
    proxy.when_cut = lambda: setattr(proxy, "closed", True)
    error = refused(step, TWO, tmp_path)
    assert isinstance(error, Unreachable)
    assert error.hint == "Let the run go on: the next attempt of this run finds out."
    proxy.closed = False
    deliver(step, TWO, tmp_path)
    assert count(db) == 2


def test_an_attempt_that_is_still_at_work_in_the_database_is_waited_for(db: Database, tmp_path: Path) -> None:
    """Its client is gone, and the server does not know it yet."""
    db.make(MEMBERS.replace(" PRIMARY KEY", ""))
    deliver(db.step(), Numbered(0), tmp_path)
    destination(db.step(), tmp_path).deliver(SampleCargo(rows=TWO), delivery(tmp_path))
    own = (tmp_path / "step/delivery.id").read_text()
    db.make("DELETE FROM members; DELETE FROM idms_deliveries")
    with psycopg.connect(host=str(db.server.folder), port=db.server.port, user="keeper", dbname=db.name) as ghost:
        ghost.execute("INSERT INTO idms_deliveries VALUES (%s, 1, '', '', '', 2, now())", (own,))
        ghost.execute("INSERT INTO members (id) VALUES ('101'), ('102')")
        assert "another session keeps table members locked" in str(refused(db.step(lock_timeout="1s"), TWO, tmp_path))
        ghost.commit()
    deliver(db.step(), TWO, tmp_path)
    assert count(db) == 2


def test_deliveries_of_two_installations_are_not_taken_for_each_other(db: Database, tmp_path: Path) -> None:
    """Both have a run 7 of a job of the same name."""
    db.make(MEMBERS.replace(" PRIMARY KEY", ""))
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        deliver(db.step(), TWO, tmp_path / name)
    assert count(db) == 4
    assert (
        table(db, "SELECT run, step, job, target, rows, at <= now() FROM idms_deliveries")
        == [("7", "step", "feed", "members", "2", "t")] * 2
    )


def test_the_ledger_that_somebody_made_from_the_hint_is_used(db: Database, tmp_path: Path) -> None:
    db.make(MEMBERS)
    db.psql("ALTER SCHEMA public OWNER TO keeper; GRANT USAGE ON SCHEMA public TO feeds")
    error = refused(db.step(), TWO, tmp_path)
    sql = error.hint.removeprefix("Have it made once: ").removesuffix("Or do without: `ledger: false`.")
    db.psql(sql)
    deliver(db.step(), TWO, tmp_path)
    assert count(db) == count(db, "idms_deliveries") * 2 == 2
    (tmp_path / "more").mkdir()
    deliver(db.step(ledger=False, mode="upsert", key=["ID"]), TWO, tmp_path / "more")


def test_a_wire_that_is_cut_in_tls_leaves_the_table_as_it_was(db: Database, proxy: Proxy, tmp_path: Path) -> None:
    db.make(f"{MEMBERS}; INSERT INTO members (id) VALUES ('old')")
    for bytes_sent in (60, 5_000, 200_000):  # before the login, at the look, in the rows
        proxy.cut_after = bytes_sent
        assert isinstance(refused(db.step(to=db.to(port=proxy.port)), Numbered(10_000), tmp_path), Unreachable)
        assert proxy.cut_after is None
        assert count(db) == 1
    deliver(db.step(to=db.to(port=proxy.port)), Numbered(10_000), tmp_path)
    assert count(db) == 10_001


def test_a_server_that_goes_silent_in_tls_is_given_up(
    db: Database, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    db.make(MEMBERS)
    for bytes_sent in (6_000, 300_000):
        proxy.silent_after = bytes_sent
        error = refused(db.step(to=db.to(port=proxy.port), statement_timeout="1s"), Numbered(20_000), tmp_path)
        assert isinstance(error, Unreachable)
        assert "nothing came from the database" in str(error)
        assert count(db) == 0


def test_a_server_that_is_ended_in_the_middle_is_out_of_reach(db: Database, tmp_path: Path) -> None:
    db.make(MEMBERS)
    ours = "application_name = 'idms' AND datname = current_database()"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"
    given = Numbered(5_000, lambda number: number == 2_000 and db.psql(end))
    assert isinstance(refused(db.step(), given, tmp_path), Unreachable)
    assert count(db) == 0


def test_a_run_that_is_to_end_ends_between_rows(db: Database, tmp_path: Path) -> None:
    db.make(MEMBERS)
    asked: list[int] = []
    given = Numbered(5_000, lambda number: number == 2_000 and asked.append(number))
    error = refused(db.step(), given, tmp_path, stopping=lambda: bool(asked))
    assert isinstance(error, Interrupted)
    assert count(db) == 0
    deliver(db.step(), Numbered(5_000), tmp_path)
    assert count(db) == 5_000


def test_a_run_that_is_to_end_does_not_wait_for_a_lock(db: Database, tmp_path: Path) -> None:
    db.make(MEMBERS)
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with psycopg.connect(host=str(db.server.folder), port=db.server.port, user="keeper", dbname=db.name) as other:
        other.execute("LOCK TABLE members")
        error = refused(db.step(), TWO, tmp_path, stopping=lambda: db.psql(waits) == "1")
    assert isinstance(error, Interrupted)
    assert count(db) == 0


def test_the_passwords_are_in_no_message_log_or_ledger(db: Database, tmp_path: Path) -> None:
    db.make(MEMBERS)
    told: list[str] = []
    receipt = deliver(db.step(create=True), TWO, tmp_path, told=told)
    kept = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    everything = json.dumps([receipt.address, told, kept, db.psql("SELECT * FROM idms_deliveries")])
    assert "h@rse" not in everything
