"""A fault at any one system call of a tick, a run, its worker or a resume doubles nothing and loses nothing."""

import os
import random
import signal
from pathlib import Path

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import SOAK, Place, courses, until
from tests.dispatch.faults import COURSE, EIO, ENOSPC, JOB, KILL, ROWS, Bench, Point, Struck, Target, sample

EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"

TICK = Target(("run-due", "--at", f"{NIGHT}+00:00"), NIGHT, slot=NIGHT)
FAMILY = Target(("run-due", "--at", f"{NIGHT}+00:00", "--wait"), NIGHT, slot=NIGHT, follow=True)
COMMAND = Target(("run", JOB), EVENING)
WORKER = Target(("run", JOB), EVENING, files="journal|source|taken|progress|outcome|rejects|log.txt", follow=True)
NETWORK = Target(("run", JOB), EVENING, files="", follow=True)
RESUME = Target(("resume", "1"), EVENING, follow=True)

FAULTS = (KILL, EIO, ENOSPC)
CASES = {
    "a tick": (TICK, FAULTS),
    "a supervisor": (COMMAND, FAULTS),
    "a worker": (WORKER, FAULTS),
    "a worker that talks to the site": (NETWORK, (KILL,)),
    "a resume": (RESUME, FAULTS),
}
"""Which faults are put into what. The short form tries one point of each."""
PARTS = 1
if SOAK:
    CASES["a tick and all it starts"] = (FAMILY, FAULTS)
    PARTS = 20
    """The long form tries all points, in parts that are spread evenly: `-k part-3-of` is a sample of them all."""


@pytest.mark.slow
@pytest.mark.timeout(36_000 if SOAK else 120)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("part", range(PARTS), ids=lambda part: f"part-{part + 1}-of-{PARTS}")
def test_a_fault_at_any_system_call_doubles_nothing_and_loses_nothing(
    place: Place, site: Sandbox, part: int, case: str
) -> None:
    target, faults = CASES[case]
    bench = _bench(place, site, target)
    points = bench.points(faults)
    assert points
    struck = _strike_all(bench, points[part::PARTS]) if SOAK else _strike_one(bench, points)
    bad = [each for each in struck if each.violations]
    assert not bad, _in_words(bad)
    missed = [each for each in struck if not each.hit]
    print(f"{case}: {len(struck) - len(missed)} hit of {len(struck)} tried of {len(points)} points")
    assert len(missed) <= max(2, len(struck) // 10), missed  # some may not come: progress is told by the clock


def _strike_all(bench: Bench, points: list[Point]) -> list[Struck]:
    return [bench.strike(point) for point in points]


def _strike_one(bench: Bench, points: list[Point]) -> list[Struck]:
    """Points by chance, until one was hit."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # shown when it fails
    struck: list[Struck] = []
    for point in sample(points, len(points), random.Random(seed)):
        struck.append(bench.strike(point))
        if struck[-1].hit:
            break
    return struck


@pytest.mark.slow
def test_a_run_whose_disk_is_full_goes_on_when_there_is_room_again(place: Place, site: Sandbox) -> None:
    bench = _bench(place, site, WORKER)
    journal_writes = [point for point in bench.points([ENOSPC]) if point.name == "pwrite64"]
    struck = bench.strike(journal_writes[len(journal_writes) * 4 // 5])
    assert not struck.violations, _in_words([struck])
    (run,) = place.runs()
    assert (run.status, run.attempt) == ("completed", 2)


@pytest.mark.slow
def test_the_harness_catches_a_claim_that_is_committed_after_its_run(
    place: Place, site: Sandbox, tmp_path: Path
) -> None:
    _sabotage(place, tmp_path / "late", LATE_CLAIM)
    bench = _bench(place, site, TICK)
    commits = [point for point in bench.points([KILL]) if point.name == "fdatasync"]
    caught = _first_caught(bench, commits[2:])
    assert "there are 2 runs" in caught.violations


@pytest.mark.slow
def test_the_harness_catches_a_journal_that_does_not_say_what_it_is_about_to_send(
    place: Place, site: Sandbox, tmp_path: Path
) -> None:
    _sabotage(place, tmp_path / "mute", NO_INTENT)
    bench = _bench(place, site, NETWORK)
    answers = [point for point in bench.points([KILL]) if point.name == "recvfrom"]
    caught = _first_caught(bench, answers[::-1])
    assert any(violation.endswith("is there 2 times") for violation in caught.violations), caught


LATE_CLAIM = """
from idms_cli.history.slots import DECIDE, TAKEN_BY, Slots

TAKEN = "SELECT 1 FROM slot WHERE job = ? AND due = ?"


def late(self, connection, verdict, now, created_at):
    if verdict.run is None or connection.execute(TAKEN, (verdict.job, verdict.due)).fetchone():
        return None
    run_id = self._runs.create(connection, verdict.run, created_at)
    connection.execute("COMMIT")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(DECIDE, (verdict.job, verdict.due, None, "run", "", now))
    connection.execute(TAKEN_BY, (run_id, verdict.job, verdict.due))
    return run_id


Slots._decide = late
"""

NO_INTENT = """
from idms_cli.records.apply import Applier
from idms_cli.records.journal import Journal

Journal.checkpoint = lambda self, verdicts, intents, true=Journal.checkpoint: true(self, verdicts, [])
Applier._needs_look = lambda self, insert: False
"""
"""Nor does a run that is gone on with look once more for what others may have written meanwhile."""


def _sabotage(place: Place, folder: Path, code: str) -> None:
    """Every Python that the installation starts runs this code first."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    place.environment["PYTHONPATH"] = str(folder)


def _bench(place: Place, site: Sandbox, target: Target) -> Bench:
    place.job(JOB)
    place.scores(JOB, ROWS)
    place.at(EVENING)
    if target is RESUME:
        _interrupt_a_run(place, site)
    return Bench(place, site, target)


def _interrupt_a_run(place: Place, site: Sandbox) -> None:
    """Run 1 has written a part of its records, and was at the next when its worker was killed."""
    site.latency_s = 0.2
    started = place.start("run", JOB)
    worker = place.worker(1)
    until(lambda: sum(course == COURSE for _, course in courses(site)) >= 2)
    os.kill(worker, signal.SIGKILL)
    started.communicate()
    site.latency_s = 0
    assert place.runs()[0].status == "interrupted"


def _first_caught(bench: Bench, points: list[Point]) -> Struck:
    for point in points:
        struck = bench.strike(point)
        if struck.violations:
            return struck
    pytest.fail(f"none of these was caught: {points}")


def _in_words(bad: list[Struck]) -> str:
    return "\n\n".join("\n".join([str(each.point), *each.violations, each.told]) for each in bad)
