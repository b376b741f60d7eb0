"""What a person reads: the subject says what and which job; the text since when, why, and where to look further."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from idms_cli.config.durations import format_duration

STATES = {
    "failed": ("failed", "still fails"),
    "partial": ("was partial", "is still partial"),
    "held": ("is held and waits for you", "is still held and waits for you"),
    "late": ("did not run", "still does not run"),
    "disabled": ("was disabled", "is still disabled"),
}
"""Of a trouble: as it begins, and while it lasts."""

OUTAGES = {"down": ("is down", "is still down"), "refused": ("refuses the login", "still refuses the login")}
"""Of a connection: as it begins, and while it lasts."""

NAMED = 10
"""Jobs that a message names."""

COUNTED = ("read", "inserted", "updated", "deleted", "unchanged", "skipped", "rejected")


class Words:
    """Subject and text of messages, at one moment, in one zone."""

    def __init__(self, zone: ZoneInfo, now: datetime) -> None:
        self._zone = zone
        self._now = now

    def incident(self, kind: str, job: str, facts: Mapping[str, Any], reasons: Sequence[str] = ()) -> tuple[str, str]:
        """Of `opened`, `worse`, `reminder`, `closed`. `reasons` say why rows were rejected."""
        if kind == "closed":
            return self._closed(job, facts)
        trouble = facts["trouble"]
        state = STATES[trouble][kind == "reminder"]
        why = facts.get("disabled") or _first(facts.get("reason", "")) or counted(facts.get("counts", {}))
        lines = [f"{job} {state}."]
        if facts.get("due"):
            lines.append(f"It was due {self.moment(facts['due'])}.")
        if kind != "opened" or facts.get("times", 1) > 1:
            lines.append(f"It has not been well since {self.moment(facts['since'])}{_times(facts)}.")
        lines += _why(facts, reasons)
        lines += ["", *_look(job, trouble, facts)]
        return f"{job} {state}{f': {why}' if why else ''}", "\n".join(lines)

    def _closed(self, job: str, facts: Mapping[str, Any]) -> tuple[str, str]:
        lasted = lasting(facts["until"] - facts["since"])
        numbers = counted(facts.get("counts", {}))
        was = STATES[facts["trouble"]][0]
        lines = [
            f"{job} is well again.",
            f"It {was} at {self.moment(facts['since'])}{_times(facts)}; that lasted {lasted}.",
            *([f"This time: {numbers}."] if numbers else []),
            "",
            f"idms show {facts['run']}",
        ]
        return f"{job} is well again after {lasted}", "\n".join(lines)

    def outage(self, kind: str, facts: Mapping[str, Any]) -> tuple[str, str]:
        """Of a connection: `opened`, `worse`, `reminder`, `closed`."""
        name, jobs = facts["connection"], facts["jobs"]
        lost = _given_up(facts["given_up"])
        if kind == "closed":
            lasted = lasting(facts["until"] - facts["since"])
            since, until = self.moment(facts["since"]), self.moment(facts["until"])
            lines = [f"The connection {name} works again.", f"It did not from {since} to {until} ({lasted})."]
            return f"connection {name} works again after {lasted}", "\n".join([*lines, *lost, "", "idms connection"])
        state = OUTAGES[facts["trouble"]][kind == "reminder"]
        lines = [self.outage_state(facts, facts["trouble"], facts["since"], is_reminder=kind == "reminder") + "."]
        lines += [text for text in (facts["reason"], facts["hint"]) if text]
        lines += ["", f"These jobs need it: {_listed(jobs)}.", "They run by themselves when it works again.", *lost]
        lines += ["", "idms connection"]
        if facts["trouble"] == "refused":
            lines.append(f"idms connection try {name}    asks the site now, when the password is mended")
        waiting = f"{len(jobs)} job{' needs' if len(jobs) == 1 else 's need'} it"
        return f"connection {name} {state}: {waiting}", "\n".join(lines)

    def outage_state(self, facts: Mapping[str, Any], trouble: str, since: float, *, is_reminder: bool = True) -> str:
        """`The connection live is still down, since Mon 30 Nov 02:15 EST`."""
        return f"The connection {facts['connection']} {OUTAGES[trouble][is_reminder]}, since {self.moment(since)}"

    def silent(self, facts: Mapping[str, Any]) -> tuple[str, str]:
        """Nobody had called run-due, until the tick that tells it."""
        lasted = lasting(facts["until"] - facts["since"])
        lines = [
            f"Nobody called `idms run-due` from {self.moment(facts['since'])} to {self.moment(facts['until'])}.",
            "Nothing was started meanwhile. It works again now; what was missed is made up for as each job says.",
            "",
            "Was the machine off? Does cron, or the timer, run?",
            "idms history",
        ]
        return f"nothing ran for {lasted}: nobody called run-due", "\n".join(lines)

    def step(self, job: str, facts: Mapping[str, Any]) -> tuple[str, str]:
        """What a step of a workflow tells, in the words of its job file."""
        return f"{job}: {facts['title']}", f"{facts['body']}\n\nidms show {facts['run']}"

    def ping(self, kind: str, job: str, facts: Mapping[str, Any]) -> tuple[str, str]:
        """Of `start`, `success`, `failure`; the text is what the service shows beside it."""
        run = f"run {facts['run']}" if facts.get("run") else "no run"
        what = _first(facts.get("reason", "")) or counted(facts.get("counts", {}))
        return f"{job}: {kind}", "; ".join(filter(None, (run, what)))

    def test(self, channel: str) -> tuple[str, str]:
        """Of `idms notify test`."""
        text = f"This is a test of the channel {channel}, sent {self.moment(self._now.timestamp())}. All is well."
        return f"a test of the channel {channel}", text

    def moment(self, seconds: float) -> str:
        """`Mon 30 Nov 02:15 EST`: a message is read at any time, so nothing is said of today."""
        local = datetime.fromtimestamp(seconds, UTC).astimezone(self._zone)
        year = "" if local.year == self._now.astimezone(self._zone).year else f" {local.year}"
        return f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M} {local:%Z}"


def lasting(seconds: float) -> str:
    """`3h`, `1d2h30m`; at least a minute."""
    return format_duration(timedelta(minutes=max(1, round(seconds / 60))))


def counted(counts: Mapping[str, int]) -> str:
    """`300 read, 12 updated, 8 rejected`: the rest is in `idms show`."""
    return ", ".join(f"{counts[name]:,} {name}" for name in COUNTED if counts.get(name))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _given_up(slots: Mapping[str, int]) -> list[str]:
    if not slots:
        return []
    names = [name if number == 1 else f"{name} ({number:,} slots)" for name, number in sorted(slots.items())]
    return [f"It took too long for: {_listed(names)}. They did not run."]


def _times(facts: Mapping[str, Any]) -> str:
    times = facts.get("times", 1)
    return f" ({times} times)" if times > 1 else ""


def _first(reason: str) -> str:
    """As much of a reason as a subject can hold."""
    return reason if len(reason) <= 90 else reason[:87].rstrip() + "..."


def _why(facts: Mapping[str, Any], reasons: Sequence[str]) -> list[str]:
    lines = []
    if facts.get("disabled"):
        lines.append(f"{facts['disabled'].capitalize()}: no slot of it runs until it is enabled, or its file changes.")
    lines += [facts["reason"]] if facts.get("reason") else []
    lines += [facts["hint"]] if facts.get("hint") else []
    numbers = counted(facts.get("counts", {}))
    lines += [f"Rows: {numbers}."] if numbers else []
    lines += ["Why rows were rejected:", *(f"  {reason}" for reason in reasons)] if reasons else []
    return ["", *lines] if lines else []


def _look(job: str, trouble: str, facts: Mapping[str, Any]) -> list[str]:
    """Commands that lead further."""
    run = facts.get("run")
    lines = [f"idms show {run}" if run else f"idms why {job}"]
    if trouble == "held" and run:
        lines += [f"idms approve {run}    carries its plan out", f"idms reject {run}     ends it, and writes nothing"]
    if trouble == "partial" and run and facts.get("counts", {}).get("rejected"):
        lines.append(f"idms rejects {run}")
    if trouble == "disabled":
        lines.append(f"idms enable {job}")
    return lines
