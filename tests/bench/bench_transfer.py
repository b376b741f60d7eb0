"""A transfer of 1,000,000 rows of a query to CSV: CPU and memory of the worker, against a bare script.

The bare script reads the same pages with httpx and writes the rows with the csv module.
`python bench_transfer.py 100000 5` takes another number of rows and of rounds.
"""

import resource
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import ENVIRONMENT, settings, watched

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 1
QUERY = "$/Idms/Scores"

BARE = f"""
import csv, httpx, sys
url, path = sys.argv[1:]
with httpx.Client(base_url=url) as client, open(path, "w", newline="") as file:
    login = {{"grant_type": "password", "username": "idms-background", "password": "sandbox"}}
    token = client.post("/token", data=login).json()["access_token"]
    headers = {{"Authorization": f"Bearer {{token}}"}}
    writer, offset, more = None, 0, True
    while more:
        asked = {{"QueryName": "{QUERY}", "limit": 500, "offset": offset}}
        page = client.get("/api/query", params=asked, headers=headers).json()
        for row in page["Items"]["$values"]:
            row.pop("$type")
            if writer is None:
                writer = csv.DictWriter(file, row)
                writer.writeheader()
            writer.writerow(row)
        offset, more = page["NextOffset"], page["HasNext"]
"""

JOB = f"""\
module: transfer
with:
  source: {{query: {QUERY}}}
  steps:
    - {{to: out, file: scores.csv}}
"""


def cpu_s(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def filled() -> Sandbox:
    """A site with so many rows of scores; they are made page by page, and every page is a new one."""
    site = Sandbox()
    site.add_rows(
        "ABC_Scores",
        [
            {
                "ID": str(101 + row % 300),
                "Course": f"Course {row // 300}, Zürich",
                "Grade": "A",
                "Hours": row % 40 / 2,
                "Score": row % 100,
                "TakenOn": "2026-01-31T00:00:00",
            }
            for row in range(ROWS)
        ],
    )
    return site


def measure(site: Sandbox) -> float:
    with TemporaryDirectory() as name, serve(site) as url:
        directory = Path(name)
        idms = settings(directory, url)
        (directory / "jobs.d/scores.yaml").write_text(JOB)
        (directory / "out").mkdir()
        bare = cpu_s([sys.executable, "-c", BARE, url, str(directory / "bare.csv")])
        ours = watched([*idms, "run", "scores"], f"{directory}/idms.yaml work")
        size = (directory / "out/scores.csv").stat().st_size
        rows, took = len(site.rows("ABC_Scores")), f"{ours.seconds:.1f} s, {ours.peak_kb / 1024:.0f} MB of memory"
        print(
            f"transfer of {rows:,} rows to {size / 1e6:.0f} MB of CSV: {took}\n"
            f"CPU of the worker {ours.cpu_s:.2f} s, of the bare script {bare:.2f} s: ratio {ours.cpu_s / bare:.2f}",
            flush=True,
        )
    return ours.cpu_s / bare


SITE = filled()
print(f"median ratio {statistics.median([measure(SITE) for _ in range(ROUNDS)]):.2f}")
