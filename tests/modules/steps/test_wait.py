"""The step `wait`: moments by a clock, files that come, queries that change; the clock is the run's."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from idms_cli.errors import IdmsError, InputError, Interrupted
from idms_cli.modules.workflows.waits import moment_of
from idms_cli.rows.spool import Spooled
from idms_cli.sandbox import Sandbox
from tests.modules.steps.stand import NOW, Stand

NEW_YORK = ZoneInfo("America/New_York")


class Hours:
    """A clock that begins at a moment and stands still but for waits; at given seconds something happens."""

    def __init__(self, begin: datetime = NOW, **_: object) -> None:
        self.begin = begin.timestamp()
        self.passed_s = 0.0
        self.due: list[tuple[float, Callable[[], object]]] = []

    def after(self, seconds: float, what: Callable[[], object]) -> None:
        self.due.append((seconds, what))

    def now(self) -> float:
        return self.begin + self.passed_s

    def ticks(self) -> float:
        return self.passed_s

    def sleep(self, seconds: float) -> None:
        self.passed_s += seconds
        for one in [one for one in self.due if one[0] <= self.passed_s]:
            self.due.remove(one)
            one[1]()


@pytest.fixture
def hours(stand: Stand) -> Hours:
    stand.clock = Hours()
    return stand.clock


@pytest.mark.parametrize(
    ("given", "after", "expected"),
    [
        ("07:00", "2026-11-30T02:00:00+00:00", "2026-11-30T12:00:00+00:00"),
        ("21:00", "2026-11-30T02:00:00+00:00", "2026-11-30T02:00:00+00:00"),
        ("20:59", "2026-11-30T02:00:00+00:00", "2026-12-01T01:59:00+00:00"),
        ("02:30", "2026-03-08T05:00:00+00:00", "2026-03-08T07:00:00+00:00"),  # the hour that is skipped: right after it
        ("01:30", "2026-11-01T04:00:00+00:00", "2026-11-01T05:30:00+00:00"),  # the hour that comes twice: the first
        ("2026-12-31 07:00", "2026-11-30T02:00:00+00:00", "2026-12-31T12:00:00+00:00"),
        ("2026-12-31T07:00:00Z", "2026-11-30T02:00:00+00:00", "2026-12-31T07:00:00+00:00"),
    ],
)
def test_a_time_of_day_is_the_first_one_after_the_slot(given: str, after: str, expected: str) -> None:
    found = moment_of(given, NEW_YORK, after=datetime.fromisoformat(after))
    assert found.astimezone(UTC).isoformat() == expected


def test_it_waits_until_a_time_by_the_clock_of_the_job(stand: Stand, hours: Hours) -> None:
    result = stand.run({"wait": {"until": "07:00"}})
    assert hours.passed_s == pytest.approx(10 * 3600, abs=1)
    assert result.output == {"at": "2026-11-30T07:00:00-05:00"}


def test_a_time_that_is_past_when_the_run_is_late_is_not_waited_for(stand: Stand) -> None:
    stand.clock = clock = Hours(NOW + timedelta(hours=11))
    stand.run({"wait": {"until": "07:00"}})
    assert clock.passed_s == 0


def test_a_template_may_say_the_moment(stand: Stand, hours: Hours) -> None:
    stand.run({"wait": {"until": "{{ slot|shift('90m') }}"}})
    assert hours.passed_s == pytest.approx(5400, abs=1)
    stand.inputs = {"when": "soon"}
    with pytest.raises(InputError, match=r"wait\.until: this is no moment to wait until"):
        stand.beside("b").run({"wait": {"until": "{{ input.when }}"}})


def test_a_run_that_goes_on_does_not_wait_anew(stand: Stand, hours: Hours) -> None:
    stand.stopping = lambda: hours.passed_s > 400
    with pytest.raises(Interrupted):
        stand.run({"wait": {"for": "10m"}})
    stopped_at = hours.passed_s
    assert stopped_at < 402
    stand.stopping = lambda: False
    stand.run({"wait": {"for": "10m"}})
    assert hours.passed_s == pytest.approx(600, abs=1)


def test_it_ends_at_once_when_it_is_stopped(stand: Stand, hours: Hours) -> None:
    stand.stopping = lambda: True
    for wait in ({"for": "10h"}, {"file": "never.csv"}):
        with pytest.raises(Interrupted):
            stand.run({"wait": wait})
    assert hours.passed_s == 0


def test_a_file_is_waited_for_and_told(stand: Stand, hours: Hours) -> None:
    path = stand.directory / "in" / "scores-2026-11-29.csv"
    hours.after(95, lambda: (path.parent.mkdir(), path.write_text("ID\n1\n")))
    result = stand.run({"wait": {"file": "in/scores-{{ slot.date }}.csv"}})
    assert hours.passed_s == pytest.approx(100, abs=1)
    assert (result.output["path"], result.output["size"]) == (str(path), 5)
    assert result.output["files"] == ["scores-2026-11-29.csv"]
    assert [line.partition(":")[0] for line in stand.log] == ["waits", f"{path}"]


def test_an_old_file_does_not_count_nor_one_that_grows(stand: Stand) -> None:
    path = stand.directory / "a.csv"
    path.write_text("old")
    began = datetime.now(UTC).timestamp()
    os.utime(path, (began - 90_000, began - 90_000))
    stand.clock = clock = Hours(datetime.fromtimestamp(began, UTC))

    def grow(text: str) -> None:
        path.write_text(text)
        os.utime(path, (clock.now(), clock.now()))

    clock.after(55, lambda: grow("new"))
    clock.after(75, lambda: grow("newer"))
    result = stand.run({"wait": {"file": {"path": "*.csv", "newer_than": "1d", "stable_for": "30s"}}})
    assert result.output["size"] == 5
    assert clock.passed_s == pytest.approx(110, abs=1)


def test_after_its_limit_it_fails_and_says_for_what(stand: Stand, hours: Hours) -> None:
    with pytest.raises(IdmsError) as caught:
        stand.run({"wait": {"file": "never.csv", "limit": "5m"}})
    assert str(caught.value) == f"waited 5m: {stand.directory}/never.csv is not there"
    assert "`limit:`" in caught.value.hint
    assert hours.passed_s == pytest.approx(300, abs=1)


def test_the_rows_of_a_query_are_waited_for_and_given(site_stand: Stand, site: Sandbox) -> None:
    site_stand.clock = clock = Hours()
    rows = len(site.rows("ABC_Scores"))
    new = {"ID": "101", "Course": "Weaving", "Grade": "A"}
    clock.after(70, lambda: site.add_rows("ABC_Scores", [new]))
    step = {"wait": {"query": "$/Idms/Scores", "condition": f"{{{{ rows|length > {rows} }}}}"}}
    result = site_stand.run(step)
    assert result.rows is not None
    assert Spooled(result.rows).count == result.counts["rows"] == rows + 1
    assert clock.passed_s == pytest.approx(120, abs=1)
    assert site_stand.log[-1] == f"$/Idms/Scores has {rows + 1} rows: goes on"


def test_a_condition_that_never_holds_ends_at_the_limit(site_stand: Stand) -> None:
    site_stand.clock = Hours()
    with pytest.raises(IdmsError, match=r"waited 3m: \$/Idms/Members has 288 rows, and the condition does not hold"):
        site_stand.run({"wait": {"query": "$/Idms/Members", "condition": "{{ rows|length > 900 }}", "limit": "3m"}})


def test_a_dry_run_looks_once_and_does_not_wait(stand: Stand, hours: Hours) -> None:
    told = stand.rehearse({"wait": {"until": "07:00"}})
    assert (told.status, told.reason) == ("rehearsed", "would wait: 2026-11-30 07:00:00 EST")
    told = stand.rehearse({"wait": {"file": "never.csv"}})
    assert (told.reason, told.unknown) == (f"would wait: {stand.directory}/never.csv is not there", True)
    Path(stand.directory / "there.csv").write_text("x")
    assert stand.rehearse({"wait": {"file": "there.csv"}}).output["name"] == "there.csv"
    assert stand.rehearse({"wait": {"file": "there.csv"}}, offline=True).unknown
    assert hours.passed_s == 0


def test_mistakes_are_told_before_the_run(stand: Stand) -> None:
    assert "a wait is for exactly one thing" in stand.refused({"wait": {"until": "07:00", "for": "1h"}})
    assert "a wait is for exactly one thing" in stand.refused({"wait": {"limit": "1h"}})
    assert "this is no moment to wait until" in stand.refused({"wait": {"until": "25:00"}})
    assert "there are no sources of the kind 'ftp://'" in stand.refused({"wait": {"file": "ftp://x/y.csv"}})
    assert "this names a folder" in stand.refused({"wait": {"file": "in/"}})
    assert "no 'nobody' here" in stand.refused({"wait": {"file": "in/{{ nobody }}.csv"}})
    assert "there is no connection 'lve'" in stand.refused(
        {"wait": {"query": {"query": "$/Idms/Members", "connection": "lve"}}}
    )
    assert "a condition is one whole" in stand.refused({"wait": {"query": "$/Idms/Members", "condition": "rows"}})
    assert "is no path of a query" in stand.refused({"wait": {"query": {"query": "Members"}}})
    assert "is no path of a query" in stand.refused({"wait": {"query": "Members"}})
    assert "`every:` is for files and queries" in stand.refused({"wait": {"until": "07:00", "every": "1m"}})
