"""What happens to jobs becomes incidents and messages, in the transaction that records it."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from idms_cli.config.foreign import shortened, without_values
from idms_cli.config.secrets import mask
from idms_cli.history.rows import Run, Verdict
from idms_cli.history.store import Store
from idms_cli.history.troubles import Trouble
from idms_cli.notify.incidents import Policy, is_heard, is_well, is_worse, kind_of, worst

LONGEST_REASON = 300
NOTHING: Mapping[str, Any] = {}

OUTDATED = {"start": ("start",), "success": ("start", "success"), "failure": ("start", "success", "failure")}
"""Pings that still wait and that a newer one takes the place of: a failure is told even when the next run began."""

OF_BATCH = "SELECT 1 FROM run WHERE batch = ? AND id <> ? AND status IN ('failed', 'partial', 'held') LIMIT 1"
HELD = "SELECT 1 FROM run INDEXED BY run_by_status WHERE job = ? AND status = 'held' AND id <> ? LIMIT 1"
SCHEDULED = "SELECT notify FROM job WHERE enabled AND schedule <> '' AND notify <> '{}'"


def run_began(store: Store, run: Run, now: float) -> None:
    """Called within the transaction that starts a run, with the run as it was before."""
    alarm = Alarm(store, run.job, now)
    if alarm.policy.pings and run.started_at is None and is_heard(run, alarm.policy):
        alarm.ping("start", {"run": run.id})


def run_ended(store: Store, run: Run, now: float, result: Mapping[str, Any], *, disabled: str = "") -> None:
    """Called within the transaction that ends a run; `disabled` is why the job does not run any more, if so."""
    alarm = Alarm(store, run.job, now)
    status, counts = result["status"], result.get("counts", {})
    kind = kind_of(status, counts, alarm.policy)
    if not kind:
        alarm.was_not_bad(run, status, counts)
    elif is_heard(run, alarm.policy):
        details = alarm.policy.details
        said = {name: _said(result.get(name, ""), details=details) for name in ("reason", "hint")}
        facts = {"run": run.id, "status": status, **said, "counts": dict(counts), "details": alarm.policy.details}
        alarm.broke("disabled" if disabled else kind, {**facts, "disabled": disabled} if disabled else facts)


def did_not_run(store: Store, run: Run, reason: str, now: float) -> None:
    """A run that waited ended before it began, though nobody wanted that. Within the transaction that says so."""
    due = int(run.due.timestamp()) if run.due else None
    facts = {"run": run.id, "status": "skipped", "reason": _said(reason), "due": due}
    alarm = Alarm(store, run.job, now)
    if is_heard(run, alarm.policy):
        alarm.broke("late", facts)


def was_missed(store: Store, slot: Verdict, now: float) -> None:
    """A slot has no run, though nobody wanted that. Within the transaction that says so."""
    facts = {"run": None, "status": "skipped", "reason": _said(slot.reason), "due": slot.until or slot.due}
    Alarm(store, slot.job, now).broke("late", facts)


class Alarm:
    """What happens to one job at one moment, on its way to those who are told."""

    def __init__(self, store: Store, job: str, now: float) -> None:
        self.policy = Policy.of(store.catalog.notify(job))
        self._store = store
        self._job = job
        self._now = now

    def broke(self, kind: str, facts: Mapping[str, Any]) -> None:
        """The job is not well: one message when that begins, and one when it gets worse."""
        self.ping("failure", facts)
        if kind not in self.policy.on:
            return
        troubles, remind_at = self._store.troubles, self.policy.remind_at(self._now)
        trouble = troubles.open_of(self._job)
        if trouble is None:
            troubles.begin(self._job, kind, self._now, facts=facts, remind_at=remind_at)
            self._tell("opened", {**facts, "trouble": kind, "since": self._now})
            return
        lasts = still_lasts(self._store, trouble, facts)
        worst_now = worst(kind, trouble) if lasts else kind
        known = facts if worst_now == kind else trouble.facts
        troubles.again(trouble.id, worst_now, run=facts.get("run"), facts=known)
        if is_worse(kind, trouble if lasts else None):
            self._tell("worse", {**facts, "trouble": kind, "since": trouble.since, "times": trouble.times + 1})
            troubles.remind(trouble.id, remind_at)

    def was_not_bad(self, run: Run, status: str, counts: Mapping[str, int]) -> None:
        """A run ended, and nothing was wrong with it: the job may be well again."""
        if self._has_bad_sibling(run):
            return
        if run.started_at is not None and status != "cancelled" and is_heard(run, self.policy):
            self.ping("success", {"run": run.id, "counts": dict(counts)})
        trouble = self._store.troubles.open_of(self._job)
        if trouble is None or not is_well(run, status, trouble):
            return
        self._store.troubles.close(trouble.id, self._now)
        known = {"trouble": trouble.kind, "since": trouble.since, "times": trouble.times, "until": self._now}
        self._tell("closed", {"run": run.id, "counts": dict(counts), **known})

    def ping(self, kind: str, facts: Mapping[str, Any]) -> None:
        """In their order; what waits and says less is left out, so that a dead service heaps up nothing."""
        for channel in self.policy.pings:
            self._store.outbox.supersede(channel, self._job, OUTDATED[kind], self._now)
            self._store.outbox.add([channel], kind, self._job, facts, self._now)

    def _tell(self, kind: str, facts: Mapping[str, Any]) -> None:
        self._store.outbox.add(self.policy.channels, kind, self._job, facts, self._now)

    def _has_bad_sibling(self, run: Run) -> bool:
        """Of runs that read one file each, one good one does not make the others good."""
        if run.batch is None:
            return False
        found = self._store.database.connection.execute(OF_BATCH, (run.batch, run.id))
        return found.fetchone() is not None


def was_silent(store: Store, since: float, now: float) -> None:
    """Nobody called run-due: whoever any job tells anything is told once. Within the transaction that records it."""
    rows = store.database.connection.execute(SCHEDULED)
    policies = [Policy.of(json.loads(row["notify"])) for row in rows]
    channels = list(dict.fromkeys(name for policy in policies for name in policy.channels))
    store.outbox.add(channels, "silent", "", {"since": since, "until": now}, now)


def still_lasts(store: Store, trouble: Trouble, facts: Mapping[str, Any] = NOTHING) -> bool:
    """False when a person has decided: no run is held any more, or the job is enabled again.

    `facts` are of what happens right now; it is not the trouble of before.
    """
    if trouble.kind == "held":
        return store.database.connection.execute(HELD, (trouble.job, facts.get("run") or 0)).fetchone() is not None
    if trouble.kind == "disabled":
        switch = store.switches.one(trouble.job)
        return bool(switch and switch.disabled) and not facts.get("disabled")
    return True


def remind(store: Store, now: float) -> None:
    """Of troubles that last, once in a while; not where somebody has paused, disabled, enabled, rejected: they know."""
    if not store.troubles.to_remind(now):
        return
    with store.database.together():  # read anew: another tick may have told some
        for trouble in store.troubles.to_remind(now):
            policy = _policy_of(store, trouble)
            store.troubles.remind(trouble.id, policy.remind_at(now))
            if still_lasts(store, trouble) and not _is_known(store, trouble.job, now):
                facts = {**trouble.facts, "trouble": trouble.kind, "since": trouble.since, "times": trouble.times}
                store.outbox.add(policy.channels, "reminder", trouble.job, facts, now)


def _policy_of(store: Store, trouble: Trouble) -> Policy:
    """That of its job; a connection has none, and who is told of it is among what is known of its trouble."""
    if trouble.facts.get("connection"):
        return Policy(tuple(trouble.facts["channels"]), remind_s=trouble.facts["remind_s"])
    return Policy.of(store.catalog.notify(trouble.job))


def forget_gone(store: Store, names: Iterable[str], now: float) -> None:
    """Jobs whose files are gone: their troubles are over, and nobody has to be told."""
    for name in names:
        trouble = store.troubles.open_of(name)
        if trouble:
            store.troubles.close(trouble.id, now)


def _is_known(store: Store, job: str, now: float) -> bool:
    switch = store.switches.one(job)
    pause = store.pauses.not_over(int(now)).get(job)
    is_paused = pause is not None and pause.covers(datetime.fromtimestamp(now, UTC))
    return is_paused or bool(switch and switch.disabled and switch.by)


def _said(text: str, *, details: bool = False) -> str:
    """Without secrets; and without values of rows, unless the job says so."""
    return shortened(mask(text if details else without_values(text)), LONGEST_REASON)
