"""One call of run-due: record the tick, settle dead runs, claim due slots, hand pending runs over, and leave."""

import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from idms_cli.config.durations import format_duration
from idms_cli.config.settings import Settings
from idms_cli.dispatch.alarms import did_not_run, remind, was_silent
from idms_cli.dispatch.claim import Claimed, claim_all
from idms_cli.dispatch.connections import give_up_late, shut_for
from idms_cli.dispatch.digests import digest_if_due
from idms_cli.dispatch.following import followers
from idms_cli.dispatch.launch import hand_over
from idms_cli.dispatch.outagealarms import OutageAlarm
from idms_cli.dispatch.owed import Settled
from idms_cli.dispatch.planning import occurrences_of
from idms_cli.dispatch.probing import look_after
from idms_cli.dispatch.redrawing import redraw_if_due
from idms_cli.dispatch.refresh import refresh
from idms_cli.dispatch.senders import undelivered, wake_senders
from idms_cli.dispatch.settle import settle
from idms_cli.dispatch.stop import stop_all_idle
from idms_cli.dispatch.upkeep import tidy_if_due
from idms_cli.history.rows import Incident, JobRow, Run
from idms_cli.history.store import Store
from idms_cli.history.switches import Switch
from idms_cli.jobs.occurrences import Following, Occurrences

AHEAD_S = 60
"""Another tick's clock may be a little ahead."""


@dataclass(frozen=True)
class Tick:
    """What a tick did."""

    interrupted: tuple[Run, ...]
    """Runs without their process: those just found, and those that go on from now."""
    claims: tuple[Claimed, ...]
    started: tuple[int, ...]
    overdue: tuple[Run, ...]
    """Runs that waited for too long, and do not run any more."""
    disabled: tuple[Switch, ...]
    """Jobs that were disabled after too many failures, each told once."""
    broken: tuple[JobRow, ...]
    """Jobs with problems that were read anew in this tick."""
    settled: tuple[Settled, ...] = ()
    """What is no longer owed, because a job was edited or removed."""
    incident: Incident | None = None
    """Nobody had called run-due for a while before this tick."""
    note: str = ""
    news: tuple[str, ...] = ()
    """Connections that stopped working, or work again, and messages that were given up; each is told once."""


def tick(store: Store, settings: Settings, now: datetime, *, pretended: datetime | None = None) -> Tick:
    """Do what is due at `now`, or as if it were `pretended`.

    Safe to run at any moment, twice, and beside others of its kind.
    """
    clock = now.timestamp()
    jump_s = 0.0 if pretended else store.ticks.clock_jump_s(clock)
    found = {run.id for run in settle(store, clock)}
    interrupted = store.queue.interrupted()
    refreshed = refresh(store, settings, pretended or now)
    note = f"as if at {pretended:%Y-%m-%d %H:%M %Z}" if pretended else ""
    if not pretended:
        _rewind(store, refreshed.jobs, now)
    give_up_late(store, settings, (pretended or now).timestamp(), clock)
    if jump_s:
        note = f"the clock jumped by {jump_s / 60:+.0f} minutes; nothing is claimed before the next tick agrees with it"
    with store.database.together():  # of two ticks after a silence, the second finds the first
        silence_s = 0.0 if pretended or store.ticks.scheduled_since() is None else store.ticks.silence_s(clock)
        this = store.ticks.record(clock, note=note, silence_s=silence_s)
        if silence_s:
            was_silent(store, clock - silence_s, clock)
    claims = [] if jump_s else _claim(store, settings, refreshed.jobs, pretended or now, clock=clock)
    taken = sum(len(claim.runs) for claim in claims)
    if taken:
        store.ticks.claimed(this, taken)
    stop_all_idle(store, settings, clock)
    started = hand_over(store, settings, clock, resume=True)
    news = [*look_after(store, settings, clock), *undelivered(store)]
    overdue = _drop_overdue(store, settings, clock)
    broken = [refreshed.jobs[name] for name in refreshed.changed if refreshed.jobs[name].problems]
    note = "; ".join(filter(None, (note, _tidy(store, settings, clock, pretended=pretended is not None))))
    if not pretended:
        remind(store, clock)
        digest_if_due(store, settings, now)
        note = "; ".join(filter(None, (note, redraw_if_due(store, settings, clock))))
    note = "; ".join(filter(None, (note, wake_senders(store, settings, clock))))
    told = tuple(run for run in interrupted if run.id in found or run.id in started)
    return Tick(
        told,
        tuple(claims),
        tuple(started),
        tuple(overdue),
        tuple(store.switches.tell()),
        tuple(broken),
        refreshed.settled,
        store.incidents.at(int(clock)) if silence_s else None,
        note,
        tuple(news),
    )


def _tidy(store: Store, settings: Settings, clock: float, *, pretended: bool) -> str:
    """What could not be let go, in a sentence: that ends no tick, whose work is done."""
    if pretended:
        return ""
    try:
        tidy_if_due(store, settings.retention, clock)
    except (OSError, sqlite3.Error) as error:
        return f"old runs could not be let go: {error}"
    return ""


def _claim(store: Store, settings: Settings, jobs: dict[str, JobRow], now: datetime, *, clock: float) -> list[Claimed]:
    due = [row for row in jobs.values() if row.next_due is not None and row.next_due <= now.timestamp()]
    due += followers(store, jobs)
    due.sort(key=lambda row: (row.next_due or 0, row.name))
    return claim_all(store, settings, due, now, clock=clock)


def _drop_overdue(store: Store, settings: Settings, now: float) -> list[Run]:
    """Runs whose `wait:` is over, counted from when they were created."""
    dropped = []
    for run in store.queue.overdue(now):
        limit = format_duration(timedelta(seconds=run.wait_s or 0))
        reason = f"waited {limit} {run.reason.removeprefix('waits ')}".rstrip()
        with store.database.together():
            is_dropped = store.queue.drop(run.id, now, status="skipped", reason=reason)
            shut = shut_for(settings, run)
            if is_dropped and shut:
                OutageAlarm(store, *shut, now).ended_wait(run, reason)
            elif is_dropped:
                did_not_run(store, run, reason, now)
        if is_dropped:
            dropped.append(replace(run, status="skipped", reason=reason))
    return dropped


def _rewind(store: Store, jobs: dict[str, JobRow], now: datetime) -> None:
    """The clock was ahead, or somebody pretended: what was decided for times still to come is open again."""
    moment = int(now.timestamp())
    for row in jobs.values():
        if row.schedule and row.decided_until > moment + AHEAD_S:
            occurrences, floor = occurrences_of(store, row), datetime.fromtimestamp(moment, UTC)
            store.slots.forget_skipped(row.name, moment, put_off=_put_off(occurrences, floor, row.decided_until))
            upcoming = occurrences.next_after(floor)
            next_due = None if upcoming is None else int(upcoming.acts_at.timestamp())
            store.catalog.rewind(row.name, decided_until=moment, next_due=next_due)


def _put_off(occurrences: Occurrences, now: datetime, until: int) -> list[int]:
    """Slots that are past and act later than now, by jitter or a window, up to a moment (UTC seconds)."""
    if isinstance(occurrences, Following):
        return []
    due = occurrences.due(now, datetime.fromtimestamp(until, UTC), newest=10_000)
    return [int(one.slot.timestamp()) for one in due.occurrences if one.slot <= now]
