"""Kills at random moments of an import, while the site fails at its writes: no record is doubled, none is lost.

A failure prints its seed; `IDMS_SEED=n` replays moments and faults as far as timing allows.
"""

import os
import random
from collections.abc import Callable, Mapping
from itertools import cycle

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import SOAK, Place
from tests.modules.ordeal import Doubled, Ordeal
from tests.modules.shelves import SHELVES

KILLS = 34 if SOAK else 1
"""For each trouble: over 200 in all in the long form."""

MOST_ROUNDS = 20
"""So many the blind get until they are caught; one or two suffice."""

Trouble = Callable[[Sandbox], None]


def fails(name: str, rate: float) -> Trouble:
    return lambda site: site.set_fault(name, rate)


def is_slow(site: Sandbox) -> None:
    """Each request waits before it is served: what was sent before a kill is stored after it."""
    site.latency_s = 0.2


TROUBLES: Mapping[str, Trouble] = {
    "write-500-saved": fails("write-500-saved", 0.3),
    "cut-after-write": fails("cut-after-write", 0.3),
    "token-dies": fails("token-dies", 0.1),
    "too-many": fails("too-many", 0.1),
    "too-many-retry": fails("too-many-retry", 0.05),
    "slow": is_slow,
}


@pytest.fixture
def seed() -> int:
    seed = int(os.environ.get("IDMS_SEED") or random.randrange(1 << 32))
    print(f"IDMS_SEED={seed}")  # shown when it fails
    return seed


@pytest.fixture
def site(seed: int) -> Sandbox:
    return Sandbox(seed=seed, latency_s=0.02)


@pytest.fixture
def ordeal(place: Place, site: Sandbox, seed: int, url: str) -> Ordeal:
    chance = random.Random(seed)
    width = chance.choice((1, 4))
    place.settings(url, connection=f"rate: 5000/s, settle: 1s, concurrency: {width}")
    return Ordeal(place, site, chance)


@pytest.mark.slow
@pytest.mark.parametrize("trouble", TROUBLES)
def test_kills_at_random_moments_of_an_import_into_a_failing_site_double_and_lose_nothing(
    ordeal: Ordeal, site: Sandbox, trouble: str
) -> None:
    shelves = SHELVES if SOAK else [SHELVES[list(TROUBLES).index(trouble) % len(SHELVES)]]
    TROUBLES[trouble](site)
    turns = cycle(shelves)
    while ordeal.figures["kills"] < KILLS:
        ordeal.round(next(turns), kills=ordeal.chance.randint(1, 2))
    print(f"{trouble}: {dict(ordeal.figures)}; faults: {site.calls['faults']}")


BLIND = """
import os, sys
if "work" in sys.orig_argv:
    import idms_cli.modules.loading as module
    from idms_cli.errors import OutcomeUnknown
    opened = module.open_kind

    def open_kind(*arguments):
        kind = opened(*arguments)
        insert = kind.insert

        def insert_until_it_is_answered(values):
            while True:
                try:
                    return insert(values)
                except OutcomeUnknown:
                    pass

        if os.environ["IDMS_TEST_BLIND"] == "lost answers":
            kind.insert = insert_until_it_is_answered
        else:
            kind.find = lambda match: []
        return kind

    module.open_kind = open_kind
"""
"""An idms that sends again without looking: lost answers, or what was in flight when it died."""


def endure(ordeal: Ordeal, rounds: int, *, kills: int) -> None:
    """Course results, file after file."""
    for _ in range(rounds):
        ordeal.round(SHELVES[0], kills=kills)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("blind_to", "trouble", "kills"),
    [("lost answers", "cut-after-write", 0), ("its death", "slow", 1)],
    ids=["a lost answer", "a kill"],
)
def test_the_same_ordeal_finds_the_doubles_of_an_idms_that_repeats_blindly(
    ordeal: Ordeal, blind_to: str, trouble: str, kills: int
) -> None:
    place = ordeal.place
    place.write("blind/sitecustomize.py", BLIND)
    place.environment |= {"PYTHONPATH": str(place.directory / "blind"), "IDMS_TEST_BLIND": blind_to}
    TROUBLES[trouble](ordeal.site)
    with pytest.raises(Doubled):
        endure(ordeal, MOST_ROUNDS, kills=kills)
