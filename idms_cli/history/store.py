"""The store: everything that idms remembers of its jobs, behind one door."""

from pathlib import Path
from types import TracebackType

from idms_cli.history.catalog import Catalog
from idms_cli.history.database import SCHEMA_VERSION, Database
from idms_cli.history.runs import Runs
from idms_cli.history.ticks import Ticks


class Store:
    """`STATE/history.db`, opened and brought up to date. Use as a context, or `close()` it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.database = Database(str(state))
        if self.database.version != SCHEMA_VERSION:
            from idms_cli.history.schema import bring_up_to_date  # noqa: PLC0415 - loads sqlite-utils, rarely needed

            bring_up_to_date(self.database)
        self.ticks = Ticks(self.database)
        self.catalog = Catalog(self.database)
        self.runs = Runs(self.database)

    def run_directory(self, run_id: int) -> Path:
        """Where a run keeps its journal, log, rejects and outcome."""
        return self.state / "runs" / str(run_id)

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()
