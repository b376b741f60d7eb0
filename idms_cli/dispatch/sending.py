"""The process that sends what waits for one channel: each message within its time limit, and the truth written down."""

import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from types import FrameType
from typing import Any, NamedTuple

from idms_cli.config.foreign import shortened
from idms_cli.config.secrets import mask
from idms_cli.config.settings import Settings
from idms_cli.dispatch.alarms import still_lasts
from idms_cli.dispatch.digests import DAY_S
from idms_cli.dispatch.locks import Lock, take
from idms_cli.dispatch.rejected import rejected_rows
from idms_cli.dispatch.senders import channel_lock
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, LoginRefused, OutcomeUnknown
from idms_cli.history.outbox import MOST_DOUBTS, Queued
from idms_cli.history.store import Store
from idms_cli.history.troubles import Trouble
from idms_cli.notify import Channel, Message, Site, open_channel
from idms_cli.notify.digest import Day, Line, digest
from idms_cli.notify.wording import STATES, Words

FIRST_DELAY_S = 60.0
LONGEST_DELAY_S = 3600.0
GIVEN_UP_AFTER_S = 2 * 86_400.0
"""So long a message is tried again."""
OVER_S = 1.0
"""A channel keeps its limit itself, and says more than we can."""
AGAIN_S = 5.0
NOT_FOR_OTHERS = frozenset({"details", "since", "until", "due", "channels", "remind_s", "title", "body", "key"})
"""Facts of a message that programs get otherwise, or not."""
PAST_DAYS = 29
REASONS = 5


class Failure(NamedTuple):
    """Why a message was not sent, as far as anybody knows."""

    reason: str
    in_doubt: bool = False
    """It may have been sent."""
    works: bool = False
    """It is about this message: the channel may take another."""
    slowly: bool = False
    """A login was refused: to try again soon could lock the account."""


class TooLong(Exception):
    """A delivery took longer than its limit."""


def site_of(settings: Settings, channel: str) -> Site:
    return Site(settings.directory, settings.mail, settings.channels[channel].limit.total_seconds())


def send_waiting(store: Store, settings: Settings, channel: str, lock: Lock) -> None:
    """Send all that may be sent now, and give the channel back. `lock` is the channel's, and is released."""
    held: Lock | None = lock
    while held is not None:
        try:
            store.outbox.recover(channel, time.time())
            while (queued := store.outbox.next(channel, time.time())) is not None:
                if not Delivery(store, settings, queued).go():
                    break
        finally:
            held.release()
        # What was put there since we looked last found the lock held.
        more = channel in store.outbox.due_channels(time.time())
        held = take(channel_lock(store.state, channel)) if more else None


def try_channel(store: Store, settings: Settings, channel: str, now: float) -> Queued | None:
    """Send a test now, and never again; what became of it, or None while others are sent there."""
    lock = take(channel_lock(store.state, channel))
    if lock is None:
        return None
    try:
        (message,) = store.outbox.add([channel], "test", "", {}, now)
        queued = store.outbox.one(message)
        if queued:
            Delivery(store, settings, queued).go(is_last=True)
        return store.outbox.one(message)
    finally:
        lock.release()


class Delivery:
    """One message on its way."""

    def __init__(self, store: Store, settings: Settings, queued: Queued) -> None:
        self._store = store
        self._settings = settings
        self._queued = queued
        self._is_last = False

    def go(self, *, is_last: bool = False) -> bool:
        """Whether the channel works, so that the next message may be tried. `is_last`: this one is not tried again."""
        self._is_last = is_last
        queued, outbox = self._queued, self._store.outbox
        options = self._settings.channels.get(queued.channel)
        if options is None:
            outbox.give_up(queued.id, time.time(), "the channel is no longer in idms.yaml")
            return True
        limit_s = options.limit.total_seconds()
        try:
            message = self._message()
            outbox.begin(queued.id, message.subject)
            with _limit(limit_s):
                channel: Channel = open_channel(options, site_of(self._settings, queued.channel))
                channel.send(message, lambda: outbox.handed(queued.id))
        except sqlite3.Error:
            raise
        except Exception as error:
            works = self._failed(_failure(error, limit_s, is_handed=self._is_handed()))
            if not isinstance(error, IdmsError | OSError | TooLong):
                raise
            return works
        outbox.sent(queued.id, time.time())
        return True

    def _failed(self, failure: Failure) -> bool:
        queued, outbox, now = self._queued, self._store.outbox, time.time()
        reason, delay = failure.reason, min(FIRST_DELAY_S * 2**queued.tries, LONGEST_DELAY_S)
        if failure.slowly:
            delay = LONGEST_DELAY_S
        if self._is_last:
            outbox.give_up(queued.id, now, reason)
            return failure.works
        if failure.in_doubt and queued.doubts >= MOST_DOUBTS:
            outbox.give_up(queued.id, now, f"{reason}; it may have been sent, and is not sent a third time")
        elif now + delay > queued.created_at.timestamp() + GIVEN_UP_AFTER_S:
            outbox.give_up(queued.id, now, reason)
        else:
            outbox.put_off(queued.id, now + delay, reason, in_doubt=failure.in_doubt)
        if not failure.works:
            outbox.put_off_all(queued.channel, now + delay)
        return failure.works

    def _is_handed(self) -> bool:
        now = self._store.outbox.one(self._queued.id)
        return now is not None and now.state == "handed"

    def _message(self) -> Message:
        subject, text = render(self._store, self._settings, self._queued, datetime.now(UTC))
        return message_of(self._store, self._queued, subject, text)


def message_of(store: Store, queued: Queued, subject: str, text: str) -> Message:
    """As channels want it."""
    name = f"{store.state} {queued.id} {queued.created_at.isoformat()}"
    key = f"idms.{sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"
    is_repeated = queued.doubts > 0
    if is_repeated:
        text = f"{text}\n\n(This may have reached you before: an earlier attempt ended without an answer.)"
    data = {name: value for name, value in queued.facts.items() if name not in NOT_FOR_OTHERS}
    for name in ("since", "until", "due"):
        if queued.facts.get(name) is not None:
            data[name] = datetime.fromtimestamp(queued.facts[name], UTC).isoformat()
    job = "" if queued.facts.get("connection") else queued.job
    return Message(key, queued.kind, job, queued.created_at, f"idms: {subject}", text, data, is_repeated)


def render(store: Store, settings: Settings, queued: Queued, now: datetime) -> tuple[str, str]:
    """Subject and text, by what is known of the run now."""
    words, facts = Words(settings.timezone, now), queued.facts
    if queued.kind == "digest":
        return _digest(store, words, facts)
    of_no_run = {
        "silent": partial(words.silent, facts),
        "test": partial(words.test, queued.channel),
        "step": partial(words.step, queued.job, facts),
    }
    if queued.kind in of_no_run:
        return of_no_run[queued.kind]()
    if queued.kind in ("start", "success", "failure"):
        return words.ping(queued.kind, queued.job, facts)
    if facts.get("connection"):
        return words.outage(queued.kind, facts)
    reasons = [] if queued.kind == "closed" else _reasons(store, facts)
    return words.incident(queued.kind, queued.job, facts, reasons)


def _digest(store: Store, words: Words, facts: Any) -> tuple[str, str]:
    days: dict[str, dict[int, Day]] = {}
    for row in store.statistics.by_day(facts["until"], days=PAST_DAYS + 1):
        days.setdefault(row.job, {})[row.ago] = Day(row.runs, row.bad, row.read, row.changed, row.rejected)
    lasting = store.troubles.open()
    troubles = {trouble.job: trouble for trouble in lasting if not trouble.facts.get("connection")}
    away = [
        words.outage_state(trouble.facts, trouble.kind, trouble.since)
        for trouble in lasting
        if trouble.facts.get("connection")
    ]
    lines = []
    for job in sorted({*(job for job, found in days.items() if 0 in found), *troubles}):
        found, trouble = days.get(job, {}), troubles.get(job)
        state = _state(store, words, trouble) if trouble else ""
        past = [day for ago, day in found.items() if ago]
        lines.append(Line(job, found.get(0, Day()), past, state))
    assert facts["until"] - facts["since"] == DAY_S  # noqa: S101 - what the days above are
    return digest(lines, words.moment(facts["until"]), away=away)


def _state(store: Store, words: Words, trouble: Trouble) -> str:
    """Where a person has decided what is to become of it, no run has yet shown that the job is well."""
    state = STATES[trouble.kind][1] if still_lasts(store, trouble) else "has not been well"
    return f"{state}, since {words.moment(trouble.since)}"


def _reasons(store: Store, facts: Any) -> list[str]:
    """Why rows were rejected, most frequent first; with an example each only where the job allows values of rows."""
    run = facts.get("run")
    if not run or not facts.get("counts", {}).get("rejected"):
        return []
    rows: Counter[str] = Counter()
    examples: dict[str, str] = {}
    try:
        for _, faults in rejected_rows(store.run_directory(run)):
            for fault in faults:
                examples.setdefault(fault.code, fault.message)
            rows.update({fault.code for fault in faults})
    except (IdmsError, OSError):
        return []  # the run's directory is gone, or broken: the message is worth more than its reasons
    told = []
    for code, number in rows.most_common(REASONS):
        example = f" ({shortened(mask(examples[code]), 120)})" if facts.get("details") else ""
        told.append(f"{number:,} x {code.replace('-', ' ')}{example}")
    return told


def _failure(error: Exception, limit_s: float, *, is_handed: bool) -> Failure:
    match error:
        case TooLong():
            return Failure(f"it took longer than {limit_s:g} s", in_doubt=is_handed)
        case OutcomeUnknown():
            return Failure(_said(error), in_doubt=True)
        case DeliveryRefused() | InputError():
            return Failure(_said(error), works=True)
        case IdmsError():
            return Failure(_said(error), slowly=isinstance(error, LoginRefused))
        case OSError():
            return Failure(error.strerror or type(error).__name__, in_doubt=is_handed)
    return Failure(f"a bug: {type(error).__name__}", in_doubt=is_handed, works=True)


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Raises `TooLong` in whatever the main thread does, again after a while: a library may swallow the first."""

    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds + OVER_S, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _said(error: IdmsError) -> str:
    return shortened(mask(str(error)), 300)
