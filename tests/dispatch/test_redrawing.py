"""`report:` in idms.yaml: run-due keeps the page and the metrics fresh, not more often than told, and never waits."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings, read_settings
from idms_cli.dispatch.glance import had_nothing_to_do
from idms_cli.dispatch.locks import Lock, take
from idms_cli.dispatch.redrawing import EARLY_S, ended, redraw_if_due
from idms_cli.history.store import Store
from idms_cli.reports.files import redraw
from tests.conftest import Place, until

NOW = 1_764_550_000.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "state")) as opened:
        yield opened


@pytest.fixture
def at_work(store: Store) -> Iterator[Lock]:
    """Somebody draws just now, so that nobody else begins."""
    lock = take(store.state / "report/lock")
    assert lock
    yield lock
    lock.release()


def settings(folder: Path, **report: object) -> Settings:
    site = {"url": "https://x.example.org", "username": "a", "password": {"env": "A"}}
    more = {"report": report} if report else {}
    (folder / "jobs.d").mkdir(exist_ok=True)
    (folder / "idms.yaml").write_text(json.dumps({"connections": {"live": site}, "state": "state", **more}))
    return read_settings(folder / "idms.yaml")


def is_over(place: Place) -> bool:
    """Nobody draws any more."""
    lock = take(place.state / "report/lock")
    if lock:
        lock.release()
    return lock is not None


@pytest.mark.parametrize(
    ("report", "message", "hint"),
    [
        ({"every": "5m"}, "there is no file to write", "write html: or metrics: with the path of a file"),
        ({"html": "x.html", "every": "20s"}, "run-due is called once a minute", "write every: 1m, or more"),
        ({"htm": "x.html"}, "the key 'htm' is not known here", "did you mean 'html'?"),
    ],
    ids=["no-file", "too-often", "unknown"],
)
def test_what_is_wrong_in_it_is_told(tmp_path: Path, report: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(ProblemsFound) as found:
        settings(tmp_path, **report)
    assert (message, hint) in [(problem.message, problem.hint) for problem in found.value.problems]


@pytest.mark.usefixtures("at_work")
def test_it_is_time_as_often_as_the_file_says_and_at_once_when_that_is_shortened(tmp_path: Path, store: Store) -> None:
    each_hour = settings(tmp_path, html="x.html", every="1h")
    redraw_if_due(store, each_hour, NOW)
    first = store.retention.report_at
    assert first == NOW + 3600 - EARLY_S
    redraw_if_due(store, each_hour, NOW + 1800)
    assert store.retention.report_at == first
    redraw_if_due(store, each_hour, NOW + 3599)  # the minute in which it is due, though cron was quick this time
    assert store.retention.report_at == NOW + 3599 + 3600 - EARLY_S
    redraw_if_due(store, settings(tmp_path, html="x.html", every="1m"), NOW + 3660)
    assert store.retention.report_at == NOW + 3660 + 60 - EARLY_S
    redraw_if_due(store, settings(tmp_path), NOW + 3720)
    assert store.retention.report_at is None


@pytest.mark.usefixtures("at_work")
def test_a_failure_that_lasts_is_told_once_and_again_when_it_comes_back(tmp_path: Path, store: Store) -> None:
    wanted = settings(tmp_path, html="x.html")
    told = []
    for failure in ("no room", "no room", "not allowed", "", "not allowed"):
        ended(store.state, failure)
        told.append(redraw_if_due(store, wanted, NOW))
    assert told == ["no room", "", "not allowed", "", "not allowed"]


def test_a_file_that_cannot_be_written_keeps_the_other_from_nothing(tmp_path: Path, store: Store) -> None:
    wanted = settings(tmp_path, html="nowhere/x.html", metrics="idms.prom")
    failures = list(redraw(store, wanted, datetime.fromtimestamp(NOW, UTC)))
    assert failures == [f"the report page {tmp_path}/nowhere/x.html could not be written: No such file or directory"]
    assert "idms_info" in (tmp_path / "idms.prom").read_text()


def test_run_due_keeps_both_files_fresh_and_an_idle_tick_stays_idle(place: Place, url: str) -> None:
    place.settings(url, more="report: {html: www/index.html, metrics: idms.prom}\n")
    lately = datetime.now(UTC) - timedelta(minutes=2)
    place.job("scores", schedule=f'{{cron: "{lately.minute} {lately.hour} * * *"}}')
    page, metrics = place.write("www/index.html", "old"), place.directory / "idms.prom"
    assert place.idms("run-due").returncode == 0
    until(lambda: metrics.exists() and is_over(place))
    assert "; made anew every 5m." in page.read_text()
    assert page.stat().st_mode & 0o777 == 0o644
    assert "idms_jobs" in metrics.read_text()
    assert [each.name for each in page.parent.iterdir()] == ["index.html"]
    assert had_nothing_to_do(str(place.directory / "idms.yaml"))
    drawn_at = page.stat().st_mtime_ns
    place.scores("scores", 2)
    with Store(place.state) as store, store.database.write() as connection:
        connection.execute("UPDATE job SET next_due = next_due - 86400, decided_until = decided_until - 86400")
    with Store(place.state) as store:
        store.retention.plan_report(1.0)
    assert not had_nothing_to_do(str(place.directory / "idms.yaml"))
    assert place.idms("run-due").returncode == 0
    until(lambda: page.stat().st_mtime_ns > drawn_at and is_over(place))
    assert "2 read = 2 inserted" in page.read_text()  # it waits a little for what the same tick has started
