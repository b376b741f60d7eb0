"""Jobs that read from one folder: who archives files that others may mean as well does not do so beside them."""

from pathlib import Path

import pytest

from idms_cli.dispatch.locks import take_data
from idms_cli.modules import DataLock
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until
from tests.modules.imports.office import Office

EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"
ARCHIVES = {"success": "archive"}


def _locks(office: Office, path: str, *, archives: bool) -> list[DataLock]:
    source = {"path": path, **({"after": ARCHIVES} if archives else {})}
    job = office.parse(
        {"source": source, "destination": {"panel": "ABC_Scores"}, "action": "insert", "map": {"ID": "a"}}
    )
    return [lock for lock in job.locks() if lock.resource.startswith("file:")]


@pytest.mark.parametrize(
    ("one", "other", "beside"),
    [
        (("in/a-*.csv", True), ("in/*.csv", True), False),
        (("in/a-*.csv", True), ("in/*.csv", False), False),
        (("in/*.csv", True), ("in/a.csv", True), False),
        (("in/*.csv", True), ("in/a.csv", False), False),
        (("in/a.csv", True), ("in/a.csv", False), False),
        (("in/a.csv", True), ("in/b.csv", True), True),
        (("in/*.csv", False), ("in/a-*.csv", False), True),
        (("in/*.csv", True), ("out/*.csv", True), True),
    ],
)
def test_two_jobs_run_beside_each_other_unless_one_takes_files_away_that_the_other_means(
    office: Office, tmp_path: Path, one: tuple[str, bool], other: tuple[str, bool], beside: bool
) -> None:
    held = take_data(tmp_path / "state", _locks(office, one[0], archives=one[1]))
    assert isinstance(held, list)
    taken = take_data(tmp_path / "state", _locks(office, other[0], archives=other[1]))
    assert isinstance(taken, list) == beside
    for lock in (*held, *(taken if isinstance(taken, list) else ())):
        lock.release()


def test_a_file_that_fits_two_patterns_is_imported_by_one_job_and_the_other_says_for_whom_it_waits(
    place: Place, site: Sandbox
) -> None:
    site.latency_s = 0.2
    for name, pattern, panel in (("all", "*.csv", "ABC_Scores"), ("some", "a*.csv", "ABC_Codes")):
        path = place.job(name, source=f"in/{pattern}", more="priority: 1" if name == "all" else "")
        source = f'path: "in/{pattern}", after: {{success: archive}}, expect: {{missing: skip}}'
        path.write_text(path.read_text().replace(f"path: in/{pattern}", source).replace("ABC_Scores", panel))
    place.scores("in/a1", 10, course="a1")
    place.at(EVENING)
    place.at(NIGHT)
    waiting = until(lambda: next((run for run in place.runs() if run.job == "some" and run.reason), None))
    assert waiting.reason.startswith(f"waits for {place.directory}/in/, held by run ")
    site.latency_s = 0
    until(lambda: not any(run.is_open for run in place.runs()))
    assert {run.job: run.status for run in place.runs()} == {"all": "completed", "some": "skipped"}
    assert sum(number for (_, course), number in courses(site).items() if course == "a1") == 10
