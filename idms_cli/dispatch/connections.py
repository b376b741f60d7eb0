"""Runs whose connection is down, or refuses the login: they wait behind one try, and then start one after another."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from idms_cli.config.durations import format_duration
from idms_cli.config.settings import Settings
from idms_cli.dispatch.locks import run_lock, take
from idms_cli.dispatch.outagealarms import OutageAlarm
from idms_cli.history.rows import Run
from idms_cli.history.store import Store
from idms_cli.imis.outages import Outage, OutageFile

STAGGER_S = 15.0
"""After an outage one run starts, and one more beside it for each stretch of this length."""

_SCHEME = "imis:"


@dataclass(frozen=True)
class ShutConnection:
    """A connection that does not work, and the runs that wait for it."""

    connection: str
    outage: Outage
    waiting: tuple[int, ...]


def connections_of(run: Run) -> set[str]:
    """The connections that a run uses, from the data that it reads and writes (`imis:live/Activity`)."""
    return sites_of(lock["resource"] for lock in run.locks)


def sites_of(resources: Iterable[str]) -> set[str]:
    """The connections behind these pieces of data."""
    return {one[len(_SCHEME) :].partition("/")[0] for one in resources if one.startswith(_SCHEME)}


def outage_file(settings: Settings, connection: str) -> OutageFile:
    """Raises KeyError for a connection that idms.yaml does not have."""
    found = settings.connections[connection]
    return OutageFile(settings.state, connection, url=found.url, username=found.username)


def why_wait(store: Store, settings: Settings, run: Run, now: float) -> str:
    """Why a run cannot start for its connections; empty when it may.

    A run that a person has just asked for tries the connection itself, and tells how that went.
    """
    if run.foreground and run.status == "pending" and run.decided_by is None:
        return ""
    reasons = (_why_wait_for(store, settings, name, now) for name in sorted(connections_of(run)))
    return next(filter(None, reasons), "")


def why_shut(settings: Settings, run: Run, now: float) -> str:
    """Why a run that has begun cannot go on: a connection of it does not work. Empty when all do."""
    for name in sorted(connections_of(run) & set(settings.connections)):
        outage = outage_file(settings, name).current()
        if outage:
            return _waits_for(name, outage, settings, now)
    return ""


def give_up_late(store: Store, settings: Settings, moment: float, now: float) -> None:
    """Waiting runs whose slot is over its grace at `moment` are skipped; `now` is when that is written down."""
    if not any(_away(settings, name) for name in settings.connections):
        return
    for run in store.queue.late(moment):
        shut = shut_for(settings, run)
        lock = take(run_lock(store.run_directory(run.id))) if shut else None
        if lock is None:
            continue  # it may start, or somebody is just starting it
        fresh = store.runs.one(run.id)
        if shut and fresh is not None and fresh.status == "pending" and fresh.due is not None and run.start_by:
            name, outage = shut
            grace = format_duration(run.start_by - fresh.due)
            reason = f"over the grace of {grace}; connection {name} {_state(outage, settings, now)}"
            with store.database.together():
                if store.runs.end(run.id, now, {"status": "skipped", "reason": reason}):
                    OutageAlarm(store, name, outage, now).ended_wait(fresh, reason)
        lock.release()


def shut_for(settings: Settings, run: Run) -> tuple[str, Outage] | None:
    """The first connection of a run that does not work, if one does not."""
    found = ((name, _away(settings, name)) for name in sorted(connections_of(run)))
    return next(((name, outage) for name, outage in found if outage), None)


def shut_connections(store: Store, settings: Settings) -> list[ShutConnection]:
    """The connections that do not work now, with the runs that wait for them."""
    found = []
    for name in settings.connections:
        outage = _away(settings, name)
        if outage:
            waiting = [run.id for run in store.runs.open() if run.status != "running" and name in connections_of(run)]
            found.append(ShutConnection(name, outage, tuple(waiting)))
    return found


def in_words(name: str, outage: Outage, settings: Settings, now: float, *, waiting: int) -> str:
    """One line about a connection for a person."""
    runs = "1 run waits" if waiting == 1 else f"{waiting} runs wait"
    since = _time(outage.since, settings, now)
    if outage.back_at is not None:
        lasted = format_duration(timedelta(seconds=round(outage.back_at - outage.since)))
        return f"connection {name} works again since {_time(outage.back_at, settings, now)}, after {lasted}"
    if outage.kind == "refused":
        return f"connection {name}: login refused since {since}; {runs}. {outage.reason} {outage.hint}"
    if not waiting:
        runs = "no run waits for it, so nobody asks it"
    else:
        runs = f"{runs}, next probe {_time(outage.next_try, settings, now)}"
    return f"connection {name} is down since {since}; {runs}. {outage.reason}"


def _away(settings: Settings, name: str) -> Outage | None:
    return outage_file(settings, name).current() if name in settings.connections else None


def _why_wait_for(store: Store, settings: Settings, name: str, now: float) -> str:
    if name not in settings.connections:
        return ""  # the run will tell
    file = outage_file(settings, name)
    outage = file.read()
    if outage is None:
        return ""
    if outage.back_at is None:
        return _waits_for(name, outage, settings, now)
    may_run = 1 + max(0, int((now - outage.back_at) / STAGGER_S))
    if may_run > settings.max_parallel:
        file.forget()
        return ""
    running = sum(run.status == "running" and name in connections_of(run) for run in store.runs.open())
    if running < may_run:
        return ""
    back = _time(outage.back_at, settings, now)
    return f"waits for connection {name}, back since {back}: its runs start one after another"


def _waits_for(name: str, outage: Outage, settings: Settings, now: float) -> str:
    since = _time(outage.since, settings, now)
    if outage.kind == "refused":
        return f"waits for connection {name}, login refused since {since}; until its secret changes"
    return f"waits for connection {name}, down since {since}; next probe {_time(outage.next_try, settings, now)}"


def _state(outage: Outage, settings: Settings, now: float) -> str:
    since = _time(outage.since, settings, now)
    return f"has refused the login since {since}" if outage.kind == "refused" else f"was down since {since}"


def _time(seconds: float, settings: Settings, now: float) -> str:
    """`02:15` by the clock of idms.yaml's zone, with the date unless that is today."""
    local, today = (datetime.fromtimestamp(one, UTC).astimezone(settings.timezone) for one in (seconds, now))
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M}"
