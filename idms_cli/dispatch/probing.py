"""Trying a connection that did not work: by one process at a time, at a growing distance, or when a person asks."""

import os
import sys
from contextlib import suppress
from dataclasses import replace

from idms_cli.config.settings import Settings
from idms_cli.dispatch.connections import connections_of, in_words, outage_file, shut_connections
from idms_cli.dispatch.launch import hand_over, program
from idms_cli.dispatch.locks import take
from idms_cli.dispatch.outagealarms import OutageAlarm, end_outages
from idms_cli.errors import IdmsError, InputError
from idms_cli.history.store import Store
from idms_cli.imis.outages import has_news, no_news


def look_after(store: Store, settings: Settings, now: float) -> list[str]:
    """What a tick does: start a try where runs wait and it is time, and see to it that people are told.

    Returns what nobody was told yet on stderr, a line each.
    """
    away = shut_connections(store, settings)
    for shut in away:
        if shut.waiting and shut.outage.is_time(now):
            _spawn_probe(settings, shut.connection)
        waiting = filter(None, map(store.runs.one, shut.waiting))
        OutageAlarm(store, shut.connection, shut.outage, now).has_waiting(waiting)
    end_outages(store, [shut.connection for shut in away], now)
    return _news(store, settings, now) if has_news(settings.state) else []


def probe(store: Store, settings: Settings, connection: str, now: float) -> None:
    """Try a connection whose runs wait, if it is time and nobody else is at it; if it works, they start."""
    file = outage_file(settings, connection)
    alone = take(file.probing())
    if alone is None:
        return
    outage = file.current()
    if outage is not None and outage.is_time(now):
        with suppress(IdmsError):  # what came of it is in the file, for the runs that wait and for `idms status`
            try_connection(settings, connection)
    hand_over(store, settings, now)


def try_connection(settings: Settings, connection: str, *, try_refused: bool = False) -> None:
    """Log in if that is needed, and ask the site for something small. Raises why that did not work.

    `try_refused` logs in even with a secret that was refused before. The connection's runs learn from what came of it.
    """
    from idms_cli.imis.site import Site  # noqa: PLC0415 - loads httpx, which a tick does not need
    from idms_cli.modules.access import site_access  # noqa: PLC0415

    access = site_access(settings.connections[connection], connection, settings)
    with Site(replace(access, try_refused=try_refused)) as site:
        try:
            site.knock()
        except InputError:  # the secret cannot be read here
            outage_file(settings, connection).put_off(site.clock.now())
            raise


def _news(store: Store, settings: Settings, now: float) -> list[str]:
    news = []
    no_news(settings.state)  # first: what comes while we look is told by the next tick
    for name in settings.connections:
        untold = outage_file(settings, name).tell()
        if untold:
            waiting = sum(name in connections_of(run) and run.status != "running" for run in store.runs.open())
            news.append(in_words(name, untold, settings, now, waiting=waiting))
    return news


def _spawn_probe(settings: Settings, connection: str) -> None:
    """A process of its own, which asks the site: a tick does not. If there is one already, it leaves at once."""
    os.posix_spawn(
        sys.executable,
        [*program(settings), "connection", "probe", connection],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
