"""CPU time of a tick with nothing to do, over 1,000 job files, against `python -c pass`."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import ENVIRONMENT, paired, settings

JOBS = 1000

with TemporaryDirectory() as name:
    directory = Path(name)
    idms = settings(directory, "http://127.0.0.1:1")
    for number in range(JOBS):
        (directory / f"jobs.d/job-{number:04}.yaml").write_text(
            'module: import\nschedule: {cron: "0 0 1 1 *"}\n'
            "with: {source: {path: a.csv}, destination: contact, action: upsert, match: [ID], map: {ID: id}}\n"
        )
    subprocess.run([*idms, "run-due"], check=True, env=ENVIRONMENT)
    tick, nothing, ratio = paired([*idms, "run-due"], [sys.executable, "-c", "pass"])
    print(f"idle tick, {JOBS:,} jobs: {tick:.1f} ms CPU; python -c pass: {nothing:.1f} ms; ratio {ratio:.2f}")
