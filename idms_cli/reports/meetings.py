"""Jobs that will meet on the same data, in sentences."""

from collections.abc import Collection, Iterator
from typing import Any

from idms_cli.dispatch.forecasting import GUESS_S
from idms_cli.dispatch.wording import name_of
from idms_cli.jobs.conflicts import Conflict
from idms_cli.jobs.meetings import DAYS, Forecast, Meeting
from idms_cli.modules import DataLock
from idms_cli.reports.page import Line
from idms_cli.reports.wording import Clock, duration, some

SHOWN = 10


def meeting_lines(forecast: Forecast, clock: Clock, *, guessed: Collection[str] = ()) -> Iterator[Line]:
    """A note for each pair, the most frequent first; `guessed` are the jobs that never ran."""
    if not forecast.meetings:
        return
    yield Line(f"In the next {DAYS} days, one of these will wait for the other:", "bold")
    for meeting in forecast.meetings[:SHOWN]:
        yield Line(f"    {_sentence(meeting, clock)}")
    more = len(forecast.meetings) - SHOWN + forecast.more
    if more > 0:
        yield Line(f"    ... and {some(more, 'pair')} more: see idms check --json.")
    if any({meeting.first, meeting.second} & set(guessed) for meeting in forecast.meetings[:SHOWN]):
        yield Line(f"    A job that never ran is taken to last {duration(GUESS_S)}.", "dim")


def meetings_data(forecast: Forecast) -> dict[str, Any]:
    """The same as JSON."""
    return {"meetings": [_data(meeting) for meeting in forecast.meetings], "more_meetings": forecast.more}


def conflict_mark(conflict: Conflict) -> str:
    """`waits for lms-completions (activity on live)`, or that the other one waits."""
    told = f"waits for {conflict.other}" if conflict.waits else f"{conflict.other} waits for it"
    return f"{told} ({_data_name(conflict.resource)})"


def _data_name(resource: str) -> str:
    return name_of(DataLock(resource, write=True))


def _sentence(meeting: Meeting, clock: Clock) -> str:
    often = some(meeting.times, "time") if meeting.exact else f"about {some(meeting.times, 'time')}"
    what = _data_name(meeting.resource)
    text = f"{meeting.first} and {meeting.second} over {what}: {often}, first {clock.moment(meeting.at)}."
    free = meeting.suggestion
    if free is None:
        return f"{text} There is no free time for either."
    return f"{text} {free.job} would meet nobody {_later(free.later_min)} later ({clock.moment(free.start)})."


def _later(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join(filter(None, (some(hours, "hour") if hours else "", some(rest, "minute") if rest else "")))


def _data(meeting: Meeting) -> dict[str, Any]:
    free = meeting.suggestion
    return {
        "jobs": [meeting.first, meeting.second],
        "resource": meeting.resource,
        "first": meeting.at.isoformat(),
        "times": meeting.times,
        "exact": meeting.exact,
        "suggestion": None
        if free is None
        else {"job": free.job, "later_min": free.later_min, "start": free.start.isoformat()},
    }
