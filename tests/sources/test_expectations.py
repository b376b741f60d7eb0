"""What a job expects of its files, and the verdict of a run that does not find it so."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, found, graded, grades, writes

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC).timestamp()


class StillClock:
    """Stands at 02:00 until somebody sleeps, which takes no time; `meanwhile` happens in the first sleep."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.slept_s = 0.0
        self._meanwhile = meanwhile

    def now(self) -> float:
        return NOW + self.slept_s

    def ticks(self) -> float:
        return self.slept_s

    def sleep(self, seconds: float) -> None:
        if not self.slept_s:
            self._meanwhile()
        self.slept_s += seconds


def job(path: str = "data.csv", **more: Any) -> dict[str, Any]:
    return graded(source={"path": path, **more})


def write(office: Office, name: str, *, age_s: float = 3600, rows: int = 1, course: str = "Bookbinding") -> Path:
    """A file that was last changed so long before 02:00."""
    path = office.write(grades(rows, course=course), name)
    os.utime(path, (NOW - age_s, NOW - age_s))
    return path


def verdict(office: Office, options: dict[str, Any], clock: StillClock | None = None) -> str:
    """The reason of a run that fails for its files: with exit code 5, and nothing asked of the site."""
    error = office.fails(options, clock=clock or StillClock())
    assert error.exit_code == 5
    return str(error)


@pytest.mark.parametrize("expect", [{}, {"newer_than": "1d"}, {"done": True}, {"stable_for": "5s"}])
def test_a_file_that_is_not_there_is_missing(office: Office, site: Sandbox, expect: dict[str, Any]) -> None:
    message = f"missing: {office.directory}/data.csv: there is no such file."
    assert verdict(office, job(expect=expect)) == message
    assert site.calls["calls"] == {}


def test_no_file_that_fits_is_missing(office: Office) -> None:
    office.write("", "other.csv")
    office.write("", ".a-1.csv")
    (office.directory / "a-2.csv").mkdir()
    assert verdict(office, job("a-*.csv")) == f"missing: no file fits {office.directory}/a-*.csv"


def test_a_folder_that_is_not_there_is_told_as_such(office: Office) -> None:
    message = f"missing: there is no folder {office.directory}/nowhere"
    assert verdict(office, job("nowhere/a-*.csv")) == message


def test_a_missing_file_may_be_nothing_to_speak_of(office: Office) -> None:
    done = office.run(job("a-*.csv", expect={"missing": "skip"}))
    assert (done.outcome.status, done.outcome.exit_code) == ("skipped", 0)
    assert done.outcome.reason == f"missing: no file fits {office.directory}/a-*.csv"


def test_an_old_file_is_late(office: Office) -> None:
    write(office, "data.csv", age_s=2 * 86400)
    message = "late: the newest, data.csv, is from 2026-11-29 02:00 UTC, older than 1d"
    assert verdict(office, job(expect={"newer_than": "1d"})) == message


def test_old_files_are_left_alone_when_there_are_newer_ones(office: Office, site: Sandbox) -> None:
    write(office, "a-1.csv", age_s=2 * 86400, course="Cooking")
    write(office, "a-2.csv", age_s=60)
    done = office.run(job("a-*.csv", expect={"newer_than": "1d"}), clock=StillClock())
    assert done.summary == {"read": 1, "inserted": 1}
    assert found(site, "ABC_Scores", Course="Cooking") == []


def test_a_file_that_has_not_changed_for_long_enough_needs_no_second_look(office: Office) -> None:
    write(office, "data.csv", age_s=30)
    clock = StillClock()
    assert office.run(job(expect={"stable_for": "30s"}), clock=clock).summary == {"read": 1, "inserted": 1}
    assert clock.slept_s == 0


def test_a_young_file_is_looked_at_again_when_its_time_is_over(office: Office) -> None:
    write(office, "data.csv", age_s=10)
    clock = StillClock()
    assert office.run(job(expect={"stable_for": "30s"}), clock=clock).summary == {"read": 1, "inserted": 1}
    assert clock.slept_s == pytest.approx(20)


@pytest.mark.parametrize("age_s", [10, -3600], ids=["young", "from a clock that is ahead"])
def test_a_file_that_changes_meanwhile_is_growing(office: Office, age_s: float) -> None:
    path = write(office, "data.csv", age_s=age_s)
    clock = StillClock(meanwhile=lambda: path.write_text(grades(5)) and None)
    message = "growing: data.csv is still being written: it was not the same for 30s"
    assert verdict(office, job(expect={"stable_for": "30s"}), clock) == message
    assert clock.slept_s <= 30.5


def test_a_file_that_goes_meanwhile_is_missing(office: Office) -> None:
    path = write(office, "data.csv", age_s=10)
    clock = StillClock(meanwhile=path.unlink)
    message = f"missing: {path} was there a while ago, and is gone"
    assert verdict(office, job(expect={"stable_for": "30s"}), clock) == message


def test_who_stops_the_run_need_not_wait_for_the_file(office: Office) -> None:
    write(office, "data.csv", age_s=10)
    error = office.fails(job(expect={"stable_for": "5m"}), stopping=lambda: True)
    assert error.exit_code == 130


@pytest.mark.parametrize(("done", "ending"), [(True, ".done"), (".ok", ".ok")])
def test_a_file_counts_once_the_one_that_says_so_is_there(office: Office, done: Any, ending: str) -> None:
    write(office, "a-1.csv")
    write(office, "a-2.csv", course="Cooking")
    message = f"missing: a-1.csv{ending} is not there, so a-1.csv and 1 more may not be complete"
    assert verdict(office, job("a-*.csv", expect={"done": done})) == message
    office.write("", f"a-2.csv{ending}")
    ended = office.run(job("a-*", expect={"done": done}, format="csv", several="together"), clock=StillClock())
    assert ended.summary == {"read": 1, "inserted": 1}


def test_columns_that_are_expected_must_be_there(office: Office, site: Sandbox) -> None:
    write(office, "data.csv")
    assert verdict(office, job(expect={"columns": ["member", "score", "taken"]})) == (
        f"columns: {office.directory}/data.csv lacks score, taken; it has member, course, grade"
    )
    assert site.calls["calls"] == {}
    assert office.run(job(expect={"columns": ["grade", "member"]})).summary == {"read": 1, "inserted": 1}


def test_the_columns_of_every_file_are_looked_at(office: Office, site: Sandbox) -> None:
    write(office, "a-1.csv")
    office.write("member,course\n101,Cooking\n", "a-2.csv")
    reason = verdict(office, job("a-*.csv", several="together", expect={"columns": ["grade"]}))
    assert reason.startswith(f"columns: {office.directory}/a-2.csv lacks grade")
    assert writes(site) == 0


def test_a_resume_reads_the_copy_and_never_the_source_again(office: Office) -> None:
    path = write(office, "data.csv", rows=3)
    dry = office.run(job(expect={"newer_than": "1d"}), dry_run=True, clock=StillClock())
    path.unlink()
    assert office.run(job(expect={"newer_than": "1d"}), again=dry.directory).summary == {"read": 3, "inserted": 3}


@pytest.mark.parametrize(
    ("source", "key", "message"),
    [
        ({"path": "x.csv", "several": "each"}, "several", "`several:` is for several files"),
        ({"path": "x.csv", "archive": "done"}, "archive", "nothing is archived"),
        (
            {"path": "in/*.csv", "archive": "in", "after": {"success": "archive"}},
            "archive",
            "this is the folder of the source itself",
        ),
        ({"path": "x.csv", "host_key": "SHA256:abc"}, "host_key", "`host_key:` means nothing for a local file"),
        ({"path": "s3://feeds/x.csv", "known_hosts": "h"}, "known_hosts", "`known_hosts:` means nothing for s3://"),
        ({"path": "sftp://u@host/x.csv"}, "path", "this is no way to log in at sftp://"),
        (
            {"path": "https://host/x.csv", "auth": {"password": {"env": "P"}}},
            "auth",
            "this is no way to log in at https://",
        ),
        ({"path": "https://host/x.csv", "ca_file": "no.pem"}, "ca_file", "there is no file "),
        ({"path": "x.data"}, "path", "the ending tells no format"),
        ({"path": "x.csv", "expect": {"stable_for": "11m"}}, "stable_for", "at most 10m"),
        ({"path": "x.csv", "expect": {"done": ""}}, "done", "an ending is wanted here"),
        ({"path": "x.csv", "expect": {"columns": []}}, "columns", ""),
    ],
)
def test_a_mistake_in_a_source_is_told_by_check(office: Office, source: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(ProblemsFound) as told:
        office.parse(graded(source=source))
    assert any(problem.message.startswith(message) for problem in told.value.problems), told.value.problems


def test_a_plain_password_in_a_job_is_refused_and_not_shown(office: Office) -> None:
    source = {"path": "sftp://u@host/x.csv", "auth": {"password": "hunter2"}, "host_key": "SHA256:abc"}
    with pytest.raises(ProblemsFound) as told:
        office.parse(graded(source=source))
    assert "a secret cannot stand here itself" in str(told.value.problems)
    assert "hunter2" not in str(told.value.problems)
