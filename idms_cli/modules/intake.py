"""The files of one run: found, judged by what the job expects of them, and copied into the run's directory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from idms_cli.config.durations import format_duration
from idms_cli.errors import IdmsError, InputError, Interrupted
from idms_cli.files.expectations import (
    NotThere,
    growing,
    in_order,
    missing,
    recent,
    still_to_wait,
    unfinished,
)
from idms_cli.files.origins import MOST_FILES, Found, Origin
from idms_cli.files.origins.address import Address
from idms_cli.files.origins.options import OriginOptions
from idms_cli.files.spool import Limits, Taken, fetch, keep_listing, read_listing, together
from idms_cli.modules import Outcome, ReadBefore, RunContext
from idms_cli.modules.archiving import DUE, archive

LOOK_EVERY_S = 0.2


@dataclass(frozen=True)
class Intake:
    """What one run takes from an open place."""

    origin: Origin
    address: Address
    options: OriginOptions
    context: RunContext

    def run(self) -> Outcome | None:
        """Copy the files of this run; the outcome when the run ends here, without reading them.

        Raises `NotThere` when there is none that is as expected, and whatever `fetch` raises. Done again, it goes on.
        """
        files = read_listing(self.context.directory)
        if not files:
            try:
                chosen = self._chosen()
            except NotThere as verdict:
                if self.options.expect.missing == "skip":
                    return Outcome("skipped", str(verdict))
                raise
            known = self._known_version(chosen)
            if known is not None:
                return known
            files = self._fetched(chosen)
        self.context.sources.take(files)
        return self._unchanged(files)

    def _chosen(self) -> list[Found]:
        """The files to take now; the rest is left to runs of their own."""
        if self.context.sources.assigned:
            return [self._again(name) for name in self.context.sources.assigned]
        found_now = self._without_leftovers(self.origin.find())
        if len(found_now) > MOST_FILES:
            hint = f"At most {MOST_FILES:,} files are taken at once. Archive those that are done."
            raise InputError(f"{self.address.shown}: {len(found_now):,} files fit", hint=hint)
        if not found_now:
            raise missing(self.address)
        now = datetime.fromtimestamp(self.context.clock.now(), UTC)
        good = recent(self._complete(found_now), self.options.expect.newer_than, now)
        files = in_order(good, self.options.order)
        first, rest = (files, []) if self.options.several == "together" else (files[:1], files[1:])
        names = [one.name for one in rest]
        if self.context.dry_run and names:
            self.context.log(f"{len(names):,} more would follow, each as a run of its own: {', '.join(names)}")
        self.context.sources.take([self._told(one) for one in first], rest=[] if self.context.dry_run else names)
        return first

    def _again(self, name: str) -> Found:
        """A file that was there when it was chosen."""
        found = self.origin.look(name)
        if found is None:
            raise NotThere(f"missing: {self.address.of(name)} was there a while ago, and is gone")
        return found

    def _complete(self, files: Sequence[Found]) -> list[Found]:
        """Those whose sender has said that they are complete."""
        ending = self.options.expect.done_ending
        if not ending:
            return list(files)
        data = [one for one in files if not one.name.endswith(ending)]
        if not data:
            raise missing(self.address)
        complete = [one for one in data if self.origin.look(f"{one.name}{ending}")]
        if not complete:
            raise unfinished([one.name for one in data], ending)
        return complete

    def _without_leftovers(self, files: Sequence[Found]) -> Sequence[Found]:
        """A file that an earlier run read and could not archive is archived now, and not read a second time."""
        if self.context.dry_run:
            return files
        due = {
            (file.name): (before, file)
            for before in self.context.sources.before()
            for file in before.files
            if file.archive == DUE
        }
        kept = []
        for one in files:
            before, file = due.get(one.name, (None, None))
            if before is None or file is None or not file.found.is_like(one):
                kept.append(one)
                continue
            ending = self.options.expect.done_ending
            try:
                done = archive(self.origin, file, before.run, done_ending=ending)
            except IdmsError as error:
                message = f"{file.address} was read by run {before.run}, and still cannot be archived: {error}"
                raise type(error)(message, hint=error.hint) from error
            self.context.sources.correct(before.run, [done if each == file else each for each in before.files])
            self.context.log(f"{file.address} was read by run {before.run}, and is archived now: {done.archive}")
        return kept

    def _fetched(self, chosen: Sequence[Found]) -> tuple[Taken, ...]:
        limits = Limits(self.options.max_size, self.context.stopping)
        files = []
        for number, one in enumerate(chosen, start=1):
            found = self._settled(one)
            spool = _spool(one.name, number if len(chosen) > 1 else None)
            files.append(fetch(self.origin, found, self.address.of(one.name), self.context.directory / spool, limits))
            self.context.log(f"took {files[-1].address}: {files[-1].size:,} bytes")
        keep_listing(self.context.directory, files)
        return tuple(files)

    def _settled(self, found: Found) -> Found:
        """The file, once nobody has changed it for as long as the job wants. Raises `Unreachable` if somebody does."""
        stable_for = self.options.expect.stable_for
        clock = self.context.clock
        wait = still_to_wait(found, stable_for, datetime.fromtimestamp(clock.now(), UTC))
        if not wait or stable_for is None:
            return found
        self.context.log(f"waits {format_duration(wait)} to see whether {found.name} is complete")
        end = clock.ticks() + wait.total_seconds()
        while clock.ticks() < end:
            if self.context.stopping():
                raise Interrupted("the run was stopped")
            clock.sleep(min(LOOK_EVERY_S, max(end - clock.ticks(), 0)))
        now = self._again(found.name)
        if not now.is_like(found):
            raise growing(found.name, stable_for)
        return now

    def _known_version(self, chosen: Sequence[Found]) -> Outcome | None:
        """The outcome when the place itself says that this is the very version which was read before."""
        if len(chosen) > 1 or self.options.after.archives or not self._skips_unchanged:
            return None
        for before in self._good_before(chosen[0].name):
            same = [file for file in before.files if file.etag and file.found == chosen[0]]
            if same and len(before.files) == 1:
                return self._skipped(same[0], before)
        return None

    def _unchanged(self, files: Sequence[Taken]) -> Outcome | None:
        if not self.options.expect.changed or self.context.intent != "run":
            return None
        digest = together(files)
        for before in self._good_before(files[0].name):
            if together(before.files) == digest:
                if self._skips_unchanged:
                    return self._skipped(files[0], before)
                self.context.log(f"a real run would be skipped: this is what run {before.run} read")
        return None

    @property
    def _skips_unchanged(self) -> bool:
        return self.options.expect.changed and not self.context.dry_run

    def _good_before(self, name: str) -> list[ReadBefore]:
        """The last good run, and the last one that read a file of this name."""
        good = [before for before in self.context.sources.before() if before.good]
        namesakes = [before for before in good if before.files[0].name == name]
        return [*good[:1], *namesakes[:1]]

    def _skipped(self, file: Taken, before: ReadBefore) -> Outcome:
        return Outcome("skipped", f"unchanged: {file.address} is what run {before.run} read")

    def _told(self, found: Found) -> Taken:
        modified = found.modified.isoformat() if found.modified else ""
        return Taken(found.name, self.address.of(found.name), found.size or 0, modified, found.etag)


def put_away(origin: Origin, files: Sequence[Taken], context: RunContext, *, done_ending: str) -> None:
    """Archive what a run read; before anything is moved, the history knows what is to be done."""
    told = [replace(file, archive=DUE) for file in files]
    context.sources.take(told)
    try:
        for index, file in enumerate(files):
            told[index] = archive(origin, file, context.run_id, done_ending=done_ending)
            where = told[index].archive
            done = f"archived as {where}" if where else "gone, or changed since it was read: left alone"
            context.log(f"{file.address}: {done}")
    finally:
        context.sources.take(told)


def _spool(name: str, number: int | None) -> str:
    """The name of a copy: its endings tell how it is read."""
    suffixes = [suffix for suffix in Path(name).suffixes[-2:] if suffix[1:].isalnum()]
    return "source" + ("" if number is None else f"-{number}") + "".join(suffixes)
