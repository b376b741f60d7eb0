"""How people change the oracle's world: they write, rename and remove job files, and give commands."""

from tests.dispatch.year.almanac import Almanac
from tests.dispatch.year.files import File
from tests.dispatch.year.schedules import MINUTE
from tests.dispatch.year.script import Step
from tests.dispatch.year.world import Job, Pause, Switch, World


class PeoplesWorld(World):
    """The world with its job files."""

    def __init__(self, almanac: Almanac) -> None:
        super().__init__(almanac)
        self._files: dict[str, File] = {}
        self._renamed: dict[str, str] = {}
        """Files that have another name since they were read, and were not written to."""

    def _write(self, step: Step) -> None:
        assert step.file is not None
        self._files[step.job] = step.file
        self._renamed = {old: new for old, new in self._renamed.items() if new != step.job}

    def _remove(self, step: Step) -> None:
        del self._files[step.job]

    def _rename(self, step: Step) -> None:
        file = self._files[step.other] = self._files.pop(step.job)
        self._renamed = {old: step.other if new == step.job else new for old, new in self._renamed.items()}
        if step.job in self.jobs and self.jobs[step.job].file == file:
            self._renamed[step.job] = step.other

    def _pause(self, step: Step) -> None:
        self.read_files()
        pauses = self.pauses.setdefault(step.job, [])
        self._end_pauses(step.job)
        pauses.append(Pause(self.now, self.now // MINUTE * MINUTE + step.number if step.number else None))
        self.settle(self.jobs[step.job], "paused")

    def _resume(self, step: Step) -> None:
        if any(pause.is_open(self.now) for pause in self.pauses.get(step.job, [])):
            self.read_files()
            self.settle(self.jobs[step.job], "paused")
            self._end_pauses(step.job)

    def _disable(self, step: Step) -> None:
        self.read_files()
        self.switches[step.job] = Switch("disabled by", None, self.last_run(step.job))
        self.settle(self.jobs[step.job], "disabled by")

    def _enable(self, step: Step) -> None:
        switch = self.switch(step.job)
        if switch.reason:
            self.read_files()
            self.settle(self.jobs[step.job], switch.reason)
            self.switches[step.job] = Switch(after=self.last_run(step.job))

    def _end_pauses(self, job: str) -> None:
        for pause in self.pauses.get(job, []):
            if pause.is_open(self.now):
                pause.ended = max(self.now, pause.since)

    def is_as_read(self, job: Job) -> bool:
        """Whether nobody has touched its file since it was read last."""
        return self._files.get(job.name) == job.file

    def read_files(self) -> None:
        """Every command does this first."""
        removed = [name for name in self.jobs if name not in self._files]
        for name in removed:
            new = self._renamed.pop(name, "")
            moved = [pause for pause in self.pauses.get(name, []) if new and pause.is_open(self.now)]
            if moved:
                self.pauses.setdefault(new, []).extend(moved)
                self.pauses[name] = [pause for pause in self.pauses[name] if pause not in moved]
            self.settle(self.jobs[name], "removed")
        changed = {name for name, file in self._files.items() if name not in self.jobs or self.jobs[name].file != file}
        touched = changed | set(removed)
        changed |= {
            name for name, job in self.jobs.items() if name in self._files and job.rules and job.rules.after in touched
        }
        self.jobs = {name: job for name, job in self.jobs.items() if name in self._files}
        for name in sorted(changed):
            self._read(name, self._files[name])

    def _read(self, name: str, file: File) -> None:
        old = self.jobs.get(name)
        job = Job(name, file, old.rules if old else None, old.enabled if old else True, self.now)
        job.decided_until = old.decided_until if old else self.now
        self.jobs[name] = job
        job.problem = file.is_broken
        is_enabled = not file.is_broken and self._enable_changed(name, file)
        job.problem |= bool(not file.is_broken and file.rules.after and file.rules.after not in self._files)
        if job.problem:
            return
        job.rules, job.enabled = file.rules, file.enabled
        reason = ""
        if old and old.rules != file.rules:
            reason = "schedule changed"
        elif old and old.enabled != file.enabled:
            reason = "disabled"
        elif is_enabled:
            reason = "disabled after 2 failures in a row"
        if old and reason:
            self.settle(old, reason)
            job.decided_until = self.now
        self._tell_past(job)

    def _enable_changed(self, name: str, file: File) -> bool:
        switch = self.switch(name)
        if not switch.reason or switch.file is None or switch.file == file:
            return False
        self.switches[name] = Switch(after=self.last_run(name))
        return True

    def _tell_past(self, job: Job) -> None:
        """Of a job that will never be due again the last slot is told as past, if nobody ever decided it."""
        last = self.last_of_all(job)
        if last:
            self.write_down(job.name, last.slot, last.skip or "past")
