"""A dry run of a million rows, none of which is on the site: memory against that of 100,000 rows.

`python bench_dry_run.py 300000` takes another number of rows. A million take some minutes.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import Watched, scores_job, settings, watched

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

FEW = 100_000
MANY = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000


def measure(rows: int) -> Watched:
    site = Sandbox()
    with TemporaryDirectory() as name, serve(site) as url:
        directory = Path(name)
        idms = settings(directory, url)
        scores_job(directory, rows)
        took = watched([*idms, "run", "scores", "--dry-run"], f"{directory}/idms.yaml work")
        kept_mb = sum(path.stat().st_size for path in directory.glob(".idms/runs/*/*") if path.is_file()) / 2**20
    print(
        f"dry run of {rows:,} rows: {took.seconds:.1f} s ({took.cpu_s:.1f} s CPU), "
        f"worker's peak memory {took.peak_kb / 1024:.0f} MB, {kept_mb:.0f} MB kept, calls {dict(site.calls['calls'])}",
        flush=True,
    )
    return took


few, many = measure(FEW), measure(MANY)
print(f"{(many.peak_kb - few.peak_kb) / 1024:.0f} MB more for {MANY:,} rows than for {FEW:,}")
