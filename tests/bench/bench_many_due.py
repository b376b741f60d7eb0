"""A thousand jobs due in one minute: how long their claims and their transaction take, and how the queue drains."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import ENVIRONMENT, settings, timed

from idms_cli.config.settings import read_settings
from idms_cli.dispatch.claim import Claimer
from idms_cli.dispatch.refresh import refresh
from idms_cli.history.database import Together
from idms_cli.history.rows import Wanted
from idms_cli.history.store import Store
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

JOBS = 1000
DRAINED = 40
PANELS = ("ABC_Scores", "ABC_Membership", "ABC_Codes")
JOB = """\
module: import
schedule: {{cron: "0 2 * * *"}}
with:
  source: {{path: one.csv}}
  destination: {{panel: {panel}}}
  action: upsert
  match: [ID]
  map: {{ID: member}}
"""
EVENING, NIGHT = datetime(2026, 11, 30, 20, tzinfo=UTC), datetime(2026, 12, 1, 2, tzinfo=UTC)


def write_jobs(directory: Path, number: int) -> None:
    (directory / "one.csv").write_text("member\n101\n")
    for each in range(number):
        (directory / f"jobs.d/job-{each:04}.yaml").write_text(JOB.format(panel=PANELS[each % 3]))


def claim() -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        settings(directory, "http://127.0.0.1:1")
        write_jobs(directory, JOBS)
        config = read_settings(directory / "idms.yaml")
        with Store(config.state) as store:
            refresh(store, config, EVENING)
            rows = list(store.catalog.all().values())
            claimer = Claimer(store, config, NIGHT, clock=time.time())
            in_transaction: list[tuple[float, float]] = []

            @contextmanager
            def together(real: Callable[[], Together] = store.database.together) -> Iterator[None]:
                begin, cpu = time.perf_counter(), time.process_time()
                with real():
                    yield
                in_transaction.append((time.perf_counter() - begin, time.process_time() - cpu))

            store.database.together = together  # type: ignore[method-assign, assignment]
            whole_s = timed(lambda: claimer.claim(rows))
            ((written_s, cpu_s),) = in_transaction
            read_s = whole_s - written_s
            print(f"{JOBS:,} jobs due: {read_s:.2f} s to read them, then one transaction of {written_s:.2f} s", end="")
            print(f", of which {cpu_s:.2f} s CPU")


def drain() -> None:
    with TemporaryDirectory() as name, serve(Sandbox()) as url:
        directory = Path(name)
        idms = settings(directory, url)
        write_jobs(directory, DRAINED)
        for moment in (EVENING, NIGHT):
            subprocess.run([*idms, "run-due", "--at", moment.isoformat()], check=True, env=ENVIRONMENT, stdout=-3)
        with Store(directory / ".idms") as store:
            while store.runs.open():
                time.sleep(0.05)
            runs = store.runs.history(Wanted(limit=DRAINED))
        spans = sorted((run.started_at, run.ended_at) for run in runs if run.started_at and run.ended_at)
        first, last = spans[0][0], max(end for _, end in spans)
        busy_s = sum((end - start).total_seconds() for start, end in spans)
        whole_s = (last - first).total_seconds()
        print(f"{DRAINED} runs drained in {whole_s:.1f} s; at work on average: {busy_s / whole_s:.2f} of {len(PANELS)}")


if __name__ == "__main__":
    claim()
    drain()
    sys.exit(0)
