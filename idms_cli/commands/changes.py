"""`idms changes RUN | --record ENTITY/KEY`: what was written, field by field."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.commands.deciding import find_run
from idms_cli.imis.kinds import key_of_words
from idms_cli.reports.changes import record_changes_page, run_changes_page
from idms_cli.reports.page import show
from idms_cli.reports.wording import Clock


@click.command()
@click.argument("run_id", metavar="[RUN]", type=int, required=False)
@click.option("--record", metavar="ENTITY/KEY", help="Who changed it, when: Party/123, Activity/4711, ABC_Scores/123.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000_000),
    default=100,
    show_default=True,
    metavar="N",
    help="How many records at most.",
)
@json_option
@pass_session
def command(session: Session, run_id: int | None, record: str | None, limit: int, *, as_json: bool) -> None:
    """What a run changed, field by field; or who changed a record, when, from what."""
    if (run_id is None) == (record is None):
        raise click.UsageError("give either a RUN or --record ENTITY/KEY")
    if record is None:
        assert run_id is not None  # noqa: S101 - told above
        run = find_run(session, run_id)
        page = run_changes_page(run, session.store.run_directory(run_id), limit)
    else:
        entity, _, key = record.partition("/")
        if not entity or not key:
            raise click.BadParameter(f"'{record}' is not ENTITY/KEY, such as Party/123", param_hint="--record")
        clock = Clock(session.settings.timezone, session.now())
        page = record_changes_page(session.store, entity, key_of_words(key), clock, limit)
    show(page, as_json=as_json, paged=True)
