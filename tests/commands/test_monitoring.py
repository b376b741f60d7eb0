"""`idms status --check` and `idms metrics`: how things stand, for machines."""

import json
import os
import re
import time
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from idms_cli.config.settings import read_settings
from idms_cli.dispatch.connections import outage_file
from idms_cli.errors import LoginRefused
from tests.commands.conftest import GOOD, Desk, Past


def _broken(desk: Desk, past: Past) -> None:
    desk.job("good", GOOD + "schedul: {}\n")


def _refused(desk: Desk, past: Past) -> None:
    past.ended("completed")
    outage_file(read_settings(desk.directory / "idms.yaml"), "test").failed(LoginRefused("No."), time.time())


@pytest.mark.parametrize(
    ("prepare", "level", "told"),
    [
        (lambda desk, past: past.ended("completed"), 0, "IDMS OK - 1 job well | jobs=1 needs_you=0 running=0 "),
        (lambda desk, past: past.running(), 0, "IDMS OK - 1 job well | jobs=1 needs_you=0 running=1 "),
        (lambda desk, past: past.ended("partial", "1 of 3"), 1, "IDMS WARNING - good partial: run 1, "),
        (lambda desk, past: past.ended("held", "too many"), 1, "IDMS WARNING - good held: run 1, "),
        (lambda desk, past: past.ended("failed", "a | pipe"), 2, "IDMS CRITICAL - good failed: run 1, "),
        (_broken, 2, "IDMS CRITICAL - good broken: line 9: "),
        (_refused, 2, "IDMS CRITICAL - connection test refused: No. | "),
    ],
    ids=["well", "running", "partial", "held", "failed", "broken", "refused"],
)
def test_the_level_of_a_state_is_the_exit_code_and_stands_first(
    desk: Desk, past: Past, prepare: Callable[[Desk, Past], object], level: int, told: str
) -> None:
    past.tick(1)
    prepare(desk, past)
    found = desk.idms("status", "--check")
    assert found.code == level
    assert found.out.startswith(told), found.out
    assert found.out.count("|") == 1
    assert found.out.count("\n") == 1
    assert json.loads(desk.idms("status", "--check", "--json").out)["check"]["level"] == level


@pytest.mark.parametrize(("seconds", "level"), [(100, 0), (300, 1), (900, 2)])
def test_silence_of_run_due_is_a_warning_and_then_critical(desk: Desk, past: Past, seconds: float, level: int) -> None:
    past.ended("completed")
    past.tick(seconds)
    found = desk.idms("status", "--check")
    assert found.code == level
    assert f"tick_age={seconds}s;180;600" in found.out


def test_of_one_job_its_last_run_is_told_in_figures(desk: Desk, past: Past) -> None:
    past.tick(1)
    past.ended("completed", counts={"read": 3, "unchanged": 3})
    found = desk.idms("status", "--check", "good")
    assert found.code == 0
    assert re.fullmatch(
        r"IDMS OK - good completed: run 1, .* \| duration=\d+\.\ds read=3 unchanged=3 tick_age=1s;180;600\n", found.out
    )


def test_what_nobody_can_tell_is_unknown(desk: Desk) -> None:
    found = desk.idms("status", "--check", "god")
    assert found.code == 3
    assert found.out.startswith("IDMS UNKNOWN - there is no job 'god'")
    desk.settings("connections: [\n")
    assert desk.idms("status", "--check").code == 3


def test_metrics_are_read_by_the_parser_of_prometheus(desk: Desk, past: Past) -> None:
    past.tick(1)
    past.ended("completed", counts={"read": 3})
    past.ended("failed", "no", counts={"read": 5})
    target = desk.directory / "idms.prom"
    before = os.umask(0o077)
    try:
        assert desk.idms("metrics", "--out", str(target)).code == 0
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o644
    families = {one.name: one.samples for one in text_string_to_metric_families(target.read_text())}
    assert [(one.labels, one.value) for one in families["idms_jobs"]] == [({"state": "failed"}, 1.0)]
    assert [(one.labels, one.value) for one in families["idms_job_needs_you"]] == [({"job": "good"}, 1.0)]
    counted = families["idms_job_last_run_count"]
    assert [(one.labels, one.value) for one in counted] == [({"job": "good", "what": "read"}, 5.0)]
    counted = {one.labels["state"]: one.value for one in families["idms_messages"]}
    assert counted == {"waiting": 0.0, "given_up": 0.0}
    assert families["idms_connection_up"][0].labels == {"connection": "test"}
    (success,) = families["idms_job_last_success_timestamp_seconds"]
    assert abs(success.value - time.time()) < 100
    assert target.read_text() == desk.idms("metrics").out
