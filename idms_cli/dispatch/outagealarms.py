"""A connection that does not work is one trouble, however many jobs wait for it: told once, and once at its end."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from idms_cli.config.foreign import shortened
from idms_cli.dispatch.alarms import LONGEST_REASON, Alarm
from idms_cli.history.rows import Run
from idms_cli.history.store import Store
from idms_cli.history.troubles import Trouble
from idms_cli.imis.outages import Outage
from idms_cli.notify.incidents import Policy, is_heard

PATIENCE_S = 900.0
"""So long a site may be down before anybody is told: nights have short pauses. A refused login waits for a person."""

PREFIX = "imis:"
"""Before a connection's name, where a trouble or a message has the name of a job. No job can have such a name."""

OF_US = ("channels", "remind_s")
"""Facts of the trouble that are in no message."""


NOTHING: Mapping[str, Any] = {"channels": [], "jobs": [], "given_up": {}, "remind_s": 0.0}
"""What is known before anybody is told."""


class OutageAlarm:
    """What an outage does to jobs at one moment, on its way to those whom they tell that a slot did not run."""

    def __init__(self, store: Store, connection: str, outage: Outage, now: float) -> None:
        self._store = store
        self._connection = connection
        self._outage = outage
        self._now = now

    def has_waiting(self, runs: Iterable[Run]) -> None:
        """These wait for it: told when that is for long, and at once where the login is refused."""
        if self._outage.kind == "refused" or self._now - self._outage.since >= PATIENCE_S:
            with self._store.database.together():
                self._concerns([*runs])

    def ended_wait(self, run: Run, reason: str) -> None:
        """A run was given up over it. Within the transaction that says so."""
        alarm = Alarm(self._store, run.job, self._now)
        if is_heard(run, alarm.policy):
            alarm.ping("failure", {"run": run.id, "status": "skipped", "reason": shortened(reason, LONGEST_REASON)})
        self._concerns([run], given_up=True)

    def _concerns(self, runs: Sequence[Run], *, given_up: bool = False) -> None:
        policies = {run.job: Policy.of(self._store.catalog.notify(run.job)) for run in runs}
        heard = [run for run in runs if is_heard(run, policies[run.job]) and "late" in policies[run.job].on]
        trouble = self._store.troubles.open_of(PREFIX + self._connection)
        old = trouble.facts if trouble else NOTHING
        facts = self._facts(old, heard, policies, given_up=given_up)
        if trouble is None and facts["channels"]:
            remind_at = self._now + facts["remind_s"] if facts["remind_s"] else None
            name = PREFIX + self._connection
            self._store.troubles.begin(name, self._outage.kind, self._outage.since, facts=facts, remind_at=remind_at)
        elif trouble and (facts != trouble.facts or self._is_worse(trouble)):
            self._store.troubles.change(trouble.id, self._outage.kind, facts=facts)
        if trouble and self._is_worse(trouble):
            self._tell(old["channels"], "worse", facts)
        self._tell([name for name in facts["channels"] if name not in old["channels"]], "opened", facts)

    def _facts(
        self, old: Mapping[str, Any], runs: Sequence[Run], policies: Mapping[str, Policy], *, given_up: bool
    ) -> dict[str, Any]:
        lost = dict(old["given_up"])
        for run in runs if given_up else ():
            lost[run.job] = lost.get(run.job, 0) + 1
        told = [name for run in runs for name in policies[run.job].channels]
        reminders = [policies[run.job].remind_s for run in runs if policies[run.job].remind_s]
        return {
            "connection": self._connection,
            "reason": shortened(self._outage.reason, LONGEST_REASON),
            "hint": shortened(self._outage.hint, LONGEST_REASON),
            "jobs": sorted({*old["jobs"], *(run.job for run in runs)}),
            "given_up": lost,
            "channels": [*dict.fromkeys([*old["channels"], *told])],
            "remind_s": min(filter(None, [old["remind_s"], *reminders]), default=0.0),
        }

    def _is_worse(self, trouble: Trouble) -> bool:
        """A site that was down refuses the login now: that does not pass by itself."""
        return trouble.kind == "down" and self._outage.kind == "refused"

    def _tell(self, channels: Sequence[str], kind: str, facts: Mapping[str, Any]) -> None:
        told = {**in_message(facts), "trouble": self._outage.kind, "since": self._outage.since}
        self._store.outbox.add(channels, kind, PREFIX + self._connection, told, self._now)


def end_outages(store: Store, still: Iterable[str], now: float) -> None:
    """Troubles of connections that are not among those which still do not work are over; who was told hears of it."""
    lasting = {PREFIX + name for name in still}
    if not _over(store, lasting):
        return
    with store.database.together():  # read anew: another tick may have told it
        for trouble in _over(store, lasting):
            told = {**in_message(trouble.facts), "trouble": trouble.kind, "since": trouble.since, "until": now}
            store.troubles.close(trouble.id, now)
            store.outbox.add(trouble.facts["channels"], "closed", trouble.job, told, now)


def _over(store: Store, lasting: Collection[str]) -> list[Trouble]:
    return [each for each in store.troubles.open() if each.job.startswith(PREFIX) and each.job not in lasting]


def in_message(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What of a trouble's facts is told."""
    return {name: value for name, value in facts.items() if name not in OF_US}
