"""`idms metrics`: how things stand, for the textfile collector of Prometheus' node exporter."""

from importlib.util import find_spec
from pathlib import Path

import click

from idms_cli.commands import Session, pass_session
from idms_cli.dispatch.connections import shut_connections
from idms_cli.dispatch.refresh import refresh
from idms_cli.dispatch.settle import settle
from idms_cli.errors import InputError
from idms_cli.reports.standing import standings
from idms_cli.reports.wording import Clock


@click.command()
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there, whole or not at all.")
@pass_session
def command(session: Session, *, out: Path | None) -> None:
    """Metrics in the text format of Prometheus: jobs, their last runs and next slots, connections, the last tick.

    For the node exporter: `idms metrics --out /var/lib/node_exporter/idms.prom` each minute, after run-due.
    """
    if find_spec("prometheus_client") is None:
        raise InputError("metrics cannot be written here", hint="Install: pip install 'idms-cli[metrics]'")
    from idms_cli.reports.metrics import Snapshot, metrics_text, write_metrics  # noqa: PLC0415 - may not be there

    store, now = session.store, session.now()
    settle(store, now.timestamp())
    states = standings(store, refresh(store, session.settings, now).jobs, Clock(session.settings.timezone, now))
    away = shut_connections(store, session.settings)
    snapshot = Snapshot(states, away, connections=[*session.settings.connections], last_tick=store.ticks.last())
    snapshot.last_good = store.statistics.last_good()
    if out is None:
        click.echo(metrics_text(snapshot), nl=False)
    else:
        write_metrics(snapshot, out.absolute())
