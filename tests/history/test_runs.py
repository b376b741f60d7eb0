"""What every store must promise of runs and slots: claimed once, started once, ended once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from idms_cli.history.rows import NewRun, Run, Slot, Verdict, Wanted
from idms_cli.history.store import Store

NOON = 1_796_385_600  # 2026-12-04 12:00 UTC
HOUR = 3600


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _one(store: Store, run_id: int) -> Run:
    run = store.runs.one(run_id)
    assert run is not None
    return run


def _created(store: Store, new: NewRun, now: float = NOON) -> int:
    with store.database.write() as connection:
        return store.runs.create(connection, new, now)


def _claim(store: Store, new: NewRun, now: float) -> int | None:
    """The run that a claim of the slot made; None where somebody had decided it already."""
    assert new.due is not None
    with store.database.write() as connection:
        (run_id,) = store.slots.decide(connection, [Verdict(new.job, new.due, new)], now)
    return run_id


def _started(store: Store, run_id: int, now: float = NOON) -> bool:
    with store.database.write() as connection:
        return store.runs.start(connection, run_id, now)


def _ended(store: Store, new: NewRun, now: float = NOON, status: str = "completed") -> int:
    run_id = _created(store, new, now)
    assert _started(store, run_id, now)
    assert store.runs.end(run_id, now + 1, {"status": status})
    return run_id


def test_a_claimed_slot_has_its_run_and_the_run_its_slot(store: Store, new_run: NewRun) -> None:
    run_id = _claim(store, replace(new_run, due=NOON), NOON + 5)
    assert run_id == 1
    run = _one(store, 1)
    assert (run.job, run.due, run.status, run.by_hand, run.attempt) == ("scores", _at(NOON), "pending", False, 1)
    assert store.slots.of("scores") == [Slot("scores", _at(NOON), None, "run", "", 1, _at(NOON + 5))]


def test_a_slot_is_claimed_once(store: Store, new_run: NewRun) -> None:
    due = replace(new_run, due=NOON)
    assert _claim(store, due, NOON) == 1
    assert _claim(store, due, NOON) is None
    assert len(store.runs.history(Wanted())) == 1


def test_a_claim_that_came_too_late_leaves_no_run_behind(store: Store, new_run: NewRun) -> None:
    store.slots.skip("scores", [NOON], NOON, reason="missed")
    assert _claim(store, replace(new_run, due=NOON), NOON) is None
    assert store.runs.history(Wanted()) == []


def test_the_same_moment_of_another_job_is_another_slot(store: Store, new_run: NewRun) -> None:
    assert _claim(store, replace(new_run, due=NOON), NOON) == 1
    assert _claim(store, replace(new_run, job="other", due=NOON), NOON) == 2


def test_sixteen_processes_at_once_claim_each_slot_once(
    store: Store, new_run: NewRun, in_processes: Callable[[int, str], list[str]]
) -> None:
    told = in_processes(
        16,
        f"""
from idms_cli.history.rows import Verdict

claimed = []
with Store(state) as store:
    for due in range({NOON}, {NOON} + 20):
        new = NewRun("scores", {new_run.definition!r}, due=due)
        with store.database.write() as connection:
            claimed += store.slots.decide(connection, [Verdict("scores", due, new)], due)
print(*filter(None, claimed))
""",
    )
    claimed = sorted(int(word) for line in told for word in line.split())
    assert claimed == list(range(1, 21))
    slots = store.slots.of("scores")
    assert len(slots) == 20
    assert sorted(slot.run or 0 for slot in slots) == claimed
    assert all(_one(store, slot.run or 0).due == slot.due for slot in slots)


def test_sixteen_processes_at_once_start_a_run_once(
    store: Store, new_run: NewRun, in_processes: Callable[[int, str], list[str]]
) -> None:
    run_id = _created(store, new_run)
    told = in_processes(
        16,
        f"""
with Store(state) as store, store.database.write() as connection:
    print(store.runs.start(connection, {run_id}, {NOON}))
""",
    )
    assert sorted(told) == ["False\n"] * 15 + ["True\n"]


def test_a_run_starts_once(store: Store, new_run: NewRun) -> None:
    run_id = _created(store, new_run)
    assert _started(store, run_id, NOON + 7)
    assert not _started(store, run_id, NOON + 8)
    run = _one(store, run_id)
    assert (run.status, run.started_at, run.duration_s, run.is_open) == ("running", _at(NOON + 7), None, True)


def test_a_run_ends_once_with_what_is_said_first(store: Store, new_run: NewRun) -> None:
    run_id = _created(store, new_run)
    _started(store, run_id, NOON)
    partial = {"status": "partial", "reason": "1 of 3 rows rejected", "exit_code": 1, "counts": {"read": 3}}
    assert store.runs.end(run_id, NOON + 90.5, partial)
    assert not store.runs.end(run_id, NOON + 99, {"status": "failed", "reason": "late"})
    run = _one(store, run_id)
    assert (run.status, run.reason, run.hint, run.exit_code) == ("partial", "1 of 3 rows rejected", "", 1)
    assert (run.counts, run.ended_at, run.duration_s) == ({"read": 3}, _at(NOON + 90.5), 90.5)
    assert not run.is_open


def test_a_run_that_is_over_neither_starts_nor_is_interrupted(store: Store, new_run: NewRun) -> None:
    run_id = _ended(store, new_run)
    assert not _started(store, run_id)
    assert not store.runs.interrupt(run_id, "its process died", {})
    assert _one(store, run_id).status == "completed"


def test_a_run_that_waits_is_not_interrupted(store: Store, new_run: NewRun) -> None:
    run_id = _created(store, new_run)
    assert not store.runs.interrupt(run_id, "its process died", {})
    assert _one(store, run_id).status == "pending"


def test_an_interrupted_run_starts_again_as_another_attempt_since_its_first_start(
    store: Store, new_run: NewRun
) -> None:
    run_id = _created(store, new_run)
    _started(store, run_id, NOON)
    assert store.runs.interrupt(run_id, "its process died", {"read": 5})
    assert not store.runs.interrupt(run_id, "again", {})
    run = _one(store, run_id)
    assert (run.status, run.reason, run.counts, run.is_open) == ("interrupted", "its process died", {"read": 5}, True)
    assert _started(store, run_id, NOON + 60)
    run = _one(store, run_id)
    assert (run.status, run.reason, run.attempt, run.started_at) == ("running", "", 2, _at(NOON))


def test_why_a_run_waits_is_kept_until_it_starts(store: Store, new_run: NewRun) -> None:
    run_id = _created(store, new_run)
    store.queue.wait({run_id: "waits for a place: 4 of 4 runs are running"})
    assert _one(store, run_id).reason == "waits for a place: 4 of 4 runs are running"
    _started(store, run_id)
    store.queue.wait({run_id: "too late"})
    assert _one(store, run_id).reason == ""


def test_running_runs_are_counted_for_each_pool(store: Store, new_run: NewRun) -> None:
    _created(store, new_run)
    _started(store, _created(store, new_run))
    _started(store, _created(store, replace(new_run, pool="nightly")))
    _ended(store, new_run)
    assert store.queue.places() == {"": 1, "nightly": 1}


def test_open_runs_are_those_that_are_not_over_oldest_first(store: Store, new_run: NewRun) -> None:
    _ended(store, new_run)
    _created(store, new_run)
    _started(store, _created(store, new_run))
    dead = _created(store, new_run)
    _started(store, dead)
    store.runs.interrupt(dead, "its process died", {})
    assert [(run.id, run.status) for run in store.runs.open()] == [(2, "pending"), (3, "running"), (4, "interrupted")]


def test_the_open_run_of_a_job_is_its_oldest_and_no_dry_run(store: Store, new_run: NewRun) -> None:
    _created(store, replace(new_run, dry_run=True))
    assert store.runs.open_of("scores") is None
    _created(store, new_run)
    _created(store, new_run)
    found = store.runs.open_of("scores")
    assert found is not None
    assert found.id == 2
    assert store.runs.open_of("other") is None


def test_the_last_run_of_each_job_is_no_dry_run(store: Store, new_run: NewRun) -> None:
    for job, dry_run in (("scores", False), ("scores", False), ("scores", True), ("other", False)):
        _ended(store, replace(new_run, job=job, dry_run=dry_run))
    assert {job: run.id for job, run in store.runs.last_of_each_job().items()} == {"scores": 2, "other": 4}


def test_a_run_keeps_all_that_was_known_when_it_was_created(store: Store, new_run: NewRun) -> None:
    lock = {"resource": "imis:live/activity", "write": True}
    new = replace(new_run, by_hand=True, foreground=True, dry_run=True, row_limit=5, locks=(lock,), timeout_s=0.5)
    run = _one(store, _created(store, new, NOON + 0.25))
    assert (run.by_hand, run.foreground, run.dry_run, run.row_limit) == (True, True, True, 5)
    assert (run.locks, run.timeout_s, run.created_at) == ((lock,), 0.5, _at(NOON + 0.25))


def test_a_run_keeps_the_job_file_as_it_was(store: Store, new_run: NewRun) -> None:
    first = _created(store, new_run)
    same = store.runs.remember("/etc/idms/jobs.d/scores.yaml", "module: import\n")
    other = store.runs.remember("/etc/idms/jobs.d/scores.yaml", "module: import\nenabled: false\n")
    assert same == new_run.definition != other
    assert store.runs.definition(_one(store, first)) == ("/etc/idms/jobs.d/scores.yaml", "module: import\n")


def test_a_run_of_a_definition_that_nobody_remembered_is_refused(store: Store) -> None:
    import sqlite3

    with pytest.raises(sqlite3.IntegrityError):
        _created(store, NewRun("scores", "no such hash"))


@pytest.mark.parametrize("run_id", [-1, 0, 1, 2**63 - 1, 2**63, 10**30])
def test_a_run_that_is_not_there_is_none(store: Store, run_id: int) -> None:
    assert store.runs.one(run_id) is None


def test_ids_are_never_used_again(store: Store, new_run: NewRun) -> None:
    run_id = _created(store, new_run)
    with store.database.write() as connection:
        connection.execute("DELETE FROM run")
    assert _created(store, new_run) == run_id + 1


def test_a_skipped_slot_keeps_its_first_verdict(store: Store) -> None:
    store.slots.skip("scores", [NOON], NOON + 1, reason="missed: nobody called run-due", until=NOON + HOUR)
    store.slots.skip("scores", [NOON], NOON + 2, reason="another")
    reason = "missed: nobody called run-due"
    expected = Slot("scores", _at(NOON), _at(NOON + HOUR), "skipped", reason, None, _at(NOON + 1))
    assert store.slots.of("scores") == [expected]


def test_many_slots_are_skipped_at_once_and_those_with_a_verdict_keep_it(store: Store, new_run: NewRun) -> None:
    _claim(store, replace(new_run, due=NOON + HOUR), NOON)
    store.slots.skip("scores", [NOON, NOON + HOUR, NOON + 2 * HOUR], NOON, reason="missed")
    assert [slot.verdict for slot in store.slots.of("scores")] == ["skipped", "run", "skipped"]


@pytest.fixture
def past(store: Store, new_run: NewRun) -> Store:
    """Two jobs with some history: runs 1 to 5, an hour from each to the next, and two skipped slots."""
    _ended(store, new_run, NOON)
    _ended(store, new_run, NOON + HOUR, "partial")
    _ended(store, replace(new_run, job="other"), NOON + 2 * HOUR, "failed")
    _ended(store, replace(new_run, job="other"), NOON + 3 * HOUR)
    _created(store, new_run, NOON + 4 * HOUR)
    store.slots.skip("scores", [NOON + 2 * HOUR], NOON, reason="overlap: run 2 is still running")
    store.slots.skip("other", [NOON + 3 * HOUR], NOON, reason="disabled")
    return store


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), [5, 4, 3, 2, 1]),
        (Wanted(job="scores"), [5, 2, 1]),
        (Wanted(job="gone"), []),
        (Wanted(status="completed"), [4, 1]),
        (Wanted(job="scores", status="completed"), [1]),
        (Wanted(since=NOON + 2 * HOUR), [5, 4, 3]),
        (Wanted(since=NOON + 2 * HOUR + 0.1), [5, 4]),
        (Wanted(limit=2), [5, 4]),
        (Wanted(job="other", limit=1), [4]),
    ],
    ids=["all", "job", "no such job", "status", "job and status", "since", "just after", "limit", "job and limit"],
)
def test_the_history_gives_what_is_wanted_newest_first(past: Store, wanted: Wanted, ids: list[int]) -> None:
    assert [run.id for run in past.runs.history(wanted)] == ids


@pytest.mark.parametrize(
    ("wanted", "jobs"),
    [
        (Wanted(), ["other", "scores"]),
        (Wanted(job="scores"), ["scores"]),
        (Wanted(since=NOON + 3 * HOUR), ["other"]),
        (Wanted(limit=1), ["other"]),
        (Wanted(status="completed"), ["other", "scores"]),
    ],
    ids=["all", "job", "since", "limit", "status does not count"],
)
def test_skipped_slots_are_given_newest_first(past: Store, wanted: Wanted, jobs: list[str]) -> None:
    assert [slot.job for slot in past.slots.skipped(wanted)] == jobs


def test_the_slots_of_a_job_are_limited_from_the_newest(store: Store) -> None:
    store.slots.skip("scores", [NOON, NOON + HOUR, NOON + 2 * HOUR], NOON, reason="missed")
    assert [slot.due for slot in store.slots.of("scores", 2)] == [_at(NOON + 2 * HOUR), _at(NOON + HOUR)]
