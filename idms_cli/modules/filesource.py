"""The `source:` of a job that reads files: where they are, what is expected of them, how they are read and kept."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

from pydantic import model_validator

from idms_cli.config.settings import Settings
from idms_cli.errors import IdmsError, InputError
from idms_cli.files import FORMATS, Table, format_of, open_table
from idms_cli.files.expectations import lacking
from idms_cli.files.options import FileOptions
from idms_cli.files.origins import Access, open_origin
from idms_cli.files.origins.address import Address
from idms_cli.files.origins.options import Misfit, OriginOptions, misfits
from idms_cli.files.spool import Limits, Taken, digest_of, read_listing, require_listing
from idms_cli.files.together import open_together
from idms_cli.modules import DataLock, Outcome, RunContext, SiteOf
from idms_cli.modules.given import given_to, open_copy
from idms_cli.modules.intake import Intake, put_away
from idms_cli.modules.source import Said
from idms_cli.records.journal import FILE_NAME
from idms_cli.records.mended import fed_back


class SourceOptions(OriginOptions, FileOptions):
    """Where the rows come from."""

    @model_validator(mode="after")
    def _fits_its_format(self) -> Self:
        self.refuse_misfits(Path(self.path.name))
        return self


@dataclass(frozen=True)
class FileSource:
    """A checked `source:`."""

    options: SourceOptions
    address: Address
    """Local ones are absolute."""
    directory: Path
    """Where relative paths start."""

    @classmethod
    def of(cls, options: SourceOptions, settings: Settings) -> "FileSource":
        return cls(options, options.path.below(settings.directory), settings.directory)

    def problems(self) -> Iterator[Misfit]:
        """What is wrong with it as a whole."""
        yield from misfits(self.options)
        for key in ("ca_file", "known_hosts"):
            path = getattr(self.options, key)
            if path is not None and not (self.directory / path).is_file():
                yield Misfit((key,), f"there is no file {self.directory / path}", "Check the path.")
        if self.options.format is None:
            try:
                format_of(Path(self.address.name))
            except InputError as error:
                yield Misfit(("path",), "the ending tells no format", error.hint)

    @property
    def noun(self) -> str:
        return "the file"

    @property
    def tells_numbers(self) -> bool:
        return FORMATS[self.options.format or format_of(Path(self.address.name))].tells_numbers

    def describe(self) -> str:
        return self.options.path.shown

    def locks(self) -> tuple[DataLock, ...]:
        """Who archives files takes them away from others.

        Two patterns may mean the same file, and so may a pattern and a name: who archives what fits a pattern has the
        folder to itself, and whoever reads anything from there shares it.
        """
        archives = self.options.after.archives
        named = DataLock(f"file:{self.address.shown}", write=archives)
        if self.address.is_web:
            return (named,)
        return (named, DataLock(f"file:{self.address.of('')}", write=archives and self.address.is_pattern))

    def check_online(self, site_of: SiteOf) -> Said:  # noqa: ARG002  (files need no site)
        return Said()

    def take_in(self, context: RunContext, site_of: SiteOf) -> Outcome | None:  # noqa: ARG002  (files need no site)
        """As of `Source`. Raises `Unreachable` for a file that is not there, or not as expected; see `Intake`."""
        directory = context.directory
        if context.intent == "undo" or given_to(directory):
            return None
        if (directory / FILE_NAME).exists():  # its rows were planned from the copy that is there
            context.sources.take(read_listing(directory))
            return None
        with open_origin(self._access(context.stopping)) as origin:
            ended = Intake(origin, self.address, self.options, context).run()
        if ended is None and self.options.expect.columns:
            self._refuse_other_columns(directory)
        return ended

    def opened(self, directory: Path) -> AbstractContextManager[Table]:
        given = given_to(directory)
        if given is not None:
            return open_copy(given, self.options)
        files = require_listing(directory)
        opened = [(str(self.address.label(file.name)), partial(self._open, directory, file)) for file in files]
        return opened[0][1]() if len(files) == 1 else open_together(opened)

    def refuse_changed(self, directory: Path) -> tuple[Taken, ...]:
        """What the run in `directory` read, as it is now. Raises `InputError` when its content has changed."""
        limits, files = Limits(self.options.max_size), []
        with open_origin(self._access()) as origin:
            for file in require_listing(directory):
                now = origin.look(file.name)
                if now is None or digest_of(origin, now, file.address, limits) != file.sha256:
                    what = "is gone" if now is None else "has been changed"
                    raise InputError(f"{file.address} {what} since the plan was made", hint="Make a new plan.")
                files.append(file.seen_as(now))
        return tuple(files)

    def aftercare(
        self, context: RunContext, outcome: Outcome, *, is_good: bool | None = None
    ) -> Callable[[], Outcome] | None:
        """What `after:` asks for at this outcome; see `Work.aftercare`.

        `is_good` says whether the run is a success, where its status alone does not tell.
        """
        after = self.options.after
        if outcome.status in ("held", "waiting") or outcome.again_in_s is not None:
            return None  # it is not over
        good = outcome.status in ("completed", "partial", "skipped") if is_good is None else is_good
        files = read_listing(context.directory)
        if context.dry_run or context.intent not in ("run", "apply") or not files:
            return None
        if (after.success if good else after.failure) != "archive":
            return None
        return partial(self._put_away, context, outcome, files)

    def _put_away(self, context: RunContext, outcome: Outcome, files: tuple[Taken, ...]) -> Outcome:
        """The same outcome, unless a file could not be archived: somebody has to know of that."""
        try:
            with open_origin(self._access()) as origin:
                put_away(origin, files, context, done_ending=self.options.expect.done_ending)
        except IdmsError as error:
            read = (
                "the rows were read, but the file is not archived" if outcome.status == "completed" else "not archived"
            )
            reason = "; ".join(filter(None, (outcome.reason, f"{read}: {error}")))
            status = "partial" if outcome.status in ("completed", "skipped") else outcome.status
            return replace(
                outcome, status=status, reason=reason, hint=outcome.hint or error.hint, exit_code=outcome.exit_code or 1
            )
        return outcome

    def _access(self, stopping: Callable[[], bool] = lambda: False) -> Access:
        return Access(self.address, self.options, self.directory, stopping)

    def _open(self, directory: Path, file: Taken) -> AbstractContextManager[Table]:
        file_format = self.options.format or format_of(Path(file.name))
        shown = self.address.label(file.name)
        return open_table(directory / file.spool, self.options, file_format=file_format, shown=shown)

    def _refuse_other_columns(self, directory: Path) -> None:
        for file in require_listing(directory):
            with self._open(directory, file) as opened:
                refusal = lacking(file.address, self.options.expect.columns or (), fed_back(opened).columns)
            if refusal is not None:
                raise refusal
