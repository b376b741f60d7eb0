"""`idms send CHANNEL`: the process that sends what waits for one channel, started with the channel's lock held."""

import os

import click

from idms_cli.commands import Session, pass_session
from idms_cli.dispatch.locks import Lock
from idms_cli.dispatch.sending import send_waiting


@click.command(hidden=True)
@click.argument("channel")
@click.option("--lock", type=int, required=True, help="Descriptor of the held lock, as handed over.")
@pass_session
def command(session: Session, channel: str, lock: int) -> None:
    """Send the messages of a channel. Not for people."""
    os.set_inheritable(lock, False)
    os.chdir("/")  # it must not keep the directory busy in which somebody happened to call run-due
    send_waiting(session.store, session.settings, channel, Lock(lock))
