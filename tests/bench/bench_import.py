"""An import of 100,000 rows: time, memory of the worker, calls; and the same once more, which writes nothing.

`python bench_import.py 10000` takes another number of rows.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import scores_job, settings, watched

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000


site = Sandbox()
with TemporaryDirectory() as name, serve(site) as url:
    directory = Path(name)
    idms = settings(directory, url)
    scores_job(directory, ROWS)
    for attempt in ("first", "second"):
        site.reset()
        took = watched([*idms, "run", "scores"], f"{directory}/idms.yaml work")
        print(
            f"{attempt} import of {ROWS:,} rows: {took.seconds:.1f} s ({took.cpu_s:.1f} s CPU), "
            f"worker's peak memory {took.peak_kb / 1024:.0f} MB, calls {dict(site.calls['calls'])}"
        )
