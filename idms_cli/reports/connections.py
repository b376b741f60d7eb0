"""The connections: which work, which do not and since when, and how many runs wait for them."""

from collections.abc import Iterator, Sequence

from idms_cli.config.settings import Settings
from idms_cli.dispatch.connections import ShutConnection, connections_of, in_words, shut_connections
from idms_cli.history.rows import moment
from idms_cli.history.store import Store
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import Clock, some


def connections_page(store: Store, settings: Settings, clock: Clock) -> Page:
    """A line for each connection, and a sentence for each that does not work."""
    if not settings.connections:
        return Page({"connections": []}, [Line(f"{settings.path} has no connections: yet.")])
    away = {shut.connection: shut for shut in shut_connections(store, settings)}
    rows = [
        (name, away[name].outage.kind if name in away else "ok", connection.username, connection.url)
        for name, connection in settings.connections.items()
    ]
    data = [
        shut_data(away[name]) if name in away else {"connection": name, "state": "ok"} for name in settings.connections
    ]
    lines = outage_lines(list(away.values()), settings, clock)
    return Page({"connections": data}, [Table(("connection", "state", "user", "site"), rows), *lines])


def away_page(store: Store, settings: Settings, clock: Clock) -> Page:
    """The connections that do not work, for the head of another page."""
    away = shut_connections(store, settings)
    return Page({"connections": [shut_data(one) for one in away]}, list(outage_lines(away, settings, clock)))


def tried_page(store: Store, name: str, started: Sequence[int]) -> Page:
    """What came of trying a connection that works."""
    waiting = [run.id for run in store.runs.open() if run.status == "pending" and name in connections_of(run)]
    told = f"connection {name} works"
    if started:
        told += f"; started: run {', '.join(map(str, started))}"
    if waiting:
        told += f"; {some(len(waiting), 'run')} follow{'s' if len(waiting) == 1 else ''} one after another"
    return Page(
        {"connection": name, "state": "ok", "started": list(started), "waiting": waiting}, [Line(told, "green")]
    )


def away_told(store: Store, settings: Settings, clock: Clock) -> list[str]:
    """A sentence for each connection that does not work."""
    return [line.text for line in outage_lines(shut_connections(store, settings), settings, clock)]


def outage_lines(away: Sequence[ShutConnection], settings: Settings, clock: Clock) -> Iterator[Line]:
    """A sentence for each connection that does not work."""
    for one in away:
        text = in_words(one.connection, one.outage, settings, clock.now.timestamp(), waiting=len(one.waiting))
        yield Line(text, "bold red")


def shut_data(shut: ShutConnection) -> dict[str, object]:
    """A connection that does not work, as JSON."""
    outage = shut.outage
    since, following = moment(outage.since), moment(outage.next_try)
    return {
        "connection": shut.connection,
        "state": outage.kind,
        "since": since.isoformat() if since else None,
        "reason": outage.reason,
        "hint": outage.hint,
        "tries": outage.tries,
        "next_probe": following.isoformat() if following else None,
        "waiting": list(shut.waiting),
    }
