"""The report as a web page: self-contained, small, harmless, and readable in a real browser."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from idms_cli.history.rows import JobRow
from idms_cli.history.statistics import BY_HOUR, RECENT, SINCE
from idms_cli.history.store import Store
from idms_cli.reports.web.gather import gather
from idms_cli.reports.web.render import render
from idms_cli.reports.wording import Clock
from tests.conftest import Place

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(os.environ.get("IDMS_AXE") or "axe-is-not-here")
RUN = """
INSERT INTO run (job, due, by_hand, foreground, dry_run, intent, connection, options, definition, locks, priority, pool,
                 late_s, status, reason, hint, created_at, started_at, ended_at, attempt, retried, stop_reason,
                 stop_force, source, to_follow, counts)
VALUES (?, ?, 0, 0, 0, 'run', '', '{}', ?, '[]', 0, '', 0, ?, '', '', ?, ?, ?, 1, 0, '', 0, '[]', '[]', ?)"""


@pytest.fixture
def year(tmp_path: Path) -> Iterator[Store]:
    """300 jobs that ran each day for a year."""
    with Store(tmp_path / "state") as store:
        digest = store.runs.remember("j.yaml", "module: import")
        with store.database.write() as connection:
            connection.executemany(RUN, _runs(digest))
        yield store


def _runs(digest: str) -> Iterator[tuple[object, ...]]:
    for day in range(365):
        for job in range(300):
            start = (NOW - timedelta(days=364 - day, minutes=job)).timestamp()
            status = ("completed", "partial", "failed")[(day * 7 + job) % 50 % 3 if (day + job) % 17 == 0 else 0]
            counts = json.dumps({"read": 100 + day, "inserted": day % 7, "rejected": 3 * (status == "partial")})
            yield f"job-{job:03}", int(start), digest, status, start, start, start + 5 + day % 11, counts


def _jobs(number: int = 300) -> dict[str, JobRow]:
    schedule = json.dumps({"any": [{"cron": ["15 2 * * *"]}]})
    names = [f"job-{job:03}" for job in range(number)]
    return {name: JobRow(name, f"{name}.yaml", "", f"What {name} does", "import", True, schedule) for name in names}


def _page(store: Store, jobs: dict[str, JobRow], *, examples: bool = False) -> str:
    return render(gather(store, jobs, "", Clock(ZoneInfo("UTC"), NOW)), examples=examples)


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


def test_300_jobs_and_a_year_of_runs_stay_under_two_megabytes(year: Store) -> None:
    page = _page(year, _jobs())
    assert len(page.encode()) < 2_000_000
    elements = _Elements(page).found
    assert sum(tag == "rect" for tag, _ in elements) == 52 * 7 + 1
    assert sum(attributes.get("class") == "bars" for _, attributes in elements) == 600


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(year: Store) -> None:
    page = _page(year, _jobs(3))
    for tag, attributes in _Elements(page).found:
        assert tag not in {"script", "link", "img", "iframe", "object", "form", "a"}
        assert not attributes.keys() & {"src", "href", "onclick", "onload"}
    assert "url(" not in page
    assert "@import" not in page


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


@pytest.mark.skipif(not (CHROMIUM and AXE.is_file()), reason="needs chromium, and axe.min.js in $IDMS_AXE")
@pytest.mark.parametrize("width", [400, 1400])
def test_a_browser_and_axe_find_nothing_serious(year: Store, tmp_path: Path, width: int) -> None:
    page = _page(year, _jobs(40)).replace('content="default-src', 'data-content="default-src')
    check = "axe.run().then(found=>{document.body.textContent='AXE'+JSON.stringify(found.violations)+'END'})"
    file = tmp_path / "page.html"
    file.write_text(page.replace("</body>", f"<script>{AXE.read_text()}</script><script>{check}</script></body>"))
    assert CHROMIUM
    quiet = ["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", *quiet]
    told = subprocess.run(
        [*command, f"--user-data-dir={tmp_path}/profile", f"--window-size={width},1000", "--virtual-time-budget=20000",
         "--enable-logging=stderr", "--dump-dom", file.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r"AXE(\[.*\])END", told.stdout, re.DOTALL)
    assert found, told.stdout[:500]
    serious = [each for each in json.loads(found[1]) if each["impact"] in ("serious", "critical")]
    assert serious == []
    assert "CONSOLE" not in told.stderr
