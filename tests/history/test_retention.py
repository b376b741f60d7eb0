"""What the history lets go, and what it never does."""

from dataclasses import replace
from pathlib import Path

import pytest

from idms_cli.history.rows import NewRun, Verdict, Wanted
from idms_cli.history.store import Store

NOON = 1_796_385_600  # 2026-12-04 12:00 UTC
LOCKS = """[{"resource": "file:/s.csv", "write": false}, {"resource": "imis:old/x", "write": false},
{"resource": "imis:live/abc_scores", "write": true}, {"resource": "imis:live/y", "write": true}]"""
DAY = 86_400


def _ended(store: Store, new: NewRun, at: float, status: str = "completed") -> int:
    with store.database.write() as connection:
        run = store.runs.create(connection, new, at)
        store.runs.start(connection, run, at)
    store.runs.end(run, at + 1, {"status": status})
    return run


def _daily(store: Store, new: NewRun, days: int) -> list[int]:
    """A claimed slot and its run for each of the days before NOON, oldest first."""
    runs = []
    for day in range(days, 0, -1):
        at = NOON - day * DAY
        with store.database.write() as connection:
            (run,) = store.slots.decide(connection, [Verdict("scores", at, run=replace(new, due=at))], at)
            assert run is not None
            store.runs.start(connection, run, NOON - day * DAY)
        store.runs.end(run, NOON - day * DAY + 60, {"status": "completed"})
        runs.append(run)
    return runs


def _kept(store: Store) -> list[int]:
    return [row["id"] for row in store.database.connection.execute("SELECT id FROM run ORDER BY id")]


def test_runs_from_before_the_moment_go_with_their_slots_and_the_newest_of_a_job_stay(
    store: Store, new_run: NewRun
) -> None:
    runs = _daily(store, new_run, 12)
    found = store.retention.removable(NOON - 2 * DAY, 100)
    assert found == runs[:7]
    store.retention.forget(found, NOON - 2 * DAY)
    assert _kept(store) == runs[7:]
    assert len(store.slots.of("scores")) == 5
    assert store.retention.horizon == NOON - 2 * DAY
    assert store.database.connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("status", ["pending", "running", "interrupted", "held"])
def test_a_run_that_is_not_over_stays_however_old(store: Store, new_run: NewRun, status: str) -> None:
    old = _ended(store, new_run, NOON - 900 * DAY)
    with store.database.write() as connection:
        connection.execute("UPDATE run SET status = ? WHERE id = ?", (status, old))
    _daily(store, new_run, 6)
    assert old not in store.retention.removable(NOON - 30 * DAY, 100)


def test_a_run_that_a_later_one_is_about_goes_after_that_one(store: Store, new_run: NewRun) -> None:
    first = _ended(store, new_run, NOON - 90 * DAY)
    undo = _ended(store, replace(new_run, intent="undo", of_run=first), NOON - 80 * DAY)
    _daily(store, new_run, 6)
    assert store.retention.removable(NOON - 30 * DAY, 100) == [undo]
    store.retention.forget([undo], NOON - 30 * DAY)
    assert store.retention.removable(NOON - 30 * DAY, 100) == [first]


def test_a_step_is_as_small_as_it_is_told_to_be(store: Store, new_run: NewRun) -> None:
    runs = _daily(store, new_run, 12)
    assert store.retention.removable(NOON, 3) == runs[:3]


def test_so_many_runs_may_there_be(store: Store, new_run: NewRun) -> None:
    _daily(store, new_run, 12)
    assert store.retention.count_limit(10) == NOON - 10 * DAY
    assert store.retention.count_limit(13) is None


def test_slots_in_which_nothing_ran_go_too_a_few_at_a_time(store: Store, new_run: NewRun) -> None:
    store.slots.skip("scores", [NOON - day * DAY for day in range(1, 9)], NOON, reason="paused")
    store.slots.skip("other", [NOON - 8 * DAY], NOON, reason="paused")
    assert store.retention.forget_skipped(NOON - 4 * DAY, 2) == 2
    assert store.retention.forget_skipped(NOON - 4 * DAY, 100) == 3
    assert len(store.slots.of("scores")) == 4
    assert store.slots.of("other") == []


def test_the_text_of_a_job_file_goes_with_the_last_run_that_used_it(store: Store, new_run: NewRun) -> None:
    old = replace(new_run, definition=store.runs.remember("/etc/old.yaml", "module: old\n"))
    gone = _ended(store, old, NOON - 90 * DAY)
    _daily(store, new_run, 6)
    store.retention.forget_rest(NOON)
    assert _definitions(store) == 2
    store.retention.forget([gone], NOON)
    store.retention.forget_rest(NOON)
    assert _definitions(store) == 1


def test_what_may_go_is_found_by_an_index(store: Store) -> None:
    from idms_cli.history.retention import REMOVABLE

    plan = store.database.connection.execute(
        f"EXPLAIN QUERY PLAN {REMOVABLE}", {"before": NOON, "kept": 4, "limit": 10}
    ).fetchall()
    told = [row["detail"] for row in plan]
    assert any("SEARCH run USING INDEX run_by_time" in each for each in told), told
    assert not [each for each in told if each.startswith("SCAN")], told


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_an_older_version_is_brought_up_to_date_with_all_that_is_in_it(state: Path, version: int) -> None:
    import sqlite3
    from contextlib import closing

    state.mkdir(mode=0o700)
    schema = (Path(__file__).parent / f"schema-{version}.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(state / "history.db")) as old:
        old.executescript(schema)
        old.execute("INSERT INTO definition VALUES ('h', '/etc/scores.yaml', 'module: import')")
        old.execute(
            "INSERT INTO run (job, due, by_hand, foreground, dry_run, intent, connection, options, definition, locks,"
            " priority, pool, late_s, status, reason, hint, created_at, started_at, ended_at, attempt, retried,"
            " stop_reason, stop_force, source, to_follow, counts) VALUES ('scores', ?, 0, 0, 0, 'run', '', '{}', 'h',"
            " ?, 0, '', 0, 'completed', '', '', ?, ?, ?, 1, 0, '', 0, '[]', '[]', '{\"read\": 3}')",
            (NOON, LOCKS, NOON, NOON, NOON + 5),
        )
        old.execute("INSERT INTO slot VALUES ('scores', ?, NULL, 'run', '', 1, ?, NULL)", (NOON, NOON))
        old.commit()
    with Store(state) as store:
        run = store.runs.one(1)
        assert run is not None
        assert (run.job, run.status, run.counts) == ("scores", "completed", {"read": 3})
        (row,) = store.database.connection.execute('SELECT job, due, seconds, "read" FROM v_runs').fetchall()
        assert tuple(row) == ("scores", "2026-12-04T12:00:00Z", 5.0, 3)
        assert store.database.connection.execute("SELECT job, verdict, run FROM v_slots").fetchone()["run"] == 1
        assert store.database.connection.execute("SELECT sites, module FROM v_runs").fetchone()["sites"] == "live,old"
        assert [run.id for run in store.runs.history(Wanted(connection="old"))] == [1]
        assert store.retention.horizon is None
        assert store.outbox.add(["ops"], "test", "", {}, NOON) == [1]


def _definitions(store: Store) -> int:
    return int(store.database.connection.execute("SELECT count(*) FROM definition").fetchone()[0])
