"""`idms report --html FILE`: how all jobs stand, as one web page."""

from pathlib import Path

import click

from idms_cli.commands import Session, pass_session
from idms_cli.reports.files import page_of, put


@click.command()
@click.option("--html", "target", metavar="FILE", required=True, help="The page to write; - is the output.")
@click.option("--examples", is_flag=True, help="Show cells of rejected rows: they may be personal data.")
@pass_session
def command(session: Session, target: str, *, examples: bool) -> None:
    """One page that needs nothing else: no script, no network. For a web server, a mail or a printer.

    With `report:` in idms.yaml, run-due keeps one fresh.
    """
    page = page_of(session.store, session.settings, session.now(), examples=examples)
    if target == "-":
        click.echo(page, nl=False)
    else:
        put(Path(target).absolute(), page)
