"""Planned records on their way to the site: read afresh, journalled, sent and journalled again, several at a time."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

from idms_cli.imis.kinds import Record
from idms_cli.records.entry import Entry, Intent, Verdict
from idms_cli.records.journal import Journal
from idms_cli.records.window import Window


@dataclass(frozen=True)
class Ready:
    """A record that may be written: read afresh, where it was there before."""

    entry: Entry
    record: Record | None
    """None for an insert."""


@dataclass(frozen=True)
class Told:
    """What became of one record, and what ends the whole run with it, if anything does."""

    verdict: Verdict
    ends: Exception | None = None


@dataclass(frozen=True)
class Steps:
    """What is done with a record. None of it raises for a record's sake; two may run in several threads."""

    ready_at_once: Callable[[Entry], Ready | None]
    """Where nothing has to be asked before the write."""
    prepare: Callable[[Entry], Ready | Told]
    write: Callable[[Ready], Told]


class Flow:
    """Keeps up to the window's width of records under way; a new one starts as soon as one is done.

    The intent of a record is durable before its request leaves. One transaction takes the intents of all that are ready
    and the verdicts that have come meanwhile; the others stay under way while it waits for the disk.
    """

    def __init__(self, window: Window, journal: Journal, steps: Steps) -> None:
        self._window = window
        self._journal = journal
        self._steps = steps
        self._ready: list[Ready] = []
        self._under_way: list[Future[Ready | Told]] = []
        self._behind: list[Verdict] = []
        """Not yet in the journal."""

    def run(self, entries: Iterator[Entry], *, tell: Callable[[list[Verdict]], None]) -> None:
        """Write them all. `tell` is given verdicts as they come, and raises to stop.

        Raises what ends the run. However it ends, what is under way is waited for, and is in the journal.
        """
        try:
            while self._fill(entries):
                self._send()
                tell(self._gather())
        finally:
            self._settle()

    def _fill(self, entries: Iterator[Entry]) -> bool:
        """Begin with as many as there is room for; False when nothing is left."""
        while len(self._ready) + len(self._under_way) < self._window.width:
            entry = next(entries, None)
            if entry is None:
                break
            ready = self._steps.ready_at_once(entry)
            if ready is None:
                self._under_way.append(self._window.start(self._steps.prepare, entry))
            else:
                self._ready.append(ready)
        return bool(self._ready or self._under_way)

    def _send(self) -> None:
        if self._ready:
            self._journal.checkpoint(self._behind, [_intent(each) for each in self._ready])
            self._behind = []
            self._under_way += [self._window.start(self._steps.write, each) for each in self._ready]
            self._ready = []

    def _gather(self) -> list[Verdict]:
        """Wait until something is done. Raises what ends the run."""
        done = wait(self._under_way, return_when=FIRST_COMPLETED).done
        results = [future.result() for future in self._under_way if future in done]
        self._under_way = [future for future in self._under_way if future not in done]
        self._ready += [each for each in results if isinstance(each, Ready)]
        told = [each for each in results if isinstance(each, Told)]
        verdicts = [each.verdict for each in told]
        self._behind += verdicts
        for each in told:
            if each.ends:
                raise each.ends
        return verdicts

    def _settle(self) -> None:
        """What was only prepared stays planned."""
        results = [future.result() for future in self._under_way]
        self._behind += [each.verdict for each in results if isinstance(each, Told)]
        self._journal.checkpoint(self._behind, [])


def _intent(ready: Ready) -> Intent:
    entry, record = ready.entry, ready.record
    return Intent(entry.line, record.body if record else None, time.time(), entry.part)
