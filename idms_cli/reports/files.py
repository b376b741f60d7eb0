"""The files that others look at, made from the history: the report page, and the metrics."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from idms_cli.config.replacing import replace_file
from idms_cli.config.settings import Settings
from idms_cli.dispatch.connections import shut_connections
from idms_cli.dispatch.refresh import refresh
from idms_cli.dispatch.settle import settle
from idms_cli.errors import IdmsError, InputError
from idms_cli.history.store import Store
from idms_cli.reports.connections import away_told
from idms_cli.reports.incidents import silence
from idms_cli.reports.standing import standings
from idms_cli.reports.web.gather import gather
from idms_cli.reports.web.render import render
from idms_cli.reports.wording import Clock

MODE = 0o644
"""A web server, or the exporter, runs under another account."""
DAY_S = 86_400
MOST = 1000
"""Messages that are counted."""


def page_of(
    store: Store, settings: Settings, now: datetime, *, examples: bool, every: timedelta | None = None
) -> bytes:
    """The report page. `examples` shows cells of rejected rows; `every`: how often it is made anew."""
    clock = Clock(settings.timezone, now)
    settle(store, now.timestamp())
    jobs = refresh(store, settings, now).jobs
    notices = [*filter(None, [silence(store, clock)]), *away_told(store, settings, clock)]
    return render(gather(store, jobs, notices, clock), examples=examples, every=every).encode()


def metrics_of(store: Store, settings: Settings, now: datetime) -> bytes:
    """The metrics in the text format of Prometheus. Raises `InputError` where its library is not installed."""
    if find_spec("prometheus_client") is None:
        raise InputError("metrics cannot be written here", hint="Install: pip install 'idms-cli[metrics]'")
    from idms_cli.reports.metrics import Snapshot, metrics_text  # noqa: PLC0415 - may not be there

    settle(store, now.timestamp())
    states = standings(store, refresh(store, settings, now).jobs, Clock(settings.timezone, now))
    away = shut_connections(store, settings)
    snapshot = Snapshot(states, away, connections=[*settings.connections], last_tick=store.ticks.last())
    snapshot.last_good = store.statistics.last_good()
    waiting, given_up = store.outbox.newest(MOST, only_open=True), store.outbox.given_up(now.timestamp() - DAY_S)
    snapshot.messages = {"waiting": len(waiting), "given_up": len(given_up)}
    return metrics_text(snapshot)


def put(path: Path, content: bytes) -> None:
    """Written beside and renamed, so that nobody reads half of it. Raises `OSError`."""
    replace_file(path, content, mode=MODE, durable=False)


def redraw(store: Store, settings: Settings, now: datetime) -> Iterator[str]:
    """Write the files that `report:` names; why one could not be written, which keeps the other from nothing."""
    wanted = settings.report
    if wanted is None:
        return
    if wanted.html:
        path = settings.directory / wanted.html
        try:
            put(path, page_of(store, settings, now, examples=wanted.examples, every=wanted.every))
        except (IdmsError, OSError) as error:
            yield f"the report page {path} could not be written: {_why(error)}"
    if wanted.metrics:
        path = settings.directory / wanted.metrics
        try:
            put(path, metrics_of(store, settings, now))
        except (IdmsError, OSError) as error:
            yield f"the metrics {path} could not be written: {_why(error)}"


def _why(error: IdmsError | OSError) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"{error}. {error.hint}" if error.hint else str(error)
