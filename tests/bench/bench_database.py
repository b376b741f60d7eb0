"""1,000,000 rows of 8 columns from a spool into PostgreSQL: CPU time and memory of the delivery, beside a bare script.

The bare script reads the same rows as the site would page them (JSON, 500 a page) and writes them with the csv module.
`python bench_database.py 100000` takes another number of rows.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
PAGE = 500
ROOT = Path(__file__).parent.parent.parent

BARE = """\
import csv, json, sys
with open(sys.argv[2], "w", newline="") as target:
    out = csv.writer(target)
    for line in open(sys.argv[1]):
        out.writerows([tuple(row.values()) for row in json.loads(line)["Items"]["$values"]])
"""
DELIVER = """\
import sys
from pathlib import Path
from idms_cli.rows.spool import Spooled
from tests.delivery.cargo import SampleCargo, delivery, destination
folder = Path(sys.argv[1])
cargo = SampleCargo(rows=Spooled(folder / "rows"))
print(dict(destination(sys.argv[2], folder).deliver(cargo, delivery(folder)).counts))
"""


def members() -> Iterator[dict[str, str | int | Decimal | bool | None]]:
    for number in range(ROWS):
        yield {
            "ID": str(100000 + number),
            "FullName": f"Zoë O'Néill-{number % 977}",
            "Email": f"member{number}@example.org" if number % 7 else None,
            "Chapter": ("North", "South", "East", "")[number % 4],
            "JoinDate": f"20{number % 26:02}-0{number % 9 + 1}-15T00:00:00",
            "Balance": Decimal(number % 100000) / 100,
            "Visits": number % 50,
            "IsActive": number % 3 != 0,
        }


TABLE = (
    "CREATE TABLE members (id text PRIMARY KEY, fullname text, email text, chapter text, joindate date, "
    "balance numeric(12,2), visits integer, isactive boolean)"
)


def measured(*command: str) -> tuple[float, float, str]:
    """CPU seconds and peak memory in MB of one process, and what it printed."""
    script = f"{command[0]}\nimport resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", script, *command[1:]], check=True, capture_output=True, text=True, cwd=ROOT
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    *told, peak = done.stdout.split("\n")[:-1]
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, float(peak), " ".join(told)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from idms_cli.rows.spool import spooling
    from tests.delivery.database.postgres import MISSING, PASSWORD, database, program, running_server

    if program("initdb") is None:
        sys.exit(MISSING)
    os.environ["IDMS_TEST_DATABASE"] = PASSWORD
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with spooling(folder / "rows") as spool, (folder / "pages").open("w") as pages:
            page: list[dict[str, object]] = []
            for row in members():
                spool.add(row)
                page.append({key: float(each) if isinstance(each, Decimal) else each for key, each in row.items()})
                if len(page) == PAGE:
                    pages.write(f"{json.dumps({'Items': {'$values': page}})}\n")
                    page.clear()
        bare, peak, _ = measured(BARE, str(folder / "pages"), str(folder / "bare.csv"))
        print(f"bare script, {ROWS:,} rows to CSV: {bare:.1f} s CPU, {peak:.0f} MB")
        with running_server(folder) as server, database(server, "bench") as db:
            db.make(TABLE)
            for mode in ("append", "replace", "upsert"):
                started = time.monotonic()
                step = db.step(mode=mode, ledger=False, key=["ID"] if mode == "upsert" else None)
                spent, peak, told = measured(DELIVER, str(folder), step)
                print(
                    f"{mode}: {spent:.1f} s CPU ({spent / bare:.2f} times the bare script), {peak:.0f} MB, "
                    f"{time.monotonic() - started:.1f} s in all; {told}"
                )
