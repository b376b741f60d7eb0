"""Kills at random moments of a delivery of single rows: nothing is doubled, nothing is lost without being told.

A failure prints its seed; `IDMS_SEED=n` replays the moments as far as timing allows.
"""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import SOAK, until
from tests.delivery.nursery import Nursery, nursery
from tests.delivery.receiver import YES, Receiver, Says, Taken
from tests.delivery.sending import EACH, Sending

KILLS = 50 if SOAK else 6
"""In each test; 200 in all in the long form."""
ROWS = 12
MOST_ROUNDS = 20
"""So many the blind get until they are caught; one or two suffice."""


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("IDMS_SEED") or random.randrange(1 << 32))
    print(f"IDMS_SEED={seed}")  # shown when it fails
    return random.Random(seed)


def slowly(web: Receiver, chance: random.Random) -> None:
    """Each request waits before it is stored, and its answer after that: kills meet all moments."""

    def decide(taken: Taken) -> Says:
        time.sleep(chance.uniform(0, 0.01))
        return YES

    web.decide = decide


def killed(
    child: Nursery, sending: Sending, chance: random.Random, step: str, *, kills: int, blind: bool = False
) -> tuple[int, str]:
    """Deliver until it ends by itself, after so many kills at most; how many met it, and how it ended."""
    for met in range(kills):
        wanted = len(sending.web.asked) + chance.randint(0, 4)
        process = child.start(step, sending.directory, ROWS, blind=blind)
        until(lambda process=process, wanted=wanted: len(sending.web.asked) >= wanted or not _lives(process))
        time.sleep(chance.uniform(0, 0.015))
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        ended = child.ended()
        if ended != "-9":
            return met, ended
    child.start(step, sending.directory, ROWS, blind=blind)
    return kills, child.ended()


def _lives(process: int) -> bool:
    """A process that has ended but was not waited for is dead, too."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("width", [1, 4])
def test_with_keys_each_row_has_its_effect_once_however_often_the_delivery_is_killed(
    web: Receiver, tmp_path: Path, chance: random.Random, width: int
) -> None:
    slowly(web, chance)
    kills = 0
    with nursery() as child:
        while kills < KILLS:
            sending = Sending(web, tmp_path / str(len(web.asked)))
            sending.directory.mkdir()
            web.stored.clear()
            web.answered.clear()
            step = sending.step(idempotency_key=True, concurrency=width, **EACH)
            met, ended = killed(child, sending, chance, step, kills=KILLS - kills)
            assert ended == f"Receipt: {ROWS}"
            assert sorted(web.effects().items()) == [(str(101 + place), 1) for place in range(ROWS)]
            assert sending.states() == ["done"] * ROWS
            kills += met


@pytest.mark.slow
@pytest.mark.parametrize("width", [1, 4])
def test_without_keys_nothing_is_doubled_and_what_is_not_certain_is_told(
    web: Receiver, tmp_path: Path, chance: random.Random, width: int
) -> None:
    slowly(web, chance)
    kills = unknown = 0
    with nursery() as child:
        while kills < KILLS:
            sending = Sending(web, tmp_path / str(len(web.asked)))
            sending.directory.mkdir()
            web.stored.clear()
            step = sending.step(concurrency=width, **EACH)
            met, ended = killed(child, sending, chance, step, kills=KILLS - kills)
            effects, states = web.effects(), sending.states()
            assert set(effects.values()) <= {1}
            assert len(states) == ROWS
            told = {one["ID"] for one in sending.table("undelivered.csv")}
            for place, state in enumerate(states):
                member = str(101 + place)
                assert state in ("done", "unknown")
                assert (member in told) == (state == "unknown")
                assert state == "unknown" or effects[member] == 1, f"lost: {member}"
            assert ended.startswith("OutcomeUnknown: " if told else "Receipt: "), ended
            kills += met
            unknown += len(told)
    assert unknown, "no kill met a request on its way"


@pytest.mark.slow
def test_the_same_ordeal_finds_the_doubles_of_a_delivery_that_repeats_blindly(
    web: Receiver, tmp_path: Path, chance: random.Random
) -> None:
    slowly(web, chance)
    with nursery() as child:
        for number in range(MOST_ROUNDS):
            sending = Sending(web, tmp_path / str(number))
            sending.directory.mkdir()
            web.stored.clear()
            killed(child, sending, chance, sending.step(**EACH), kills=2, blind=True)
            if 2 in web.effects().values():
                return
    pytest.fail("nothing was doubled")
