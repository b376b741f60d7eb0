"""`idms connection`: how the connections stand; `idms connection try NAME` asks the site now."""

import os

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.config.spelling import did_you_mean
from idms_cli.dispatch.launch import hand_over
from idms_cli.dispatch.probing import probe, try_connection
from idms_cli.errors import InputError
from idms_cli.reports.connections import connections_page, tried_page
from idms_cli.reports.page import show
from idms_cli.reports.wording import Clock


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """How the connections of idms.yaml stand: which do not work, since when, and what waits for them."""
    if context.invoked_subcommand is None:
        session = context.ensure_object(Session)
        clock = Clock(session.settings.timezone, session.now())
        show(connections_page(session.store, session.settings, clock), as_json=as_json)


@command.command("try")
@click.argument("name")
@json_option
@pass_session
def try_now(session: Session, name: str, *, as_json: bool) -> None:
    """Ask the site of connection NAME now, and log in even with a secret that it has refused before.

    If it works, the runs that wait for it start. Exit code 4 login refused, 5 out of reach.
    """
    settings = session.settings
    if name not in settings.connections:
        known = f"Connections: {', '.join(settings.connections) or 'none'}."
        raise InputError(f"there is no connection '{name}'", hint=did_you_mean(name, settings.connections) or known)
    try_connection(settings, name, try_refused=True)
    started = hand_over(session.store, settings, session.now().timestamp())
    show(tried_page(session.store, name, started), as_json=as_json)


@command.command("probe", hidden=True)
@click.argument("name")
@pass_session
def probe_now(session: Session, name: str) -> None:
    """Try a connection that runs wait for, if it is time. Not for people."""
    os.chdir("/")
    probe(session.store, session.settings, name, session.now().timestamp())
