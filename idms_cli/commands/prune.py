"""`idms prune`: let go of what is older than `retention:` says, now."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.dispatch.upkeep import Tidying, tidy_all
from idms_cli.reports.page import show
from idms_cli.reports.upkeep import pruned_page


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@json_option
@pass_session
def command(session: Session, *, dry_run: bool, as_json: bool) -> None:
    """Let go of runs and run directories that are older than `retention:` in idms.yaml says.

    A tick does the same in small steps; nobody needs to call this. What is not over stays, and so do the newest runs of
    each job.
    """
    keep, now = session.settings.retention, session.now().timestamp()
    if dry_run:
        done = Tidying(session.store, keep, now).foreseen()
    else:
        done = tidy_all(session.store, keep, now, told=lambda _: None)
    show(pruned_page(done, keep, dry_run=dry_run), as_json=as_json)
