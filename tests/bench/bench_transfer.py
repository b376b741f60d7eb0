"""A transfer of 1,000,000 rows of a query to CSV and to PostgreSQL: CPU and memory of the worker, and a bare script's.

The bare script reads the same pages with httpx and writes the rows with the csv module.
`python bench_transfer.py 100000 5` takes another number of rows and of rounds.
"""

import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import ENVIRONMENT, Watched, settings, watched

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve
from tests.delivery.database.postgres import MISSING, PASSWORD, Database, database, program, running_server

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
    - STEP
"""
TO_CSV = "{to: out, file: scores.csv}"
TABLE = (
    "CREATE TABLE scores (id text, ordinal bigint, course text, grade text, hours numeric, score integer, "
    "takenon timestamp, PRIMARY KEY (id, course))"
)


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


@contextmanager
def installed(site: Sandbox, step: str) -> Iterator[tuple[Path, str, list[str]]]:
    """A directory with the job, the site's address, and the beginning of every command line."""
    with TemporaryDirectory() as name, serve(site) as url:
        directory = Path(name)
        idms = settings(directory, url)
        (directory / "jobs.d/scores.yaml").write_text(JOB.replace("STEP", step))
        (directory / "out").mkdir()
        yield directory, url, idms


def measure(site: Sandbox, db: Database | None) -> list[float]:
    """The ratios for CSV and, where there is a database, for its table."""
    with installed(site, TO_CSV) as (directory, url, idms):
        bare = cpu_s([sys.executable, "-c", BARE, url, str(directory / "bare.csv")])
        csv = cost(idms, directory)
        size = (directory / "out/scores.csv").stat().st_size
        told(f"{size / 1e6:.0f} MB of CSV", csv, bare)
    if db is None:
        return [csv.cpu_s / bare]
    with installed(site, db.step(table="scores", mode="replace")) as (directory, _, idms):
        table = cost(idms, directory)
        told(f"{int(db.psql('SELECT count(*) FROM scores')):,} rows of PostgreSQL", table, bare)
    return [csv.cpu_s / bare, table.cpu_s / bare]


def cost(idms: list[str], directory: Path) -> Watched:
    return watched([*idms, "run", "scores"], f"{directory}/idms.yaml work")


def told(what: str, ours: Watched, bare: float) -> None:
    print(
        f"transfer of {ROWS:,} rows to {what}: {ours.seconds:.1f} s, {ours.peak_kb / 1024:.0f} MB of memory\n"
        f"CPU of the worker {ours.cpu_s:.2f} s, of the bare script {bare:.2f} s: ratio {ours.cpu_s / bare:.2f}",
        flush=True,
    )


def rounds(db: Database | None) -> None:
    site = filled()
    by_kind = zip(*[measure(site, db) for _ in range(ROUNDS)], strict=True)
    print("median ratios:", ", ".join(f"{statistics.median(ratios):.2f}" for ratios in by_kind))


if program("initdb") is None:
    print(f"{MISSING}; CSV alone is measured")
    rounds(None)
else:
    ENVIRONMENT["IDMS_TEST_DATABASE"] = PASSWORD
    with TemporaryDirectory() as shared, running_server(Path(shared)) as server, database(server, "bench") as db:
        db.make(TABLE)
        rounds(db)
