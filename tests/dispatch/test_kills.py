"""Kills of run-due and of whatever it starts, at random moments: no slot twice, none lost, nothing stuck or broken."""

import os
import random
import signal
import sqlite3
import subprocess
from contextlib import closing, suppress
from datetime import date, timedelta
from functools import partial

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import SOAK, Place, courses, until

KILLS = 500 if SOAK else 2
PER_NIGHT = 2
"""A run whose process dies for the third time is given up."""
JOBS = ("one", "three", "two")
ROWS = 8
FIRST = date(2026, 1, 1)


def _strike(place: Place, chance: random.Random, moment: str) -> int:
    """Kill processes of a tick, its supervisors and workers; returns how many."""
    tick = place.start("run-due", "--wait", "--at", f"{moment}+00:00")
    killed = 0
    for _ in range(PER_NIGHT):
        with suppress(subprocess.TimeoutExpired):
            tick.wait(chance.uniform(0.3, 2.5))
        processes = place.processes()
        with suppress(ProcessLookupError, IndexError):  # it has just ended by itself
            os.kill(chance.choice(processes), signal.SIGKILL)
            killed += 1
    tick.communicate()
    return killed


def _is_quiet_after_a_tick(place: Place, moment: str) -> bool:
    return place.at(moment, "--wait").returncode == 0 and not any(run.is_open for run in place.runs())


def _integrity(place: Place) -> str:
    with closing(sqlite3.connect(place.state / "history.db")) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


@pytest.mark.slow
@pytest.mark.timeout(36_000 if SOAK else 120)
def test_kills_of_run_due_and_its_children_cost_no_slot_and_double_none(place: Place, site: Sandbox) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # shown when it fails
    chance = random.Random(seed)
    site.latency_s = 0.01
    for job in JOBS:
        place.job(job)
    place.at(f"{FIRST} 20:00")
    before = sum(courses(site).values())
    killed = nights = 0
    while killed < KILLS:
        nights += 1
        moment = f"{FIRST + timedelta(nights)} 02:00"
        for job in JOBS:
            place.scores(job, ROWS, course=f"{job} {nights}")
        killed += _strike(place, chance, moment)
        place.settled()
        until(partial(_is_quiet_after_a_tick, place, moment))
        place.settled()
        assert [run.status for run in place.runs()[-len(JOBS) :]] == ["completed"] * len(JOBS)
        assert len(place.runs()) == nights * len(JOBS)
        assert [place.slots(job)[-1] for job in JOBS] == [(moment, "run", "")] * len(JOBS)
        for job in JOBS:
            written = [number for (_, course), number in courses(site).items() if course == f"{job} {nights}"]
            assert written == [1] * ROWS
        assert _integrity(place) == "ok"
    assert sum(courses(site).values()) == before + nights * len(JOBS) * ROWS
    print(f"{killed} kills in {nights} nights")
