"""Messages that could not be delivered: who looks at the jobs has to know that nobody was told."""

from collections.abc import Iterator, Sequence
from typing import Any

from idms_cli.config.foreign import shortened
from idms_cli.history.outbox import Queued
from idms_cli.reports.page import Line, Page
from idms_cli.reports.wording import Clock, some

REASON_SHOWN = 100


def undelivered_page(given_up: Sequence[Queued], clock: Clock) -> Page:
    """A line for each channel, for the head of another page; `given_up` is newest first."""
    channels: dict[str, list[Queued]] = {}
    for message in given_up:
        channels.setdefault(message.channel, []).append(message)
    return Page(
        {"undelivered": [_data(name, messages) for name, messages in channels.items()]},
        list(_lines(channels, clock)),
    )


def _lines(channels: dict[str, list[Queued]], clock: Clock) -> Iterator[Line]:
    for name, (newest, *others) in channels.items():
        number = some(1 + len(others), "message")
        last = (
            f"the last at {clock.moment(newest.ended_at)}" if others else f"given up at {clock.moment(newest.ended_at)}"
        )
        why = shortened(newest.reason, REASON_SHOWN)
        text = f"{number} could not be delivered by channel {name}, {last}: {why} (idms notify list)"
        yield Line(text, "bold red")


def _data(name: str, messages: Sequence[Queued]) -> dict[str, Any]:
    newest = messages[0]
    return {
        "channel": name,
        "messages": len(messages),
        "last_at": newest.ended_at.isoformat() if newest.ended_at else None,
        "reason": newest.reason,
    }
