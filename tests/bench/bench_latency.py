"""1,000 rows on a site that takes 20 ms for each call: what idms adds to that, and what concurrency gains.

The bare script makes as many calls of the same kind with httpx, one after the other, and does nothing else.
`python bench_latency.py 500 50` takes another number of rows and of milliseconds.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import ENVIRONMENT, scores_job, settings

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
LATENCY_S = int(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.02

BARE = """
import httpx, sys
url, rows, looks = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "update"
with httpx.Client(base_url=url) as client:
    login = {"grant_type": "password", "username": "idms-background", "password": "sandbox"}
    token = client.post("/token", data=login).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    address = "/api/ABC_Scores/~101%7C1"
    body = client.get(address, headers=headers).json()
    for row in range(rows):
        if looks:
            body = client.get(address, headers=headers).json()
        client.put(address, json=body, headers=headers).raise_for_status().json()
"""


def took(command: list[str]) -> tuple[float, float]:
    """Wall and CPU time, in seconds."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, cpu_s


def measure(what: str, concurrency: int) -> tuple[float, int]:
    """Wall time of a run, and its calls. The data is made anew each time."""
    site = Sandbox(latency_s=LATENCY_S)
    if what == "update":
        rows = [(str(101 + row % 300), f"Course {row // 300}") for row in range(ROWS)]
        site.add_rows("ABC_Scores", [{"ID": member, "Course": course, "Grade": "B"} for member, course in rows])
    with TemporaryDirectory() as name, serve(site) as url:
        directory = Path(name)
        idms = settings(directory, url, connection=f"rate: 100000/s, concurrency: {concurrency}")
        scores_job(directory, ROWS)
        wall_s, _ = took([*idms, "run", "scores"])
        return wall_s, sum(site.calls["calls"].values())


def bare(what: str) -> tuple[float, float]:
    """Wall and CPU time of the bare script."""
    with serve(Sandbox(latency_s=LATENCY_S)) as url:
        return took([sys.executable, "-c", BARE, url, str(ROWS), what])


for what in ("insert", "update"):
    bare_s, cpu_s = bare(what)
    one_s, calls = measure(what, 1)
    eight_s, _ = measure(what, 8)
    least_s = calls * LATENCY_S + cpu_s
    print(
        f"{what} of {ROWS:,} rows, {calls:,} calls of {LATENCY_S * 1000:.0f} ms: {one_s:.1f} s, "
        f"calls x latency + CPU of the bare script ({cpu_s:.1f} s) {least_s:.1f} s: ratio {one_s / least_s:.2f}\n"
        f"  (the bare script itself took {bare_s:.1f} s: ratio {one_s / bare_s:.2f})\n"
        f"  concurrency 8: {eight_s:.1f} s: {one_s / eight_s:.1f} times as fast",
        flush=True,
    )
