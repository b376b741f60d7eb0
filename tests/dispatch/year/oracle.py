"""Which verdict each slot of the simulated year must get: the README's rules, played through step by step."""

from collections.abc import Iterator

from tests.dispatch.year.almanac import Almanac, Occurrence
from tests.dispatch.year.people import PeoplesWorld
from tests.dispatch.year.schedules import MINUTE
from tests.dispatch.year.script import Step, fate
from tests.dispatch.year.world import Job, Row, Run, Switch

ON_TIME, JUMP, AHEAD = 3 * MINUTE, 10 * MINUTE, MINUTE
DEATHS = 3
"""A run whose process died so often is given up."""

Verdict = tuple[str, int, int | None, str, str, str]
"""Job, slot, last slot of a stretch, verdict, kind of reason (of a run: `late`), how its run ended."""


class Oracle(PeoplesWorld):
    """The world with its ticks and runs."""

    def __init__(self, almanac: Almanac) -> None:
        super().__init__(almanac)
        self._last_tick: tuple[int, int] | None = None
        """The clock and the true time of the last tick since the machine was booted."""

    def do(self, step: Step) -> None:
        self._runs_end_until(step.at)
        self.true = step.at
        getattr(self, f"_{step.what}")(step)

    def verdicts(self) -> Iterator[Verdict]:
        for job, rows in self.slots.items():
            for due, row in rows.items():
                if row.run is None:
                    yield job, due, row.until, "skipped", row.reason, ""
                else:
                    status = row.run.status if row.is_over else "open"
                    yield job, due, None, "run", "late" if row.run.is_late else "", status

    def _clock(self, step: Step) -> None:
        self.ahead = step.number

    def _boot(self, step: Step) -> None:
        for run in self.open:
            if run.status == "running":
                run.status, run.deaths = "interrupted", run.deaths + 1
        self._last_tick = None

    def _tick(self, step: Step) -> None:
        for _ in range(step.number):
            self._one_tick()
        self._stop_replaced()

    def _one_tick(self) -> None:
        now = self.now
        self.read_files()
        for job in self.jobs.values():
            if job.decided_until > now + AHEAD and job.rules:
                self._open_again(job)
        before, self._last_tick = self._last_tick, (now, self.true)
        has_jumped = before is not None and abs((now - before[0]) - (self.true - before[1])) > JUMP
        if not has_jumped:
            followers = self.followers()
            own = [job for job in self.jobs.values() if job.rules and not job.rules.after and self.due(job)[0]]
            for job in own + followers:
                self._decide(job)
        for run in list(self.open):
            if run.status == "interrupted" and run.file.overlap == "replace" and self._is_replaced(run):
                self._end(run, "cancelled")
        self._hand_over(resumes=True)
        for run in list(self.open):
            may_wait = run.status != "pending" or run.started or run.file.missed == "all"
            if not may_wait and run.created + run.file.wait <= now:
                self._end(run, "skipped")

    def _open_again(self, job: Job) -> None:
        """The clock was ahead: what was decided for a time still to come is open again, but for what ran."""
        rows = self.slots.get(job.name, {})
        to_come = self.slots_to_come(job)
        for due in [due for due, row in rows.items() if row.run is None and (due > self.now or due in to_come)]:
            del rows[due]
        job.decided_until = self.now

    def _decide(self, job: Job) -> None:
        due, older = self.due(job)
        able: list[Occurrence] = []
        for one in due:
            reason = self._why_not(job, one)
            if reason:
                self.write_down(job.name, one.slot, reason)
            else:
                able.append(one)
        if older:
            first, last = (self._why_not(job, Occurrence(slot, slot)) for slot in older)
            reason = first if first == last and first else "missed: nobody called run-due"
            self.write_down_stretch(job.name, older, reason)
        if job.file.missed == "all":
            for one in able:
                self._claim(job, one)
        elif able:
            for one in able[:-1]:
                self.write_down(job.name, one.slot, "missed: a later one took its place")
            other = next((run for run in self.open if run.job == job.name), None)
            if other and job.file.overlap == "skip" and other.due != able[-1].slot:
                self.write_down(job.name, able[-1].slot, "overlap")
            else:
                self._claim(job, able[-1])
        self.is_decided(job, due)

    def _why_not(self, job: Job, one: Occurrence) -> str:
        switch, late = self.switch(job.name), self.now - one.acts_at
        pauses = self.pauses.get(job.name, [])
        if job.problem:
            return "broken"
        if switch.reason or not job.enabled:
            return switch.reason or "disabled"
        if any(pause.covers(self.now) or pause.covers(one.acts_at) for pause in pauses):
            return "paused"
        if one.skip:
            return one.skip
        if late > job.file.grace:
            return "missed: over the grace"
        return "missed: nobody called run-due" if late > ON_TIME and job.file.missed == "skip" else ""

    def _claim(self, job: Job, one: Occurrence) -> None:
        if one.slot in self.slots.setdefault(job.name, {}):
            return
        is_late = self.now - one.acts_at > ON_TIME
        run = self.new_run(Run(job.name, one.slot, job.file, self.now, is_late=is_late))
        self.slots[job.name][one.slot] = Row("", self.now, run=run)
        if job.file.missed != "all":
            for other in [other for other in self.open if other.job == job.name]:
                if other.status == "pending" and not other.started:
                    self._end(other, "skipped")
        self.open.append(run)

    def _hand_over(self, *, resumes: bool) -> None:
        earlier: set[str] = set()
        for run in list(self.open):
            if run.status == "interrupted" and resumes and run.deaths >= DEATHS:
                self._end(run, "failed")
                continue
            may_start = run.status == "pending" or (run.status == "interrupted" and resumes)
            if may_start and run.job not in earlier and not self._has_its_data_taken(run):
                run.status, run.started = "running", True
                run.ends = self.true + fate(run.job, run.due)[0]
            earlier.add(run.job)

    def _has_its_data_taken(self, run: Run) -> bool:
        """By a run of the job that had this file under its old name."""
        return any(other.status == "running" and other.file.panel == run.file.panel for other in self.open)

    def _runs_end_until(self, at: int) -> None:
        while ending := [run for run in self.open if run.status == "running" and run.ends <= at]:
            run = min(ending, key=lambda run: (run.ends, run.number))
            self.true = run.ends
            self._end(run, fate(run.job, run.due)[1])
            self._after_an_end()

    def _after_an_end(self) -> None:
        for job in self.followers():
            if self.is_as_read(job):
                self._decide(job)
        self._hand_over(resumes=False)
        self._stop_replaced()

    def _stop_replaced(self) -> None:
        while run := next((run for run in self.open if run.status == "running" and self._is_replaced(run)), None):
            self._end(run, "cancelled")
            self._after_an_end()

    def _is_replaced(self, run: Run) -> bool:
        newer = (other for other in self.open if other.job == run.job and other.number > run.number)
        return any(other.file.overlap == "replace" and other.file.missed != "all" for other in newer)

    def _end(self, run: Run, status: str) -> None:
        run.status, run.over_at = status, self.now
        self.open.remove(run)
        if status == "failed" and run.file.disable_after:
            self._disable_if_hopeless(run)

    def _disable_if_hopeless(self, run: Run) -> None:
        switch = self.switch(run.job)
        done = [one for one in self.runs[run.job] if one.number > switch.after]
        counted = [one.status for one in done if one.status in ("completed", "partial", "failed")]
        failures = next((count for count, status in enumerate(reversed(counted)) if status != "failed"), len(counted))
        if not switch.reason and failures >= run.file.disable_after:
            reason = f"disabled after {failures} failures in a row"
            self.switches[run.job] = Switch(reason, run.file, self.last_run(run.job))
