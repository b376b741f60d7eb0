"""How long after run-due is called a due run is marked as started, and its worker begins."""

import statistics
import subprocess
import time
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import ENVIRONMENT, cpu_ms, scores_job, settings

from idms_cli.history.rows import Wanted
from idms_cli.history.store import Store
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

ROUNDS = 7

with TemporaryDirectory() as name, serve(Sandbox()) as url:
    directory = Path(name)
    idms = settings(directory, url)
    scores_job(directory, 1)
    job = directory / "jobs.d/scores.yaml"
    job.write_text(job.read_text() + 'schedule: {cron: "0 * * * *"}\n')
    subprocess.run([*idms, "run-due", "--at", "2026-12-01 00:30"], check=True, env=ENVIRONMENT)
    started, begun, cpu = [], [], []
    with Store(directory / ".idms") as store:
        for hour in range(1, ROUNDS + 1):
            called = time.time()
            at = f"2026-12-01 {hour:02}:00"
            cpu.append(cpu_ms([*idms, "run-due", "--at", at]) / 1000)
            log = store.run_directory(hour) / "log.txt"
            while not log.exists():
                time.sleep(0.005)
            begun.append(log.stat().st_ctime - called if not log.stat().st_size else time.time() - called)
            while store.runs.open():
                time.sleep(0.02)
            (run,) = store.runs.history(Wanted(limit=1))
            assert isinstance(run.started_at, datetime)
            started.append(run.started_at.timestamp() - called)
    print(f"a due run is started {statistics.median(started):.2f} s after the call (most: {max(started):.2f} s)")
    print(f"and its worker begins {statistics.median(begun):.2f} s after the call (most: {max(begun):.2f} s)")
    print(f"the call itself takes {statistics.median(cpu):.2f} s of CPU")
