"""What the reports cost with 1,000,000 runs in the history, against 1,000: the CPU time of the whole process."""

import statistics
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import cpu_ms, scores_job, settings

from idms_cli.history.store import Store

JOBS = 50
EVERY_S = 600
NOW = 1_796_385_600
ROUNDS = 5

RUNS = """
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :runs)
INSERT INTO run (job, due, by_hand, foreground, dry_run, intent, connection, options, definition, locks, priority, pool,
  late_s, status, reason, hint, created_at, started_at, ended_at, attempt, retried, stop_reason, stop_force, source,
  to_follow, counts, module, sites)
SELECT 'job-' || (n % :jobs), :now - (:runs - n) * :every, n % 97 = 0, 0, 0, 'run', '', '{}', :definition, '[]', 0, '',
  0,
  CASE WHEN n % 41 = 0 THEN 'failed' WHEN n % 17 = 0 THEN 'partial' ELSE 'completed' END, '', '',
  :now - (:runs - n) * :every, :now - (:runs - n) * :every, :now - (:runs - n) * :every + n % 60, 1, 0, '', 0, '[]',
  '[]', json_object('read', n % 1000, 'updated', n % 7, 'unchanged', n % 1000 - n % 7), 'import', 'test'
FROM number"""
SLOTS = """
INSERT OR IGNORE INTO slot (job, due, verdict, reason, run, decided_at)
SELECT job, due, 'run', '', id, due FROM run"""
SKIPPED = """
INSERT OR IGNORE INTO slot (job, due, verdict, reason, decided_at)
SELECT job, due + 60, 'skipped', 'overlap: a run goes on', due FROM run WHERE id % 20 = 0"""


def main(runs: int = 1_000_000) -> None:
    with TemporaryDirectory() as small, TemporaryDirectory() as large:
        few, many = filled(Path(small), 1000), filled(Path(large), runs)
        print(f"CPU ms of the whole process, median of {ROUNDS}: 1,000 runs, {runs:,} runs, ratio")
        for name, arguments in asked(runs).items():
            one = statistics.median(cpu_ms([*few, *asked(1000)[name]]) for _ in range(ROUNDS))
            other = statistics.median(cpu_ms([*many, *arguments]) for _ in range(ROUNDS))
            print(f"  idms {name:<28} {one:7.0f} {other:7.0f}   {other / one:.2f}", flush=True)


def asked(runs: int) -> dict[str, list[str]]:
    """What is called, with the id of the newest run."""
    return {
        "status": ["status"],
        "history": ["history"],
        "history JOB": ["history", "job-7"],
        "history --status skipped": ["history", "--status", "skipped"],
        "history --status failed": ["history", "--status", "failed"],
        "history JOB --since 2d": ["history", "job-7", "--since", "2020-01-01"],
        "history --module import": ["history", "--module", "import"],
        "history --connection test": ["history", "--connection", "test"],
        "history --by-hand": ["history", "--by-hand"],
        "history --until": ["history", "--until", "2026-11-01"],
        "show RUN": ["show", str(runs)],
        "why JOB": ["why", "job-7"],
        "changes --record": ["changes", "--record", "ABC_Scores/101"],
        "db stats": ["db", "stats"],
    }


def filled(directory: Path, runs: int) -> list[str]:
    """An installation with so many runs in its history."""
    command = settings(directory, "http://127.0.0.1:9")
    for job in range(JOBS):
        scores_job(directory, 1, name=f"job-{job}")
    with closing(Store(directory / ".idms")) as store:
        definition = store.runs.remember("job.yaml", "module: import\n")
        values = {"runs": runs, "jobs": JOBS, "now": NOW, "every": EVERY_S, "definition": definition}
        with store.database.write() as connection:
            connection.execute(RUNS, values)
            connection.execute(SLOTS)
            connection.execute(SKIPPED)
        store.retention.plan(NOW * 2)
    cpu_ms([*command, "status"])
    return command


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
