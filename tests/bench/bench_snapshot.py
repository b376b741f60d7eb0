"""An upsert onto a panel that holds nearly all of it already: calls, CPU and memory, against a bare script.

The bare script reads the same pages with httpx and parses their JSON, and does nothing with it.
`python bench_snapshot.py 20000` takes another number of rows.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import ENVIRONMENT, scores_job, settings, watched

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
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


def fill(site: Sandbox) -> None:
    """The rows of the file, one in a hundred with another grade."""
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


site = Sandbox()
fill(site)
with TemporaryDirectory() as name, serve(site) as url:
    directory = Path(name)
    idms = settings(directory, url)
    scores_job(directory, ROWS)
    bare = cpu_s([sys.executable, "-c", BARE, url, str(ROWS)])
    site.reset()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, peak_kb = watched([*idms, "run", "scores"], f"{directory}/idms.yaml work")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    ours = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    calls = json.dumps(site.calls["calls"])
    print(f"upsert of {ROWS:,} rows onto as many, {DIFFERENT:,} differ: {seconds:.1f} s, {peak_kb / 1024:.0f} MB")
    print(f"calls: {calls}")
    print(f"CPU {ours:.1f} s (with that of watching it), bare script {bare:.1f} s: ratio {ours / bare:.2f}")
