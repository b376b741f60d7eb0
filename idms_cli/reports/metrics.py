"""How things stand, as metrics for Prometheus: a file for the textfile collector of the node exporter.

Names follow https://prometheus.io/docs/practices/naming/; each value is of the moment at which the file was written.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from idms_cli import __version__
from idms_cli.dispatch.connections import ShutConnection
from idms_cli.history.rows import Run
from idms_cli.reports.standing import NEEDS_YOU, Standing


class Snapshot:
    """What is told; a collector in the sense of prometheus_client."""

    def __init__(
        self,
        states: Sequence[Standing],
        away: Sequence[ShutConnection],
        *,
        connections: Sequence[str],
        last_tick: float | None,
    ) -> None:
        self._states = states
        self._away = {each.connection for each in away if each.outage.kind in ("down", "refused")}
        self._connections = connections
        self._last_tick = last_tick
        self.messages: dict[str, int] = {}
        """How many wait to be sent, and how many were given up in the last day."""
        self.last_good: dict[str, float] = {}
        """When the last run of each job that completed ended, UTC seconds."""

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client asks for it."""
        yield _family("idms_info", "The version of idms.", [([__version__], 1)], ["version"])
        if self._last_tick is not None:
            told = "When run-due was called last."
            yield _family("idms_last_tick_timestamp_seconds", told, [([], self._last_tick)])
        states = Counter(each.word for each in self._states)
        yield _family("idms_jobs", "Jobs by state.", [([state], number) for state, number in states.items()], ["state"])
        up = [([name], float(name not in self._away)) for name in self._connections]
        yield _family("idms_connection_up", "Whether a connection works, as far as is known.", up, ["connection"])
        messages = [([state], float(number)) for state, number in self.messages.items()]
        told = "Messages to people: waiting, or given up in the last 24 hours."
        yield _family("idms_messages", told, messages, ["state"])
        yield from self._of_jobs()

    def _of_jobs(self) -> Iterator[Metric]:
        needy = [([each.job.name], float(each.group == NEEDS_YOU)) for each in self._states]
        yield _family("idms_job_needs_you", "Whether a person should look at the job.", needy, ["job"])
        due = [([each.job.name], each.next_due.timestamp()) for each in self._states if each.next_due]
        yield _family("idms_job_next_due_timestamp_seconds", "When the job is due next.", due, ["job"])
        good = [([job], at) for job, at in self.last_good.items()]
        told = "When the last run that completed ended."
        yield _family("idms_job_last_success_timestamp_seconds", told, good, ["job"])
        last = [(each.job.name, each.last) for each in self._states if each.last]
        yield _family("idms_job_last_run_failed", "Whether the last run failed.", _failed(last), ["job"])
        took = [([job], run.duration_s) for job, run in last if run.duration_s is not None]
        yield _family("idms_job_last_run_duration_seconds", "How long the last run took.", took, ["job"])
        counts = [([job, name], float(number)) for job, run in last for name, number in sorted(run.counts.items())]
        yield _family("idms_job_last_run_count", "What the last run counted: rows and calls.", counts, ["job", "what"])


def metrics_text(snapshot: Snapshot) -> bytes:
    """In the text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(snapshot)
    return generate_latest(registry)


def _failed(last: Sequence[tuple[str, Run]]) -> list[tuple[list[str], float]]:
    return [([job], float(run.status == "failed")) for job, run in last]


def _family(
    name: str, told: str, samples: Sequence[tuple[list[str], float]], labels: Sequence[str] = ()
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, told, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family
