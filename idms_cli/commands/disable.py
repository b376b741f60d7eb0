"""`idms disable JOB --why REASON`: none of its slots runs until it is enabled."""

import click

from idms_cli.commands import Session, pass_session
from idms_cli.commands.deciding import who
from idms_cli.config.foreign import harmless
from idms_cli.dispatch.owed import settle_owed
from idms_cli.dispatch.reading import require_job
from idms_cli.dispatch.refresh import refresh
from idms_cli.reports.status import settled_line


@click.command()
@click.argument("job")
@click.option("--why", metavar="REASON", required=True, help="Shown wherever a slot of it is told as skipped.")
@pass_session
def command(session: Session, job: str, why: str) -> None:
    """Let no slot of JOB run until `idms enable JOB`; each is told as skipped. A run that is there already goes on.

    By hand it can be run all the same. Who disabled it, when and why is kept.
    """
    require_job(session.settings, job)
    name = who()
    why = harmless(why).strip()
    if not why:
        raise click.BadParameter("say why, for those who wonder later", param_hint="--why")
    now, reason = session.now(), f"disabled by {name}: {why}"
    row = refresh(session.store, session.settings, now).jobs[job]
    session.store.switches.disable(job, reason, now.timestamp(), by=name)
    settled = settle_owed(session.store, row, int(now.timestamp()), reason=reason)
    click.echo(f"{job} is disabled; `idms enable {job}` lets it run again")
    if settled:
        click.echo(settled_line(settled).text)
