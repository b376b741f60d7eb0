"""Why a job did or did not run at a moment, in one sentence, and when it will."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from idms_cli.dispatch.facts import Facts, Near
from idms_cli.history.rows import JobRow, Run, Slot, moment
from idms_cli.history.ticks import SILENT_AFTER_S
from idms_cli.jobs.occurrences import Occurrence
from idms_cli.reports.page import Line, Page
from idms_cli.reports.wording import Clock, duration, late, result


def why_page(facts: Facts, clock: Clock) -> Page:
    """Two sentences: what was, and what will be."""
    sentence, upcoming = _sentence(facts, clock), _next(facts, clock)
    lines = [Line(sentence, "bold"), Line(upcoming), Line(f"Times are in {clock.zone}.", "dim")]
    return Page({"why": {**_data(facts), "sentence": sentence, "next": upcoming}}, lines)


def _sentence(facts: Facts, clock: Clock) -> str:
    """The first that has something to say says it; the last always has."""
    return next(filter(None, (tell(facts, clock) for tell in (_slot, _occurrence, _not_due, _under_way, _nothing_yet))))


def _slot(facts: Facts, clock: Clock) -> str:
    if facts.slot is None:
        return ""
    if facts.slot.verdict != "run":
        return _skipped(facts, facts.slot, clock)
    if facts.run is None:
        return f"{facts.job} ran for {clock.moment(facts.slot.due)}: run {facts.slot.run}, which is no longer kept."
    return _ran(facts, facts.run, clock)


def _occurrence(facts: Facts, clock: Clock) -> str:
    if facts.occurrence is None:
        return ""
    is_due = facts.occurrence.acts_at <= facts.now
    return (_undecided if is_due else _to_come)(facts, facts.occurrence, clock)


def _under_way(facts: Facts, clock: Clock) -> str:
    del clock
    if facts.run is None:
        return ""
    return f"{facts.job} is {facts.run.status}: run {facts.run.id}, started by hand{_because(facts.run)}."


def _nothing_yet(facts: Facts, clock: Clock) -> str:
    if facts.row and facts.row.schedule:
        return f"{facts.job} has not been due yet: it was first seen {clock.moment(moment(facts.row.first_seen))}."
    return f"{facts.job} never ran on its own: it has no schedule."


def _ran(facts: Facts, run: Run, clock: Clock) -> str:
    when = clock.moment(run.due)
    silence = _silence(facts, clock)
    if run.status == "pending":
        return f"{facts.job} is to run for {when}{late(run)}: run {run.id} is pending{_because(run)}.{silence}"
    if run.status == "held":
        told = f"run {run.id} is held for approval{_because(run)}; `idms approve {run.id}` or `idms reject {run.id}`"
        return f"{facts.job} is to run for {when}{late(run)}: {told}.{silence}"
    if run.is_open:
        return f"{facts.job} runs for {when}{late(run)}: run {run.id} is {run.status}{_because(run)}.{silence}"
    if run.status == "skipped":
        return f"{facts.job} did not run for {when}: run {run.id} was skipped{_because(run)}.{silence}"
    took = f" in {duration(run.duration_s)}" if run.duration_s is not None else ""
    told = "; ".join(filter(None, (f"run {run.id}, {run.status}{took}", result(run))))
    return f"{facts.job} ran for {when}{late(run)}: {told.removesuffix('.')}.{silence}"


def _skipped(facts: Facts, slot: Slot, clock: Clock) -> str:
    when = clock.moment(facts.at if slot.until and facts.at else slot.due)
    told = f"{facts.job} did not run for {when}: {_phrase(slot).removesuffix('.')}.{_silence(facts, clock)}"
    if facts.made_up:
        told += f" Run {facts.made_up.id} made up for it: {facts.made_up.status}."
    return told


PHRASES: dict[str, Callable[[str], str]] = {
    "overlap": lambda more: more.replace(" is still ", " was still ").replace(" will be ", " was to be "),
    "paused": lambda more: f"it was paused, {more}",
    "untested": lambda more: f"it had not passed its test, {more}",
    "disabled": lambda more: f"it was switched off, {more}",
    "broken": lambda more: f"its file was broken, {more}",
    "missed": lambda more: f"it was missed, {more}",
    "past": lambda more: more,
    "window": lambda more: more,
    "removed": lambda more: more,
    "schedule changed": lambda more: f"the schedule was changed before anybody called run-due; {more}",
}
"""What each reason reads like behind a colon; one that is not here is told as it is."""


def _phrase(slot: Slot) -> str:
    _, _, more = slot.reason.partition(": ")
    known = PHRASES.get(slot.code)
    return known(more) if known else slot.reason


def _undecided(facts: Facts, occurrence: Occurrence, clock: Clock) -> str:
    since = f"since {clock.moment(facts.last_tick)}" if facts.last_tick else "ever"
    slot = clock.moment(occurrence.slot)
    return f"{facts.job} was due {slot}, and nothing has been decided yet: nobody has called run-due {since}."


def _to_come(facts: Facts, occurrence: Occurrence, clock: Clock) -> str:
    slot, against = clock.moment(occurrence.slot), _against(facts, occurrence, clock)
    if against:
        return f"{facts.job} will not run for {slot}: {against}."
    later = f", at {clock.moment(occurrence.acts_at)}" if occurrence.acts_at != occurrence.slot else ""
    note = f" ({occurrence.note})" if occurrence.note else ""
    return f"{facts.job} is to run for {slot}{later}{note}: that is still to come."


def _against(facts: Facts, occurrence: Occurrence, clock: Clock) -> str:
    """What will keep a slot that is still to come from running, as far as it is known now."""
    if facts.row and facts.row.problems:
        return f"its file is broken, {_problem(facts.row)}"
    if facts.row and not facts.row.enabled:
        return "the job file says enabled: false"
    if facts.row and facts.row.disabled:
        return f"it is {facts.row.disabled}"
    if facts.pause and facts.pause.covers(occurrence.acts_at):
        return f"it is {facts.pause.reason}"
    code, _, more = occurrence.skip.partition(": ")
    if code == "window" and " took " in more:
        return f"{more.replace(' took ', ' takes ')}, {clock.moment(occurrence.acts_at)}"
    return occurrence.skip


def _not_due(facts: Facts, clock: Clock) -> str:
    if facts.at is None:
        return ""
    near = [_near(each, word, clock) for each, word in ((facts.before, "before"), (facts.after, "after")) if each]
    nearest = f" Nearest slot{'s' if len(near) > 1 else ''}: {', '.join(near)}." if near else ""
    return f"{_why_not_due(facts, facts.at, clock)}.{nearest}"


def _why_not_due(facts: Facts, at: datetime, clock: Clock) -> str:
    when, row, job = clock.moment(at), facts.row, facts.job
    if row is None:
        return f"{job} was not due {when}: its file is gone"
    if facts.before is None and at.timestamp() < row.first_seen:
        return f"{job} was not there {when}: it was first seen {clock.moment(moment(row.first_seen))}"
    if facts.before is None and not row.schedule:
        return f"{job} was not due {when}: it has no schedule"
    is_or_was = "is" if at > facts.now else "was"
    told = f"{job} {is_or_was} not due {when}"
    if facts.moved:
        return f"{told}: it {is_or_was} moved to {clock.moment(facts.moved.slot)} for {facts.moved.holiday}"
    if at.timestamp() < row.since:
        told += f" (its schedule is what it is since {clock.moment(moment(row.since))})"
    return told


def _near(near: Near, word: str, clock: Clock) -> str:
    verdict = f" ({near.verdict})" if near.verdict else ""
    return f"{clock.moment(near.moment)}{verdict} {word} it"


def _next(facts: Facts, clock: Clock) -> str:
    never = _never(facts)
    if not never and facts.row and facts.row.upstream:
        return f"Next: when the next run of {facts.row.upstream} is over; `idms why {facts.row.upstream}`."
    if never or facts.upcoming is None:
        return never or "It will not run again: its schedule is over."
    paused = f", after the pause, {facts.pause.reason.removeprefix('paused: ')}" if facts.pause else ""
    silent = facts.last_tick is None or (facts.now - facts.last_tick).total_seconds() > SILENT_AFTER_S
    called = ", if somebody calls run-due again" if silent else ""
    tested = f", if `idms test {facts.job}` passes before" if facts.is_untested else ""
    return f"Next: {clock.moment(facts.upcoming.acts_at)}{paused}{tested}{called}."


def _never(facts: Facts) -> str:
    """What has to be done by somebody before the job runs on its own; empty where nothing has."""
    return _never_by_its_file(facts.row, facts.job) or _never_by_somebody(facts)


def _never_by_its_file(row: JobRow | None, job: str) -> str:
    if row is None:
        return "It will not run: its file is gone."
    if row.problems:
        return f"It will not run before its file is mended: {_problem(row)}."
    if not row.schedule:
        return f"It runs when somebody calls `idms run {job}`."
    return "" if row.enabled else "It will not run on its own: the job file says enabled: false."


def _never_by_somebody(facts: Facts) -> str:
    if facts.row and facts.row.disabled:
        return f"It will not run before somebody calls `idms enable {facts.job}`; it is {facts.row.disabled}."
    if facts.pause and facts.pause.until is None:
        return f"It will not run before somebody calls `idms resume {facts.job}`; it is {facts.pause.reason}."
    return ""


def _problem(row: JobRow) -> str:
    problem = row.problems[0]
    return f"{problem['file']}:{problem['line']}: {problem['message']}"


def _silence(facts: Facts, clock: Clock) -> str:
    if facts.incident is None:
        return ""
    return f" Nobody called run-due from {clock.moment(facts.incident.since)} to {clock.moment(facts.incident.until)}."


def _because(run: Run) -> str:
    return f", {run.reason.removesuffix('.')}" if run.reason else ""


def _data(facts: Facts) -> dict[str, Any]:
    slot = facts.slot.due if facts.slot else facts.occurrence.slot if facts.occurrence else None
    return {
        "job": facts.job,
        "at": facts.at.isoformat() if facts.at else None,
        "slot": slot.isoformat() if slot else None,
        "verdict": facts.slot.verdict if facts.slot else None,
        "code": facts.slot.code if facts.slot else None,
        "reason": facts.slot.reason if facts.slot else None,
        "run": facts.run.id if facts.run else None,
        "status": facts.run.status if facts.run else None,
        "late_s": facts.run.late_s if facts.run else None,
        "made_up_by": facts.made_up.id if facts.made_up else None,
        "before": facts.before.moment.isoformat() if facts.before else None,
        "after": facts.after.moment.isoformat() if facts.after else None,
        "next_due": facts.upcoming.acts_at.isoformat() if facts.upcoming else None,
    }
