"""All requests of a delivery, some at a time, each in the journal before it leaves and when it is settled."""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from idms_cli.delivery import Delivery
from idms_cli.delivery.calls.exchange import Exchange, Outcome
from idms_cli.delivery.calls.gate import Gate
from idms_cli.delivery.calls.items import Item
from idms_cli.delivery.calls.journal import Intent, Journal, Settled
from idms_cli.delivery.calls.judging import Judgement
from idms_cli.delivery.calls.limits import Toll
from idms_cli.delivery.calls.requests import Request, Requests
from idms_cli.errors import Interrupted
from idms_cli.templates.texts import Unrendered

DIED = "the run died while it was on its way; it may have been carried out"
MOST_LINES = 10
"""Requests that are not done are told in the log one by one up to here; a file has them all."""
_FLUSH = 500
_POLL_S = 0.1


@dataclass(frozen=True)
class Turn:
    """An item whose turn it is."""

    item: Item
    tries: int = 0
    """How often it left in this attempt at the delivery."""
    came_again: bool = False
    """It may have been carried out before."""


class Carriage:
    """One attempt at a delivery."""

    def __init__(
        self, requests: Requests, exchange: Exchange, journal: Journal, toll: Toll, delivery: Delivery
    ) -> None:
        self._requests = requests
        self._exchange = exchange
        self._journal = journal
        self._toll = toll
        self._delivery = delivery
        self._waiting: deque[Turn] = deque()
        self._air: dict[Future[Outcome], Turn] = {}
        self._settled: list[Settled] = []
        self._ends: Exception | None = None
        self._lines = 0

    def carry(self, items: Iterator[Item], gate: Gate, *, width: int, repeatable: bool) -> None:
        """Send what is not settled. Raises what ends the delivery, once all that is on its way is settled.

        `repeatable`: what may have been carried out can be sent again.
        """
        turns = self._turns(items, repeatable=repeatable)
        with ThreadPoolExecutor(width) as pool:
            try:
                while self._go_on(turns, gate, pool, width):
                    pass
            except BaseException as ending:
                if not isinstance(ending, Exception):  # the step's time is over, and it waits for nobody
                    self._exchange.cut()
                raise
            finally:
                while self._air:
                    self._land(gate, None)
                self._journal.checkpoint(self._settled, [])
        if self._ends:
            raise self._ends

    def _go_on(self, turns: Iterator[Turn], gate: Gate, pool: ThreadPoolExecutor, width: int) -> bool:
        """Send some more, and take what has come back. False when nothing is left to do."""
        leaving = self._leaving(turns, gate, width)
        flushed = len(self._settled)
        self._journal.checkpoint(self._settled, [_intent(request) for _, request in leaving])
        self._settled.clear()
        for turn, request in leaving:
            self._air[pool.submit(self._send, turn, request)] = turn
        if self._air:
            self._land(gate, gate.wait_s() or None)
            return True
        if self._ends:
            return False
        if self._waiting:
            time.sleep(min(gate.wait_s(), _POLL_S))
        return bool(self._waiting) or flushed > 0

    def _turns(self, items: Iterator[Item], *, repeatable: bool) -> Iterator[Turn]:
        """What earlier attempts have not settled."""
        for item in items:
            standing = self._journal.standing(item.number) if item.number <= self._journal.highest else None
            state = standing.state if standing else "pending"
            if state == "pending" or (repeatable and state in ("sent", "unknown")):
                yield Turn(item, came_again=state != "pending")
            elif state == "sent":
                self._settle(item, Judgement("unknown", DIED))

    def _leaving(self, turns: Iterator[Turn], gate: Gate, width: int) -> list[tuple[Turn, Request]]:
        """What can leave now."""
        leaving: list[tuple[Turn, Request]] = []
        while not self._ends and len(self._air) + len(leaving) < width and len(self._settled) < _FLUSH:
            if self._delivery.stopping():
                self._ends = Interrupted("the run was stopped")
                break
            turn = self._waiting.popleft() if self._waiting else next(turns, None)
            if turn is None:
                break
            if gate.wait_s():
                self._waiting.appendleft(turn)
                break
            if request := self._made(turn, leaving):
                leaving.append((turn, request))
                gate.passed()
        return leaving

    def _made(self, turn: Turn, leaving: list[tuple[Turn, Request]]) -> Request | None:
        """The request of an item; None for one that is refused before it is sent."""
        number = turn.item.number
        try:
            request = self._requests.made(turn.item)
        except Unrendered as error:
            self._settle(turn.item, Judgement("refused", f"it was not sent: {error}"))
            return None
        if request.key is not None:
            here = next((each.item.number for _, each in leaving if each.key == request.key), None)
            other = here or self._journal.other_of(request.key, number)
            if other:
                reason = f"it was not sent: its idempotency key is that of number {other}"
                self._settle(turn.item, Judgement("refused", reason))
                return None
        return request

    def _send(self, turn: Turn, request: Request) -> Outcome:
        return self._exchange.send(request, tries=turn.tries + 1, came_again=turn.came_again)

    def _land(self, gate: Gate, limit_s: float | None) -> None:
        """Wait for an answer, and take all that have come."""
        for future in wait(self._air, timeout=limit_s, return_when=FIRST_COMPLETED).done:
            turn = self._air.pop(future)
            try:
                outcome = future.result()
            except Exception as bug:  # the others are still to be settled; this one stays in `sent`
                self._ends = self._ends or bug
                continue
            judgement = outcome.judgement
            if judgement.again_in_s is None or self._ends:
                self._settle(turn.item, judgement, outcome.answer)
                continue
            gate.pause(judgement.again_in_s)
            self._keep(turn.item, judgement)
            may_be_done = turn.came_again or judgement.state == "unknown"
            self._waiting.append(replace(turn, tries=turn.tries + 1, came_again=may_be_done))

    def _settle(self, item: Item, judgement: Judgement, answer: str | None = None) -> None:
        """What became of an item in this attempt."""
        self._keep(item, judgement, answer)
        self._toll.count(judgement, item.rows)
        self._ends = self._ends or judgement.ends or self._toll.end(judgement)
        if judgement.state != "done":
            self._log(item, judgement)
        self._delivery.progress({"records": self._toll.done, "refused": self._toll.failed})

    def _keep(self, item: Item, judgement: Judgement, answer: str | None = None) -> None:
        reason = "" if judgement.state == "done" else judgement.reason
        self._settled.append(Settled(item.number, item.rows, judgement.state, judgement.status, reason, answer))

    def _log(self, item: Item, judgement: Judgement) -> None:
        self._lines += 1
        if self._lines <= MOST_LINES:
            self._delivery.log(f"request {item.number} is {judgement.state}: {judgement.reason}")
        elif self._lines == MOST_LINES + 1:
            self._delivery.log("more requests are not done; the step's folder has them all")


def _intent(request: Request) -> Intent:
    body = request.call.body
    size = body.stat().st_size if isinstance(body, Path) else len(body or b"")
    return Intent(request.item.number, request.item.rows, size, request.key, time.time())
