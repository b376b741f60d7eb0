"""What a stretch of time still lacks: each slot of a job with how it went so far, and what a backfill does about it."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from idms_cli.dispatch.claim import new_run
from idms_cli.dispatch.foreground import create_in_foreground, take_in_hand
from idms_cli.dispatch.locks import Lock
from idms_cli.dispatch.planning import occurrences_of
from idms_cli.errors import InputError
from idms_cli.history.rows import JobRow, NewRun, Run, Slot
from idms_cli.history.store import Store
from idms_cli.jobs.job import Job
from idms_cli.modules import Work

MOST = 1000
"""Slots of one backfill."""

PUT_OFF = timedelta(days=1)
"""So much later than its slot a run may start, for jitter or a window, and is still looked for."""

RAN_WELL = ("completed", "partial")
"""What a partial run rejected is mended with `idms retry`, not by running it again."""

NOT_WANTED = ("holiday", "past")
"""Reasons for which nobody wants the slot to run later either."""


@dataclass(frozen=True)
class Lack:
    """A slot, how it went so far, and what is done about it."""

    slot: datetime
    so_far: str
    action: Literal["run", "resume", ""]
    """Empty: it is left alone, for `so_far` is good as it is, or somebody else sees to it."""
    run: Run | None = None
    """The run to resume."""
    following: datetime | None = None
    """The job's next slot."""


class Gone(Exception):
    """Somebody else has seen to a slot meanwhile."""


def lacks(store: Store, row: JobRow, since: datetime, until: datetime, *, again: bool) -> list[Lack]:
    """The slots from `since` to `until` (both included), oldest first. Raises `InputError` for too many.

    Those of the schedule as it is now count from when it became so, and for the time before anything is known of the
    job; between that the history knows. What no tick has decided yet is left to the next one.
    """
    first, last = int(since.timestamp()), min(int(until.timestamp()), row.decided_until)
    horizon = store.retention.horizon
    if horizon is not None and first < horizon and not again:
        raise _forgotten(row, datetime.fromtimestamp(horizon, since.tzinfo))
    rows = store.slots.between(row.name, first, last, limit=MOST + 1)
    planned = _planned(store, row, rows, since, datetime.fromtimestamp(last, UTC))
    own = {slot.due: slot for slot in rows if slot.until is None and slot.due >= since}
    runs = store.runs.of_slots(row.name, first, last)
    moments = sorted({*planned, *own})
    if len(moments) > MOST:
        raise _too_many(row)
    if not moments:
        return []
    upcoming = occurrences_of(store, row).next_after(moments[-1])
    followings = [*moments[1:], upcoming.slot if upcoming else None]
    return [
        replace(_lack(moment, own.get(moment), runs.get(moment, []), again=again), following=following)
        if not planned.get(moment)
        else Lack(moment, f"skipped, {planned[moment]}", "")
        for moment, following in zip(moments, followings, strict=True)
    ]


def _forgotten(row: JobRow, horizon: datetime) -> InputError:
    """Nobody knows any more what ran then: to run it again might be to do it twice."""
    message = f"what {row.name} did before {horizon:%Y-%m-%d %H:%M} is no longer in the history"
    return InputError(message, hint="Take a later --from; or --again, which runs slots whether or not they ran.")


def _too_many(row: JobRow) -> InputError:
    hint = "Take a shorter stretch: --from and --to."
    return InputError(f"{row.name} has more than {MOST:,} slots in that time", hint=hint)


def _planned(
    store: Store, row: JobRow, rows: Sequence[Slot], since: datetime, until: datetime
) -> Mapping[datetime, str]:
    """The slots that the schedule tells, with the reason why it calls them off."""
    first_known = store.slots.first(row.name)
    known_from = min(row.since, row.since if first_known is None else first_known)
    stretches = [(slot.due, slot.until) for slot in rows if slot.until]
    later = min(until + PUT_OFF, datetime.fromtimestamp(row.decided_until, UTC))
    found = occurrences_of(store, row).due(since - timedelta(seconds=1), later, newest=4 * MOST)
    if found.older:
        raise _too_many(row)
    return {
        one.slot: one.skip
        for one in found.occurrences
        if since <= one.slot <= until
        if not known_from <= one.slot.timestamp() < row.since
        or any(first <= one.slot <= last for first, last in stretches)
    }


def _lack(moment: datetime, slot: Slot | None, runs: Sequence[Run], *, again: bool) -> Lack:
    under_way = next((run for run in runs if run.is_open or run.status == "held"), None)
    if under_way:
        told = f"run {under_way.id} is {under_way.status}"
        return Lack(moment, told, "resume" if under_way.status == "interrupted" else "", under_way)
    good = _good(runs)
    if good:
        return Lack(moment, f"run {good.id} {good.status}", "run" if again else "")
    if runs:
        return Lack(moment, f"run {runs[-1].id} {runs[-1].status}", "run")
    if slot is None:
        return Lack(moment, "was not looked at", "run")
    return Lack(moment, f"skipped, {slot.reason}", "" if slot.code in NOT_WANTED else "run")


def _good(runs: Sequence[Run]) -> Run | None:
    """A run that went well; where each file is a run of its own, with all the others of that time."""
    bad = {run.batch or run.id for run in runs if run.status not in RAN_WELL}
    return next((run for run in runs if (run.batch or run.id) not in bad), None)


def take_up(store: Store, job: Job, work: Work, lack: Lack, *, again: bool) -> tuple[Run, Lock]:
    """The run of one slot, in this command's hands; the slot's row names it, whatever becomes of it.

    Raises `Gone` when somebody else has seen to the slot since it was listed.
    """
    if lack.run is not None:
        run_id = lack.run.id
        try:
            return take_in_hand(store, lack.run, lambda connection: store.runs.take_over(connection, run_id))
        except InputError as error:
            raise Gone(str(error)) from None
    new = replace(
        new_run(store, job, work, due=int(lack.slot.timestamp())), intent="backfill", start_by=None, wait_s=None
    )

    def refuse(connection: sqlite3.Connection) -> None:
        runs = store.runs.of_slot(connection, new)
        busy = next((run for run in runs if run.is_open or run.status == "held"), None)
        busy = busy or (None if again else _good(runs))
        if busy:
            raise Gone(f"run {busy.id} is {busy.status}")

    def create(connection: sqlite3.Connection, made: NewRun, now: float) -> int:
        following = None if lack.following is None else int(lack.following.timestamp())
        return store.slots.make_up(connection, made, now, following=following)

    return create_in_foreground(store, new, refuse=refuse, create=create)
