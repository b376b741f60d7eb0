"""200,000 rows through query, select, filter, delta and file: time and memory of the worker; a check of 1,000 steps.

`python bench_workflow.py 20000` takes another number of rows.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import settings, watched

from idms_cli.config.documents import parse_document
from idms_cli.config.settings import read_settings
from idms_cli.modules.workflow import parse
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
STEPS = 1_000

JOB = """\
description: Many rows through every step that takes rows
module: workflow
with:
  steps:
    - {name: found, query: $/Idms/Scores}
    - name: named
      select: [ID, Course, Score]
      add: {Title: {template: "{{ Course|upper }} ({{ Score }})"}}
    - {name: good, filter: "{{ row.Score >= 10 and row.Course != 'x' }}"}
    - {name: keyed, select: all, add: {Key: {template: "{{ ID }}-{{ Course }}-{{ Score }}"}}}
    - {name: fresh, delta: {key: Key}}
    - {name: written, file: {to: out, file: fresh.csv}}
"""


def filled() -> Sandbox:
    site = Sandbox()
    site.add_rows(
        "ABC_Scores",
        [
            {"ID": str(101 + row % 300), "Course": f"Course {row // 300}, Zürich", "Grade": "A", "Score": row % 100}
            for row in range(ROWS)
        ],
    )
    return site


def rows_through() -> None:
    with TemporaryDirectory() as name, serve(filled()) as url:
        home = Path(name)
        (home / "out").mkdir()
        (home / "jobs.d").mkdir()
        (home / "jobs.d" / "many.yaml").write_text(JOB)
        idms = settings(home, url)
        for title in ("all rows are new", "no row is new"):
            took = watched([*idms, "run", "many"], f"{home}/idms.yaml work")
            print(f"  {title}: {took.seconds:.1f} s, CPU {took.cpu_s:.1f} s, worker {took.peak_kb / 1024:.0f} MB")


def many_steps() -> None:
    with TemporaryDirectory() as name:
        settings(Path(name), "http://127.0.0.1:9")
        lines = [
            "module: workflow",
            "with:",
            "  steps:",
            "    - {name: first, select: all, from: \"{{ [{'N': 1}] }}\"}",
        ]
        lines += [f'    - {{name: step{n}, filter: "{{{{ row.N > {n % 2} }}}}"}}' for n in range(2, STEPS + 1)]
        found = read_settings(Path(name) / "idms.yaml")
        began = time.process_time()
        parse(parse_document("\n".join(lines).encode(), "jobs.d/many.yaml"), found, "test")
        print(f"  {STEPS:,} steps checked in {time.process_time() - began:.2f} s")


if __name__ == "__main__":
    print(f"a workflow, {ROWS:,} rows")
    rows_through()
    many_steps()
