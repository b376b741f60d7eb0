"""An installation of idms to measure: its settings, its jobs, and what a process of it costs."""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {**os.environ, "IDMS_BENCH_PASSWORD": "sandbox"}


def settings(directory: Path, url: str, *, connection: str = "rate: 100000/s") -> list[str]:
    """Write an idms.yaml; returns the beginning of every command line."""
    (directory / "jobs.d").mkdir(exist_ok=True)
    login = "username: idms-background, password: {env: IDMS_BENCH_PASSWORD}"
    (directory / "idms.yaml").write_text(f'connections:\n  bench: {{url: "{url}", {login}, {connection}}}\n')
    return [sys.executable, "-m", "idms_cli", "--config", str(directory / "idms.yaml")]


def scores_job(directory: Path, rows: int, *, name: str = "scores", grade: str = "A") -> None:
    """A job that upserts so many rows into a panel of the sandbox."""
    with (directory / f"{name}.csv").open("w") as file:
        file.write("member,course,grade,hours\n")
        for row in range(rows):
            file.write(f"{101 + row % 300},Course {row // 300},{grade},1.5\n")
    (directory / f"jobs.d/{name}.yaml").write_text(
        f"module: import\nwith:\n  source: {{path: {name}.csv}}\n  destination: {{panel: ABC_Scores}}\n"
        "  action: upsert\n  match: [ID, Course]\n"
        "  map: {ID: member, Course: course, Grade: grade, Hours: hours}\n"
    )


def cpu_ms(command: Sequence[str]) -> float:
    """CPU time of one process and its children, user and system, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def paired(one: Sequence[str], other: Sequence[str], *, rounds: int = 25) -> tuple[float, float, float]:
    """Median CPU time of both commands, taken in turn, and the median of their ratios."""
    pairs = [(cpu_ms(one), cpu_ms(other)) for _ in range(rounds)]
    ratio = statistics.median(first / second for first, second in pairs)
    return statistics.median(first for first, _ in pairs), statistics.median(second for _, second in pairs), ratio


@dataclass(frozen=True)
class Watched:
    """What a command took."""

    seconds: float
    peak_kb: int
    """The most memory of the process that was looked for."""
    cpu_s: float
    """CPU time of that process, to a tick of the kernel (10 ms) and what it used after the last look."""


def watched(command: Sequence[str], pattern: str) -> Watched:
    """Run a command, and look all the time at the process whose command line has `pattern`."""
    started = time.monotonic()
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    peak_kb, cpu_s, found = 0, 0.0, None
    while process.poll() is None:
        found = found or next((one for one in Path("/proc").glob("[0-9]*") if pattern in _command(one)), None)
        if found:
            peak_kb = max(peak_kb, _peak_kb(found))
            cpu_s = max(cpu_s, _cpu_s(found))
        time.sleep(0.02)
    return Watched(time.monotonic() - started, peak_kb, cpu_s)


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # it has just ended
        return ""


def _peak_kb(process: Path) -> int:
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _cpu_s(process: Path) -> float:
    """User and system time (proc_pid_stat(5), fields 14 and 15)."""
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(work: Callable[[], object]) -> float:
    """Wall time in seconds."""
    started = time.monotonic()
    work()
    return time.monotonic() - started
