"""CPU time of a tick with nothing to do, over 1,000 and 10,000 job files, against `python -c pass`."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import ENVIRONMENT, paired, settings

JOB = """\
module: import
schedule: {cron: "0 0 1 1 *"}
with: {source: {path: a.csv}, destination: contact, action: upsert, match: [ID], map: {ID: id}}
"""


def measure(jobs: int) -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        idms = settings(directory, "http://127.0.0.1:1")
        for number in range(jobs):
            (directory / f"jobs.d/job-{number:05}.yaml").write_text(JOB)
        subprocess.run([*idms, "run-due"], check=True, env=ENVIRONMENT)
        tick, nothing, ratio = paired([*idms, "run-due"], [sys.executable, "-c", "pass"])
        print(f"idle tick, {jobs:,} jobs: {tick:.1f} ms CPU; python -c pass: {nothing:.1f} ms; ratio {ratio:.2f}")


if __name__ == "__main__":
    for jobs in map(int, sys.argv[1:] or ["1000", "10000"]):
        measure(jobs)
