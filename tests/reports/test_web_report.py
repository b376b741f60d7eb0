"""The report as a web page: self-contained, small, harmless, and readable in a real browser."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from idms_cli.history.rows import JobRow
from idms_cli.history.statistics import BY_HOUR, RECENT, SINCE
from idms_cli.history.store import Store
from idms_cli.reports.web.charts import year as drawn_year
from idms_cli.reports.web.gather import gather
from idms_cli.reports.web.lanes import FIRST
from idms_cli.reports.web.render import render
from idms_cli.reports.wording import Clock
from tests.conftest import Place
from tests.reports.years import NOW, fill, named


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """300 jobs that ran each day for a year, and each 15 minutes of the last day."""
    with fill(tmp_path_factory.mktemp("year") / "state", busy=True) as store:
        yield store


def _page(store: Store, jobs: dict[str, JobRow], *notices: str, zone: str = "UTC", examples: bool = False) -> str:
    return render(gather(store, jobs, notices, Clock(ZoneInfo(zone), NOW)), examples=examples)


class _Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_300_busy_jobs_and_a_year_of_runs_stay_under_two_megabytes(year: Store) -> None:
    """What is drawn of each job is bounded: 30 bars, and a mark for each ten minutes of two days."""
    page = _page(year, named(cron="*/15 * * * *"))
    assert len(page.encode()) < 2_000_000
    elements = _Elements(page).found
    drawn = [attributes.get("class") for tag, attributes in elements if tag == "svg"]
    assert (drawn.count("bars"), drawn.count("track"), drawn.count("year")) == (600, 300, 1)
    assert sum(tag == "rect" for tag, _ in elements) == 52 * 7 + 1 + len(range(5))
    assert "<summary>and 260 more jobs</summary>" in page


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(year: Store) -> None:
    page = _page(year, named(3))
    elements = _Elements(page).found
    for tag, attributes in elements:
        assert tag not in {"script", "link", "img", "iframe", "object", "form", "a"}
        assert not attributes.keys() & {"src", "href", "onclick", "onload"}
    assert "url(" not in page
    assert "@import" not in page
    policy = next(attributes["content"] for _, attributes in elements if "http-equiv" in attributes)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_what_needs_somebody_comes_first_and_before_it_what_stops_more_than_one_job(tmp_path: Path) -> None:
    with fill(tmp_path / "state", 40) as store:
        page = _page(store, named(40), "connection live is down since 08:12; 3 runs wait.")
        ill = {run.job for run in store.runs.last_of_each_job().values() if run.status in ("partial", "failed")}
    text = _Elements(page).text
    assert len(ill) == 2
    assert text.index("connection live is down") < text.index("Needs you") < text.index("The last 24 hours")
    rows = re.findall(r'<tr role="row"><td role="cell" data-name="job" class="job"><b>(job-\d+)</b>', page)
    assert (set(rows[:2]), rows[2:]) == (ill, sorted(rows[2:]))
    assert [name for name in re.findall(r'<div class="lane"><span title="(job-\d+)">', page)[:2] if name in ill]
    assert page.startswith("<!doctype html>")
    assert "<title>idms: 2 jobs need you</title>" in page


def test_a_lane_shows_what_ran_and_what_is_due_by_the_clock_of_the_reader(tmp_path: Path) -> None:
    with fill(tmp_path / "state", 1) as store:
        page = _page(store, named(1), zone="America/New_York")
    lane = re.search(r'<svg class="track".*?</svg>', page, re.DOTALL)
    assert lane
    # New York is at 09:30. The job ran now, and yesterday at this time; it is due at 02:15 UTC: 21:15 there.
    assert re.findall(r'<path class="(\w+)" d="M(\d+)[^"]*"><title>([^<]*)', lane[0]) == [
        ("completed", "0", "yesterday 09:30: run 364 completed, 5.0 s"),
        ("completed", "1440", "today 09:30: run 365 completed, 6.0 s"),
        ("coming", "2145", "due today 21:15"),
    ]
    assert [(tick[0], tick[1]) for tick in re.findall(r'style="left:([\d.]+)%">([^<]+)', page)] == [
        ("5.21", "12:00"),
        ("17.71", "18:00"),
        ("30.21", "Mon 23 Nov"),
        ("42.71", "06:00"),
        ("67.71", "18:00"),
        ("80.21", "Tue 24 Nov"),
        ("92.71", "06:00"),
    ]


def test_the_marks_of_a_lane_stay_within_its_two_days(year: Store) -> None:
    page = _page(year, named(FIRST, cron="*/15 * * * *"))
    for begin, wide in re.findall(r"M(\d+) [14]h(\d+)", page):
        assert 0 <= int(begin) <= int(begin) + int(wide) <= 2880


def test_a_year_shades_days_by_their_runs_and_marks_them_by_the_share_that_went_wrong() -> None:
    today = date(2026, 11, 23)
    days: dict[date, Mapping[str, int]] = {today - timedelta(days=ago): {"completed": 100} for ago in range(1, 60)}
    days[today - timedelta(days=60)] = {"completed": 20}
    days[today - timedelta(days=61)] = {"completed": 9000}  # a backfill, which pales no other day
    days[today - timedelta(days=1)] = {"completed": 99, "failed": 1}
    days[today - timedelta(days=2)] = {"partial": 100}
    days[today - timedelta(days=400)] = {"failed": 1}  # out of sight
    drawn = str(drawn_year(days, today))
    shades = {told: shade for shade, told in re.findall(r'class="d(\d)"[^>]*><title>(?:... )([^<]+)', drawn)}
    assert shades["2026-11-23: no runs"] == "0"
    assert shades["2026-11-20: 100 completed"] == "4"
    assert shades["2026-09-24: 20 completed"] == "1"
    assert shades["2026-09-23: 9,000 completed"] == "4"
    assert re.findall(r'<circle class="(\w+)"[^>]* r="([\d.]+)"', drawn) == [("partial", "4.5"), ("failed", "2.0")]
    assert "61 days with runs, 2 of them with trouble" in drawn


def test_text_from_data_is_text_on_the_page(place: Place) -> None:
    text = place.job("scores").read_text().replace("Scores of scores", '"<script>alert(1)</script> \\e[31m"')
    place.write("jobs.d/scores.yaml", text)
    place.write("scores.csv", "member,course,grade\n<u>1234</u>,=cmd(),A\n\x1b[2Jabcdefghijkl,Cooking,A\n")
    place.idms("run", "scores")
    page = place.idms("report", "--html", "-", "--examples").stdout
    assert "<script>" not in page
    assert "<u>1234</u>" not in page
    assert "\x1b" not in page
    shown = _Elements(page).text
    assert "<script>alert(1)</script> \\x1b[31m" in shown
    assert "'<u>1234</u>'" in shown
    assert "<u>1" not in _Elements(place.idms("report", "--html", "-").stdout).text  # personal data only if wanted


def test_a_value_of_a_row_within_a_reason_is_on_the_page_only_if_wanted(tmp_path: Path) -> None:
    with fill(tmp_path / "state", 1) as store:
        reason = "1 of 1 rows cannot go out. Row 1: Template: 'Zoë' is not a number. Nothing was delivered"
        with store.database.write() as connection:
            connection.execute("UPDATE run SET status = 'failed', reason = ?, hint = 'Row 1: ''Zoë''.'", (reason,))
        shown = [_Elements(_page(store, named(1), examples=examples)).text for examples in (False, True)]
    assert "Zoë" not in shown[0]
    assert "Row 1: Template: '…' is not a number." in shown[0]
    assert reason in shown[1]


def test_the_page_is_replaced_whole_and_readable_for_a_web_server(place: Place) -> None:
    place.job("scores")
    target = place.directory / "status.html"
    assert place.idms("report", "--html", str(target)).returncode == 0
    assert target.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in place.directory.glob(".status*")] == []
    refused = place.idms("report", "--html", str(place.directory / "nowhere" / "status.html"))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("query", [BY_HOUR, RECENT, SINCE], ids=["by hour", "recent", "since"])
def test_a_large_history_is_read_by_index(year: Store, query: str) -> None:
    plan = year.database.connection.execute(f"EXPLAIN QUERY PLAN {query}", (0,) * query.count("?")).fetchall()
    assert re.search(r"USING (COVERING )?INDEX run_by_", " ".join(row["detail"] for row in plan))
