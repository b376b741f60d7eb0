"""`idms notify`: what was told to whom, and a try of a channel."""

import click

from idms_cli.commands import Session, json_option, pass_session
from idms_cli.config.spelling import did_you_mean
from idms_cli.dispatch.sending import try_channel
from idms_cli.errors import DeliveryRefused, InputError
from idms_cli.reports.messages import messages_page
from idms_cli.reports.page import Line, Page, show
from idms_cli.reports.wording import Clock


@click.group()
def command() -> None:
    """Messages: what was sent, failed or waits, and whether a channel works."""


@command.command("list")
@click.option("--waiting", is_flag=True, help="Only what is still to be sent.")
@click.option("--failed", is_flag=True, help="Only what was given up: nobody got it, and it is not tried again.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many, newest first.")
@json_option
@pass_session
def messages(session: Session, *, waiting: bool, failed: bool, limit: int, as_json: bool) -> None:
    """What was sent, what failed and why, and what waits."""
    if waiting and failed:
        raise InputError("--waiting and --failed exclude each other", hint="What failed does not wait any more.")
    outbox = session.store.outbox
    found = outbox.given_up(0.0, limit=limit) if failed else outbox.newest(limit, only_open=waiting)
    show(messages_page(found, Clock(session.settings.timezone, session.now())), as_json=as_json)


@command.command("test")
@click.argument("channel")
@json_option
@pass_session
def test(session: Session, channel: str, *, as_json: bool) -> None:
    """Send a message by CHANNEL now, and say what became of it. Exit code 1 when it could not be sent."""
    channels = session.settings.channels
    if channel not in channels:
        known = f"Channels: {', '.join(channels)}." if channels else "Write `channels:` in idms.yaml."
        raise InputError(f"there is no channel '{channel}'", hint=did_you_mean(channel, channels) or known)
    sent = try_channel(session.store, session.settings, channel, session.now().timestamp())
    if sent is None:
        raise DeliveryRefused(
            f"{channel}: other messages are being sent there just now",
            hint="Try again in a minute; `idms notify list`.",
        )
    if sent.state != "sent":
        raise DeliveryRefused(f"{channel}: {sent.reason}", hint="Nothing of it is tried again: it was a test.")
    kind = channels[channel].kind
    show(Page({"channel": channel, "kind": kind, "sent": True}, [Line(f"{channel}: sent ({kind})")]), as_json=as_json)
