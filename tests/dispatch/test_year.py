"""A simulated year, minute by minute: every slot has exactly the verdict that an independent oracle expects.

Ticks are lost, doubled, late and concurrent, the clock is set back and forth, the machine is booted, files are edited,
jobs paused and disabled. The short form is a few days around clock changes.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from random import randrange
from typing import Any

import pytest

from idms_cli.dispatch import refresh, tick, verdicts
from idms_cli.history import ticks
from idms_cli.jobs import recurring
from idms_cli.jobs.wallclock import moments_of
from tests.conftest import SOAK
from tests.dispatch.year.almanac import Almanac, moment_of
from tests.dispatch.year.oracle import Oracle, Verdict
from tests.dispatch.year.product import Product
from tests.dispatch.year.script import Plan, Script

SEED = randrange(1 << 32) if SOAK else 16
MONTHS = [date(2026 + month // 12, month % 12 + 1, 1) for month in range(8, 21)]
"""From September 2026 to September 2027."""
YEAR = [
    Plan(SEED + number, moment_of(str(first)), (following - first).days, 200)
    for number, (first, following) in enumerate(pairwise(MONTHS))
]
DAYS = [Plan(SEED, moment_of("2026-10-24"), 3, 100, trouble=5, people=20, lost=0.8)]
SMALL = Plan(2, moment_of("2026-10-31"), 2, 40, trouble=5, people=20, lost=0.8)

KINDS = {
    *("overlap", "paused", "holiday", "window", "broken", "disabled", "disabled by", "past", "removed"),
    *("schedule changed", "disabled after 2 failures in a row", "late", ""),
    *("missed: over the grace", "missed: nobody called run-due", "missed: a later one took its place"),
}
"""All of these must come, or the simulation shows nothing."""
SELDOM = {"removed"}
"""A file that goes while its job owes something: in the few wild days of the short form, not in each month."""


def live(directory: Path, patch: pytest.MonkeyPatch, plan: Plan) -> set[Verdict]:
    """The verdicts of idms after all that happens by the plan."""
    product = Product(directory, plan.start, patch)
    try:
        for step in Script(plan).steps():
            product.do(step)
        assert product.check() == "ok"
        return set(product.verdicts())
    finally:
        product.close()


def expect(plan: Plan) -> set[Verdict]:
    oracle = Oracle(Almanac(plan.start, plan.end))
    for step in Script(plan).steps():
        oracle.do(step)
    return set(oracle.verdicts())


def differences(found: set[Verdict], expected: set[Verdict]) -> list[str]:
    """The first of them, oldest first."""
    odd = sorted(found ^ expected, key=lambda verdict: (verdict[1], verdict[0]))
    return [
        f"{'found' if verdict in found else 'expected'}: {verdict[0]} {datetime.fromtimestamp(verdict[1], UTC)}"
        f" {verdict[2:]}"
        for verdict in odd[:30]
    ]


@pytest.mark.slow
@pytest.mark.timeout(36_000 if SOAK else 120)
@pytest.mark.parametrize(
    "plan", YEAR if SOAK else DAYS, ids=lambda plan: f"{datetime.fromtimestamp(plan.start, UTC):%F}"
)
def test_every_slot_has_the_verdict_that_the_oracle_expects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: Plan
) -> None:
    print(plan)  # shown when it fails: the seed is in it
    expected = expect(plan)
    found = live(tmp_path, monkeypatch, plan)
    print(f"{len(found)} slots")
    assert differences(found, expected) == []
    assert {kind for *_, kind, _ in expected if not kind.startswith("after")} >= (KINDS - SELDOM if SOAK else KINDS)


@pytest.fixture(scope="module")
def expected_small() -> set[Verdict]:
    return expect(SMALL)


SABOTAGE: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "a fixed time follows the clock": (
        recurring,
        "moments_of",
        lambda reading, zone, follows_clock: moments_of(reading, zone, follows_clock=True),
    ),
    "an edited schedule fires for the morning": (refresh, "_why_not_owed", lambda *_, **__: ""),
    "a clock set back keeps what was decided ahead": (tick, "_rewind", lambda *_: None),
    "a clock that jumped is believed at once": (ticks.Ticks, "clock_jump_s", lambda *_: 0.0),
    "a run that is not over is forgotten": (verdicts, "_overlap", lambda *_: ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SABOTAGE)
def test_the_oracle_catches(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected_small: set[Verdict]
) -> None:
    owner, function, instead = SABOTAGE[name]
    monkeypatch.setattr(owner, function, instead)
    assert differences(live(tmp_path, monkeypatch, SMALL), expected_small)


@pytest.mark.slow
def test_without_sabotage_there_is_nothing_to_catch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected_small: set[Verdict]
) -> None:
    assert differences(live(tmp_path, monkeypatch, SMALL), expected_small) == []
