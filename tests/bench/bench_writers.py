"""Formats to write: CPU of a million rows of 8 columns from a spool, against json and csv alone over the same lines.

`python bench_writers.py 200000` takes another number of rows; further words choose formats. Memory is the most
that each child process had.
"""

import csv
import json
import os
import resource
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from idms_cli.files.writers import WRITERS, Occasion, load_writer
from idms_cli.rows.spool import Spooled, spooling
from idms_cli.templates.moments import sample_occasion

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
FORMATS = sys.argv[2:] or ["csv", "tsv", "fixed", "json", "jsonl", "xml", "text", "excel"]
OPTIONS = {
    "fixed": {"columns": [{"name": name, "width": 40} for name in ("ID", "Name", "Email", "City")]},
    "text": {"template": "{% for row in rows %}{{ row.ID }};{{ row.Name }};{{ row.Email }}\n{% endfor %}"},
}


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds of CPU and MB at most, of a child that does this."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    _, status, usage = os.wait4(child, 0)
    assert status == 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def bare(path: Path, out: Path) -> None:
    """What anybody would write."""
    with path.open(encoding="utf-8") as lines, out.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(map(json.loads, lines))


def written(name: str, path: Path, out: Path) -> None:
    writer = load_writer(name)
    options = writer.Options.model_validate(OPTIONS.get(name, {}))
    rows = Spooled(path)
    if rows.count > 200_000 and name == "excel":
        rows = Spooled(path.with_name("few"))
    with out.open("wb") as stream:
        writer.write(rows, stream, options, Occasion({**sample_occasion(), "batch": 1}, scratch=path.parent))


def fill(path: Path, count: int) -> None:
    with spooling(path) as spool:
        for number in range(count):
            spool.add(
                {
                    "ID": str(100_000 + number), "Name": f"Zoë Müller-{number}", "Email": f"zoe{number}@example.org",
                    "Street": f"{number % 900} Some Street", "City": "Springfield", "Joined": "2026-01-31T00:00:00",
                    "Fee": Decimal(number % 10_000).scaleb(-2), "Note": None if number % 3 else "paid, thanks",
                }
            )  # fmt: skip


with TemporaryDirectory() as folder:
    spool, out = Path(folder) / "rows", Path(folder) / "out"
    fill(spool, ROWS)
    fill(Path(folder) / "few", 200_000)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    base, _ = measured(lambda: bare(spool, out))
    print(f"{ROWS:,} rows: json and csv alone {base:.2f} s CPU; this process has {own:.0f} MB", flush=True)
    for name in FORMATS:
        assert name in WRITERS
        seconds, peak = measured(lambda name=name: written(name, spool, out))
        few = " (200,000 rows)" if name == "excel" and ROWS > 200_000 else ""
        print(
            f"{name:6}{few} {seconds:.2f} s CPU, {seconds / base:.2f} times; {peak:.0f} MB; "
            f"{out.stat().st_size:,} bytes",
            flush=True,
        )
