"""Faults put into a real command at one of its system calls, with strace, and what must hold when all is over."""

import csv
import random
import re
import shutil
import sqlite3
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest

from idms_cli.history.rows import Run
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses

FILE_CALLS = (
    *("openat", "write", "pwrite64", "fdatasync", "fsync", "unlink", "unlinkat", "ftruncate", "flock", "fcntl"),
    *("rename", "renameat", "renameat2", "mkdir", "mkdirat", "chmod", "fchmodat", "mmap"),
)
NET_CALLS = ("connect", "sendto", "recvfrom")

KILL, EIO, ENOSPC = "signal=SIGKILL", "error=EIO", "error=ENOSPC"
FILLS = {"write", "pwrite64", "ftruncate"}
"""A disk that is full stays full until the process is gone."""
TAKES_SPACE = {*FILLS, "openat", "fdatasync", "fsync", "mkdir", "rename", "mmap"}

JOB = "scores"
COURSE = "Bookbinding"
ROWS = 6
MEMBERS = [str(number) for number in range(101, 101 + ROWS)]


@dataclass(frozen=True)
class Target:
    """A command, and which of its system calls are hit."""

    arguments: tuple[str, ...]
    moment: str
    """When the ticks afterwards are, UTC."""
    slot: str = ""
    """The slot that the command is there for; empty for one by hand."""
    files: str = "."
    """The files in the state directory (a pattern of their paths) whose calls count; empty: calls of the network."""
    follow: bool = False
    """The processes that it starts are hit as well, each at its own call of that number."""


@dataclass(frozen=True)
class Point:
    """The call of this name and number, counted in each process, gets the fault instead."""

    name: str
    number: int
    fault: str

    def __str__(self) -> str:
        lasting = "+" if self.fault == ENOSPC and self.name in FILLS else ""
        return f"inject={self.name}:{self.fault}:when={self.number}{lasting}"


@dataclass(frozen=True)
class Struck:
    """What a fault led to."""

    point: Point
    hit: bool
    """False when the command made fewer such calls this time."""
    violations: tuple[str, ...]
    told: str
    """What the command and the ticks after it said, for whoever has to find out why."""


class Bench:
    """An installation that is put back as it was before each fault."""

    def __init__(self, place: Place, site: Sandbox, target: Target) -> None:
        if shutil.which("strace") is None:
            pytest.fail("strace is not installed: without it no fault can be put in (apt-get install strace)")
        self._place = place
        self._site = site
        self._target = target
        self._snapshot = place.directory / "snapshot"
        self._log = place.directory / "strace.log"
        place.settled()
        shutil.copytree(place.state, self._snapshot, ignore=shutil.ignore_patterns("control"))  # a pipe
        self._scores = deepcopy(site.tables["ABC_Scores"])
        self._paths: tuple[str, ...] = ()

    def points(self, faults: Sequence[str]) -> list[Point]:
        """Every point of the command, found by letting it run once without a fault."""
        self._trace(FILE_CALLS if self._target.files else NET_CALLS)
        self._place.settled()
        calls, paths = self._calls_seen()
        self._paths = tuple(sorted(paths))
        return [
            Point(name, number, fault)
            for fault in faults
            for name, most in sorted(calls.items())
            if fault != ENOSPC or name in TAKES_SPACE
            for number in range(1, most + 1)
        ]

    def strike(self, point: Point) -> Struck:
        """Run the command with one fault, let up to three ticks mend what it left, and judge."""
        self._restore()
        command = self._trace([point.name], inject=point)
        self._place.settled()
        said = [command.stdout + command.stderr]
        for _ in range(3):
            tick = self._place.at(self._target.moment, "--wait")
            self._place.settled()
            said.append(tick.stdout + tick.stderr)
            if tick.returncode == 0 and not any(run.is_open for run in self._place.runs()):
                break
        logs = [path.read_text() for path in sorted(self._place.state.glob("runs/*/*.log"))]
        violations = [*judge(self._place, self._site, self._target.slot), *_bugs([*said, *logs])]
        return Struck(point, self._was_hit(), tuple(violations), "\n--\n".join([*said, *logs]))

    def _restore(self) -> None:
        shutil.rmtree(self._place.state, ignore_errors=True)
        shutil.copytree(self._snapshot, self._place.state)
        with self._site.lock:
            self._site.tables["ABC_Scores"] = deepcopy(self._scores)

    def _trace(self, calls: Sequence[str], *, inject: Point | None = None) -> "subprocess.CompletedProcess[str]":
        """Run the command under strace; with `inject` only the calls on the files in question count."""
        options = ["-f"] if self._target.follow else []  # with --seccomp-bpf strace 6.1 injects no signals
        options += [word for path in self._paths for word in ("-P", path)]
        options += ["-e", "trace=" + ",".join(f"?{name}" for name in calls)]
        options += ["-e", str(inject)] if inject else []
        return subprocess.run(
            ["strace", "-y", "-o", str(self._log), *options, *self._place.command(*self._target.arguments)],
            env=self._place.environment,
            cwd=self._place.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,  # a lock that is not let go of is waited for 30 s, by one process after the other
            check=False,
        )

    def _calls_seen(self) -> tuple[Mapping[str, int], set[str]]:
        """The most calls of each name that one process made, and the files that they were made on."""
        state = re.escape(str(self._place.state))
        on_file = re.compile(rf'[<"]({state}/[^>"]*)[>"]')
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        paths: set[str] = set()
        for line in self._log.read_text(errors="replace").splitlines():
            call = re.match(r"(?P<pid>\d+ +)?(?P<name>\w+)\(", line)
            if call is None:
                continue
            wanted = {path for path in on_file.findall(line) if re.search(self._target.files, path)}
            if wanted or not self._target.files:
                counts[call["name"]][call["pid"] or ""] += 1
            if self._target.files:
                paths |= wanted
        return {name: max(by_process.values()) for name, by_process in counts.items()}, paths

    def _was_hit(self) -> bool:
        log = self._log.read_text(errors="replace")
        return "(INJECTED)" in log or "killed by SIGKILL" in log


def sample(points: Sequence[Point], number: int, chance: random.Random) -> list[Point]:
    """Some of the points, of as many different calls as possible."""
    by_name: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        by_name[point.name].append(point)
    for same in by_name.values():
        chance.shuffle(same)
    found: list[Point] = []
    while len(found) < min(number, len(points)):
        names = [name for name in by_name if by_name[name]]
        chance.shuffle(names)
        found += [by_name[name].pop() for name in names]
    return found[:number]


def judge(place: Place, site: Sandbox, slot: str) -> Iterator[str]:
    """Whatever is not as it must be when all is over."""
    yield from _corrupt(place)
    runs = place.runs()
    yield from (f"run {run.id} is stuck: {run.status}" for run in runs if run.is_open)
    wanted = [(slot, "run", "")] if slot else []
    if place.slots(JOB) != wanted:
        yield f"the verdicts are {place.slots(JOB)}, not {wanted}"
    if len(runs) > 1 or (slot and not runs):
        yield f"there are {len(runs)} runs"
    written = {member: number for (member, course), number in courses(site).items() if course == COURSE}
    yield from (f"{member} is there {number} times" for member, number in written.items() if number > 1)
    yield from _untold(place, runs[0], set(written)) if runs else (f"{member}: no run" for member in written)


def _untold(place: Place, run: Run, written: set[str]) -> Iterator[str]:
    """Records that were lost, or written, in silence."""
    if run.status not in ("completed", "partial", "failed", "cancelled") or (run.status != "completed") > bool(
        run.reason
    ):
        yield f"run {run.id} ended as {run.status}, reason '{run.reason}'"
    counts = run.counts
    done = sum(counts.get(name, 0) for name in ("inserted", "updated", "unchanged"))
    if counts.get("read", 0) != done + counts.get("rejected", 0) + counts.get("skipped", 0):
        yield f"the counts do not add up: {dict(counts)}"
    rejects = _rejects(place.state / "runs" / str(run.id))
    unsure = {member for member, code in rejects.items() if code == "unknown"}
    if counts.get("rejected", 0) != len(rejects):
        yield f"{counts.get('rejected', 0)} rejected, but the file of rejects has {len(rejects)}"
    if not done <= len(written) <= done + len(unsure):
        yield f"{done} told as written, {len(written)} are there: {run.status}, {run.reason}"
    if written & (rejects.keys() - unsure):
        yield f"told as not written, but there: {sorted(written & rejects.keys())}"
    lost = set(MEMBERS) - written - rejects.keys()
    if lost and (written or run.status in ("completed", "partial")):
        yield f"neither written nor told: {sorted(lost)}"


def _rejects(directory: Path) -> Mapping[str, str]:
    try:
        with (directory / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
            return {row["member"]: row["_code"] for row in csv.DictReader(file)}
    except FileNotFoundError:
        return {}


def _corrupt(place: Place) -> Iterator[str]:
    for path in (place.state / "history.db", *place.state.glob("runs/*/journal.db")):
        with closing(sqlite3.connect(path)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            yield f"{path.name}: {found}"


def _bugs(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        found = re.search("Traceback|a bug", text)
        if found:
            yield f"said '{found[0]}': {text.strip()[-2000:]}"
