"""`idms run JOB`: now, and wait for it."""

from dataclasses import replace

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.foreground import see_through
from idms_cli.commands.options import accepted, find_job_with, match_options, parameter_options
from idms_cli.dispatch.claim import new_run
from idms_cli.dispatch.foreground import create_in_foreground


@click.command()
@click.argument("job")
@click.option("--dry-run", is_flag=True, help="Plan and show what would be written; write nothing.")
@click.option("--limit", metavar="N", type=click.IntRange(1, 1_000_000_000), help="Only the first N rows.")
@match_options
@parameter_options
@json_option
@pass_session
def command(
    session: Session,
    job: str,
    *,
    dry_run: bool,
    limit: int | None,
    given: tuple[str, ...],
    parameters: tuple[str, ...],
    as_json: bool,
) -> int:
    """Run JOB now and wait for its end; its schedule stays as it is.

    Exit code 0 completed, 1 partial or failed, 4 login refused, 5 site or file out of reach, 6 held, 130 stopped.
    """
    found, work = find_job_with(session.settings, job, given)
    new = replace(new_run(session.store, found, work), dry_run=dry_run, row_limit=limit)
    new = replace(new, parameters=accepted(work, job, parameters))
    if dry_run:
        new = replace(new, locks=())  # it writes nothing, and waits for nobody
    return see_through(session, *create_in_foreground(session.store, new), as_json=as_json)
