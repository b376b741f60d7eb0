"""`idms metrics`: how things stand, for the textfile collector of Prometheus' node exporter."""

from pathlib import Path

import click

from idms_cli.commands import Session, pass_session
from idms_cli.reports.files import metrics_of, put


@click.command()
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there, whole or not at all.")
@pass_session
def command(session: Session, *, out: Path | None) -> None:
    """Metrics in the text format of Prometheus: jobs, their last runs and next slots, connections, the last tick.

    For the node exporter: `idms metrics --out /var/lib/node_exporter/idms.prom` each minute, after run-due; or let
    run-due write it, with `report:` in idms.yaml.
    """
    text = metrics_of(session.store, session.settings, session.now())
    if out is None:
        click.echo(text, nl=False)
    else:
        put(out.absolute(), text)
