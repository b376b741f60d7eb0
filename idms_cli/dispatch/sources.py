"""What a module may ask and tell the history of the files that runs of its job take."""

from collections.abc import Sequence

from idms_cli.files.spool import Taken
from idms_cli.history.rows import Run
from idms_cli.history.sources import SourceRows
from idms_cli.history.store import Store
from idms_cli.modules import ReadBefore


class KeptSources:
    """See `SourceLog`."""

    def __init__(self, store: Store, run: Run) -> None:
        self._rows = SourceRows(store.database, run=run.id, job=run.job)
        self._run = run.id
        self.assigned = tuple(str(file["name"]) for file in run.source)

    def take(self, files: Sequence[Taken], *, rest: Sequence[str] | None = None) -> None:
        self._rows.take(self._run, [file.as_dict() for file in files], rest=rest)

    def before(self) -> Sequence[ReadBefore]:
        return [
            ReadBefore(earlier.run, earlier.good, tuple(Taken.of(file) for file in earlier.files))
            for earlier in self._rows.before()
        ]

    def correct(self, run: int, files: Sequence[Taken]) -> None:
        self._rows.take(run, [file.as_dict() for file in files], rest=None)
