"""The outbox: what people were told, what they were not, and why."""

from collections.abc import Sequence
from typing import Any

from idms_cli.history.outbox import Queued
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import Clock

STATES = {"handed": "sending", "failed": "given up"}
"""For people: that it may have been sent already is for the sender."""


def messages_page(messages: Sequence[Queued], clock: Clock) -> Page:
    """Newest first."""
    rows = [
        (
            clock.moment(message.created_at),
            message.channel,
            _about(message),
            message.kind,
            STATES.get(message.state, message.state),
            _what(message, clock),
        )
        for message in messages
    ]
    parts: list[Line | Table] = [Table(("when", "channel", "job", "what", "state", ""), rows)] if rows else []
    return Page({"messages": [*map(_data, messages)]}, parts or [Line("There are no messages.")])


def _about(message: Queued) -> str:
    connection = message.facts.get("connection")
    return f"connection {connection}" if connection else message.job or "-"


def _what(message: Queued, clock: Clock) -> str:
    parts = [message.reason or message.subject]
    if message.state == "waiting" and message.tries:
        tried = "once" if message.tries == 1 else f"{message.tries} times"
        parts.append(f"tried {tried}, again {clock.moment(message.next_at)}")
    return "; ".join(filter(None, parts))


def _data(message: Queued) -> dict[str, Any]:
    return {
        "id": message.id,
        "channel": message.channel,
        "kind": message.kind,
        "job": None if message.facts.get("connection") else message.job or None,
        "connection": message.facts.get("connection"),
        "created": message.created_at.isoformat(),
        "state": message.state,
        "subject": message.subject or None,
        "tries": message.tries,
        "next": message.next_at.isoformat() if message.ended_at is None else None,
        "ended": message.ended_at.isoformat() if message.ended_at else None,
        "reason": message.reason or None,
        "facts": dict(message.facts),
    }
