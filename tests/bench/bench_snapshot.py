"""An upsert onto a panel that holds nearly all of it already: calls, CPU and memory, against a bare script.

The bare script reads the same pages with httpx and parses their JSON, and does nothing with it.
`python bench_snapshot.py 20000 5` takes another number of rows and of rounds.
"""

import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import ENVIRONMENT, scores_job, settings, watched

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
DIFFERENT = ROWS // 100

BARE = """
import httpx, json, sys
url, rows = sys.argv[1], int(sys.argv[2])
with httpx.Client(base_url=url) as client:
    login = {"grant_type": "password", "username": "idms-background", "password": "sandbox"}
    token = client.post("/token", data=login).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    for offset in range(0, rows, 500):
        json.loads(client.get("/api/ABC_Scores", params={"limit": 500, "offset": offset}, headers=headers).content)
"""


def cpu_s(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def filled() -> Sandbox:
    """A site with the rows of the file, one in a hundred with another grade."""
    site = Sandbox()
    site.add_rows(
        "ABC_Scores",
        [
            {
                "ID": str(101 + row % 300),
                "Course": f"Course {row // 300}",
                "Grade": "B" if row % 100 == 0 else "A",
                "Hours": 1.5,
            }
            for row in range(ROWS)
        ],
    )
    return site


def measure() -> float:
    site = filled()
    with TemporaryDirectory() as name, serve(site) as url:
        directory = Path(name)
        idms = settings(directory, url)
        scores_job(directory, ROWS)
        bare = cpu_s([sys.executable, "-c", BARE, url, str(ROWS)])
        site.reset()
        ours = watched([*idms, "run", "scores"], f"{directory}/idms.yaml work")
        calls = json.dumps(site.calls["calls"])
        again = cpu_s([sys.executable, "-c", BARE, url, str(ROWS)])
        bare = (bare + again) / 2
        print(
            f"upsert of {ROWS:,} rows onto as many, {DIFFERENT:,} differ: {ours.seconds:.1f} s, "
            f"{ours.peak_kb / 1024:.0f} MB, calls {calls}\n"
            f"CPU of the worker {ours.cpu_s:.2f} s, of the bare script {bare:.2f} s: ratio {ours.cpu_s / bare:.2f}",
            flush=True,
        )
    return ours.cpu_s / bare


print(f"median ratio {statistics.median([measure() for _ in range(ROUNDS)]):.2f}")
