"""The process that stands over one run: it holds the lock, keeps the time limit, ends the tree, records the outcome."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from idms_cli.config.durations import format_duration
from idms_cli.config.foreign import harmless
from idms_cli.config.settings import Settings
from idms_cli.dispatch.closing import close_run
from idms_cli.dispatch.control import Control
from idms_cli.dispatch.ending import end_run
from idms_cli.dispatch.following import claim_followers
from idms_cli.dispatch.launch import Started, hand_over, program
from idms_cli.dispatch.outcomes import forget_outcome, read_outcome
from idms_cli.dispatch.processes import adopt_orphans, kill_tree, signal_tree
from idms_cli.dispatch.senders import wake_senders
from idms_cli.dispatch.settle import last_counts
from idms_cli.dispatch.telling import tell_began, tell_ended
from idms_cli.dispatch.wording import time_of_day
from idms_cli.history.queue import StopRequest
from idms_cli.history.rows import Run
from idms_cli.history.store import Store

STOP_WITHIN_S = 30.0
"""How long a worker may take to finish the record in hand once it is asked to stop."""

FORCE_AFTER_S = 1.0
"""A second signal ends the worker by force, unless it comes so soon after the first that it is the same request: a
service manager signals the whole group, and whoever is above passes the signal on as well."""

WORKER_LOG = "worker.log"
SPEAKER = "idms: "
"""What each error of a command begins with."""
LONGEST_WORD = 300

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


HINT_LIMIT = "Give the job a longer `timeout:`, or find out with `idms show` what took so long."


class Supervisor:
    """Runs one run's worker to its end."""

    def __init__(self, store: Store, settings: Settings, started: Started) -> None:
        self._store = store
        self._settings = settings
        self._started = started
        self._run = started.run
        self._directory = store.run_directory(started.run.id)
        self._control = Control(self._directory)
        self._request: StopRequest | None = None
        """Who wants it to stop, if it was `idms stop` or a newer run; else it was a signal."""
        self._stop_asked_at: float | None = None
        self._force_asked = False
        self._timed_out = False
        self._killed = False
        self._wake, self._wake_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._wake_end, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._on_stop) for number in STOP_SIGNALS}

    def supervise(self, *, watch: Callable[[], None] = lambda: None, every_s: float = 30.0) -> Run:
        """Start the worker, wait for its end, record it, and let the next pending run start.

        `watch` is called at least every `every_s` seconds meanwhile. Afterwards signals mean what they meant before.
        """
        try:
            return self._supervise(watch, every_s)
        finally:
            for number, before in self._before.items():
                signal.signal(number, before)
            signal.set_wakeup_fd(-1)
            os.close(self._wake)
            os.close(self._wake_end)

    def _supervise(self, watch: Callable[[], None], every_s: float) -> Run:
        adopt_orphans()
        forget_outcome(self._directory)
        tell_began(self._run)
        worker = self._start_worker()
        try:
            self._wait(worker, watch, every_s)
        finally:  # nothing of a run outlives the process that stands over it, not even where that one fails
            kill_tree()
            worker.wait()
        self._record(worker.returncode)
        self._control.close()
        self._started.release()
        if self._stop_asked_at is None or self._request:  # a signal may mean that everything is to end: a tick goes on
            claim_followers(self._store, self._settings, datetime.now(UTC))
            hand_over(self._store, self._settings, time.time())
        wake_senders(self._store, self._settings, time.time())
        run = self._store.runs.one(self._run.id)
        return run or self._run

    def _start_worker(self) -> subprocess.Popen[bytes]:
        command = [*program(self._settings), "work", str(self._run.id), "--parent", str(os.getpid())]
        with (self._directory / WORKER_LOG).open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock.fd for lock in self._started.data],  # an orphan still blocks the next writer
                start_new_session=True,
                cwd="/",
            )

    def _wait(self, worker: subprocess.Popen[bytes], watch: Callable[[], None], every_s: float) -> None:
        poll = select.poll()
        pidfd = os.pidfd_open(worker.pid)
        poll.register(pidfd, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        if self._control.fd is not None:
            poll.register(self._control.fd, select.POLLIN)
        limit = None if self._run.timeout_s is None else _boot_s() + self._run.timeout_s
        kill_at = None
        try:
            self._look_for_request()  # it may have come before anybody listened
            while worker.poll() is None:
                if self._stop_asked_at is None or kill_at is not None:
                    poll.poll(1000 * _seconds_left(every_s, limit if kill_at is None else kill_at))
                _drain(self._wake)
                _drain(self._control.fd)
                self._look_for_request()
                if limit is not None and _boot_s() >= limit and not self._timed_out and kill_at is None:
                    self._timed_out = True
                    kill_at = self._ask_to_stop()
                if self._stop_asked_at is not None and kill_at is None:
                    kill_at = self._ask_to_stop()
                if self._force_asked:
                    kill_at = _boot_s()
                if kill_at is not None and _boot_s() >= kill_at:
                    self._killed = True
                    worker.kill()
                    worker.wait()
                watch()
        finally:
            os.close(pidfd)

    def _look_for_request(self) -> None:
        self._request = self._store.queue.stop_request(self._run.id)
        if self._request:
            self._stop_asked_at = self._stop_asked_at or _boot_s()
            self._force_asked = self._force_asked or self._request.force

    def _ask_to_stop(self) -> float:
        """TERM to the whole tree; returns when patience ends (seconds since boot)."""
        signal_tree(signal.SIGTERM)
        return _boot_s() + STOP_WITHIN_S

    def _record(self, returncode: int) -> None:
        result = self._result()
        if result is None and self._run.dry_run:
            result = {"status": "cancelled", "reason": self._why_no_outcome(returncode), "exit_code": 1}
        if result is None:
            reason, counts = self._why_no_outcome(returncode), last_counts(self._directory)
            self._store.runs.interrupt(self._run.id, reason, counts)
            tell_ended(self._run, time.time(), {"status": "interrupted", "reason": reason, "counts": counts})
        elif result["status"] == "waiting":
            self._store.runs.put_back(self._run.id, result["reason"])
        elif result["status"] == "interrupted":
            self._store.runs.interrupt(
                self._run.id, result["reason"], result["counts"], tried=False, exit_code=result["exit_code"]
            )
        elif result.get("again_in_s") is not None:
            self._put_off(result)
        else:
            end_run(self._store, self._run, time.time(), result)

    def _put_off(self, result: Mapping[str, Any]) -> None:
        now = time.time()
        until, attempts = now + result["again_in_s"], result["attempts"]
        at = time_of_day(_moment(until), _moment(now), self._settings.timezone)
        reason = f"will be tried again at {at} ({self._run.retried + 2} of {attempts}): {result['reason']}"
        self._store.queue.put_off(self._run.id, until, reason, result["counts"])

    def _result(self) -> Mapping[str, Any] | None:
        """What to record; None when the worker told no outcome and nobody had asked it to stop: to be resumed.

        It was killed by somebody else, or the disk did not even take its outcome; or what was to be done after that
        was not done.
        """
        told = read_outcome(self._directory) or {}
        if self._timed_out and told.get("status", "cancelled") == "cancelled":
            limit = format_duration(timedelta(seconds=self._run.timeout_s or 0))
            reason = f"the time limit of {limit} was reached"
            counts = told.get("counts") or close_run(self._store, self._settings, self._run, reason)
            return {"status": "failed", "reason": reason, "hint": HINT_LIMIT, "exit_code": 1, "counts": counts}
        if told.get("status") == "cancelled" and self._request:
            return {**told, "reason": self._request.reason}
        is_over = told.pop("over", True) or self._stop_asked_at is not None or self._timed_out
        goes_on = told.get("again_in_s") is not None or told.get("status") in ("waiting", "interrupted")
        if told and not (goes_on and self._stop_asked_at is not None):
            return told if is_over else None  # it died over its aftercare: what it wrote is safe, it goes on from there
        if self._stop_asked_at is not None:
            by_force = " by force" if self._killed else ""
            reason = self._request.reason + by_force if self._request else f"stopped{by_force}"
            counts = close_run(self._store, self._settings, self._run, reason)
            return {"status": "cancelled", "reason": reason, "exit_code": 130, "counts": counts}
        return None

    def _why_no_outcome(self, returncode: int) -> str:
        if returncode < 0:
            return f"its worker was killed by {signal.Signals(-returncode).name}"
        said = _last_word(self._directory / WORKER_LOG)
        why = f": {said}" if said else "; worker.log says more"
        return f"its worker left with exit code {returncode} and told no outcome{why}"

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        now = _boot_s()
        if self._stop_asked_at is None:
            self._stop_asked_at = now
        elif now > self._stop_asked_at + FORCE_AFTER_S:
            self._force_asked = True


def _last_word(log: Path) -> str:
    """The last error that a worker told, without its hint; empty if it told none."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    told = [line.removeprefix(SPEAKER) for line in lines if line.startswith(SPEAKER)]
    return harmless(told[-1])[:LONGEST_WORD] if told else ""


def _boot_s() -> float:
    """Seconds since boot, sleep included: a time limit must not stand still while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _seconds_left(every_s: float, until: float | None) -> float:
    return every_s if until is None else max(0.0, min(every_s, until - _boot_s()))


def _drain(fd: int | None) -> None:
    if fd is None:
        return
    try:
        os.read(fd, 512)
    except BlockingIOError:
        return
