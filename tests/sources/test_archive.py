"""What becomes of a file that was read: once, whole, under the run's id, and only when the outcome is safe."""

import json
import os
import signal
from pathlib import Path

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until
from tests.sources.servers import PASSWORD, SshServer

HEADER = "member,course,grade\n"
EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"


def job(place: Place, source: str = "in/scores.csv", **more: object) -> None:
    path = place.job("scores", source=source)
    keys = "".join(f", {key}: {json.dumps(value)}" for key, value in more.items())
    path.write_text(path.read_text().replace(f"path: {source}", f'path: "{source}"{keys}'))


def names(folder: Path) -> list[str]:
    """The files in it and below."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_is_archived_beside_itself_under_the_runs_id(place: Place) -> None:
    job(place, after={"success": "archive"})
    place.scores("in/scores", 2)
    assert place.idms("run", "scores").returncode == 0
    assert names(place.directory / "in") == ["archive/1-scores.csv"]
    (run,) = place.runs()
    assert run.source[0]["archive"] == f"{place.directory}/in/archive/1-scores.csv"
    assert "archived as  " in place.idms("show", "1").stdout


def test_a_folder_of_ones_own_may_be_named(place: Place) -> None:
    job(place, after={"success": "archive"}, archive="done/scores")
    place.scores("in/scores", 2)
    place.idms("run", "scores")
    assert names(place.directory / "done") == ["scores/1-scores.csv"]


@pytest.mark.parametrize(
    ("text", "status", "after", "kept"),
    [
        ("101,Art,A\n102,Art\n", "partial", {"success": "archive"}, ["archive/1-scores.csv"]),
        ("102,Art\n", "failed", {"success": "archive"}, ["scores.csv"]),
        ("102,Art\n", "failed", {"failure": "archive"}, ["archive/1-scores.csv"]),
        ("101,Art,A\n", "completed", {"failure": "archive"}, ["scores.csv"]),
        ("101,Art,A\n", "completed", {}, ["scores.csv"]),
    ],
)
def test_what_becomes_of_a_file_follows_the_outcome(
    place: Place, text: str, status: str, after: dict[str, str], kept: list[str]
) -> None:
    job(place, after=after)
    place.write("in/scores.csv", HEADER + text)
    place.idms("run", "scores")
    assert place.runs()[0].status == status
    assert names(place.directory / "in") == kept


def test_nothing_is_archived_by_a_dry_run_or_while_a_run_is_held(place: Place) -> None:
    job(place, after={"success": "archive"})
    with (place.directory / "jobs.d/scores.yaml").open("a") as file:
        file.write("guard: {max_changes: 1}\n")
    place.scores("in/scores", 2)
    place.idms("run", "scores", "--dry-run")
    place.idms("run", "scores")
    assert names(place.directory / "in") == ["scores.csv"]
    assert place.idms("approve", "2").returncode == 0
    assert names(place.directory / "in") == ["archive/2-scores.csv"]


def test_the_file_that_vouches_for_another_goes_with_it(place: Place) -> None:
    job(place, after={"success": "archive"}, expect={"done": True})
    place.scores("in/scores", 1)
    place.write("in/scores.csv.done", "")
    place.idms("run", "scores")
    assert names(place.directory / "in") == ["archive/1-scores.csv", "archive/1-scores.csv.done"]


def test_a_file_that_its_sender_replaced_meanwhile_is_left_for_the_next_run(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.05
    job(place, after={"success": "archive"})
    place.scores("in/scores", 20)
    running = place.start("run", "scores")
    until(lambda: courses(site).get(("101", "Bookbinding")))
    place.scores("in/scores", 1, course="Cooking")
    running.communicate(timeout=60)
    assert names(place.directory / "in") == ["scores.csv"]
    assert "left alone" in place.idms("show", "1", "--json").stdout
    site.latency_s = 0
    place.idms("run", "scores")
    assert names(place.directory / "in") == ["archive/2-scores.csv"]
    assert courses(site)["101", "Cooking"] == 1


def test_a_file_that_cannot_be_archived_is_told_and_not_read_twice(place: Place, site: Sandbox) -> None:
    job(place, after={"success": "archive"})
    place.scores("in/scores", 1)
    place.write("in/archive", "a file is in the way")
    told = place.idms("run", "scores")
    assert told.returncode == 1
    (run,) = place.runs()
    assert run.status == "partial"
    assert run.reason.startswith("the rows were read, but the file is not archived: ")
    written = len(site.writes)
    told = place.idms("run", "scores")
    assert told.returncode == 5
    assert "was read by run 1, and still cannot be archived" in told.stdout
    (place.directory / "in/archive").unlink()
    told = place.idms("run", "scores")
    assert (told.returncode, place.runs()[-1].reason.partition(":")[0]) == (5, "missing")
    assert names(place.directory / "in") == ["archive/1-scores.csv"]
    assert place.runs()[0].source[0]["archive"] == f"{place.directory}/in/archive/1-scores.csv"
    assert len(site.writes) == written


def test_the_same_content_once_more_is_skipped_and_no_failure(place: Place, site: Sandbox) -> None:
    job(place, after={"success": "archive"}, expect={"changed": True})
    place.scores("in/scores", 1)
    place.idms("run", "scores")
    place.scores("in/scores", 1)
    told = place.idms("run", "scores")
    assert told.returncode == 0, told.stdout
    run = place.runs()[-1]
    assert (run.status, run.reason) == ("skipped", f"unchanged: {place.directory}/in/scores.csv is what run 1 read")
    assert names(place.directory / "in") == ["archive/1-scores.csv", "archive/2-scores.csv"]
    assert place.json("status")["jobs"][0]["state"] == "skipped"
    assert [each["id"] for each in place.json("history", "--status", "skipped")["history"]] == [2]
    place.scores("in/scores", 2)
    place.idms("run", "scores")
    assert place.runs()[-1].status == "completed"


@pytest.mark.parametrize("since", ["undone", "the job was changed", "only some rows"])
def test_the_same_content_is_read_again_when_the_last_run_does_not_count(
    place: Place, site: Sandbox, since: str
) -> None:
    job(place, expect={"changed": True})
    place.scores("in/scores", 2)
    place.idms("run", "scores", *(["--limit", "1"] if since == "only some rows" else []))
    if since == "undone":
        place.idms("undo", "1", "--apply")
    if since == "the job was changed":
        with (place.directory / "jobs.d/scores.yaml").open("a") as file:
            file.write("# another one\n")
    place.idms("run", "scores")
    assert place.runs()[-1].status == "completed"
    assert courses(site)["102", "Bookbinding"] == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_that_is_killed_over_its_archiving_does_it_at_the_next_tick(
    place: Place, site: Sandbox, ssh: SshServer, moment: str
) -> None:
    (ssh.folder / "out/scores.csv").write_text(f"{HEADER}101,Bookbinding,A\n102,Bookbinding\n")
    place.environment["PARTNER"] = PASSWORD
    login = {"auth": {"password": {"env": "PARTNER"}}, "host_key": ssh.fingerprint}
    job(place, ssh.url("out/scores.csv"), after={"success": "archive"}, **login)
    reached: list[int] = []
    setattr(ssh.faults, f"{moment}_rename", lambda: reached.append(1))
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: reached)
    os.kill(place.worker(1), signal.SIGKILL)
    place.settled()
    assert place.runs()[0].status == "interrupted"
    ssh.faults.before_rename = ssh.faults.after_rename = None
    written = len(site.writes)
    place.at(NIGHT, "--wait")
    (run,) = place.runs()
    assert (run.status, run.reason) == ("partial", "1 of 2 rows rejected")
    assert names(ssh.folder / "out") == ["archive/1-scores.csv"]
    assert run.source[0]["archive"] == f"{ssh.url('out/archive/1-scores.csv')}"
    assert len(site.writes) == written


def test_a_plan_of_a_source_elsewhere_is_applied_or_refused(place: Place, site: Sandbox, ssh: SshServer) -> None:
    path = ssh.folder / "out/scores.csv"
    path.write_text(f"{HEADER}101,Bookbinding,A\n")
    place.environment["PARTNER"] = PASSWORD
    login = {"auth": {"password": {"env": "PARTNER"}}, "host_key": ssh.fingerprint}
    job(place, ssh.url("out/scores.csv"), after={"success": "archive"}, **login)
    assert place.idms("check").returncode == 0
    for plan in ("one", "two"):
        assert place.idms("plan", "scores", "--out", str(place.directory / plan)).returncode == 0
    path.write_text(f"{HEADER}101,Bookbinding,B\n")
    told = place.idms("apply", str(place.directory / "one"))
    assert told.returncode == 2
    assert f"{ssh.url('out/scores.csv')} has been changed since the plan was made" in told.stderr
    path.write_text(f"{HEADER}101,Bookbinding,A\n")
    assert place.idms("apply", str(place.directory / "one")).returncode == 0
    assert courses(site) == {**courses(site), ("101", "Bookbinding"): 1}
    assert names(ssh.folder / "out") == ["archive/3-scores.csv"]
    told = place.idms("apply", str(place.directory / "two"))
    assert told.returncode == 2
    assert place.idms("undo", "3", "--apply").returncode == 0
    assert ("101", "Bookbinding") not in courses(site)


def test_no_secret_is_in_anything_that_is_left(place: Place, ssh: SshServer) -> None:
    (ssh.folder / "out/scores.csv").write_text(f"{HEADER}101,Bookbinding,A\n")
    place.environment["PARTNER"] = PASSWORD
    login = {"auth": {"password": {"env": "PARTNER"}}, "host_key": ssh.fingerprint}
    job(place, ssh.url("out/scores.csv"), after={"success": "archive"}, **login)
    told = place.idms("run", "scores")
    place.environment["PARTNER"] = "a wrong secret"
    refused = place.idms("run", "scores")
    assert (told.returncode, refused.returncode) == (0, 4)
    left = b"".join(path.read_bytes() for path in place.state.rglob("*") if path.is_file())
    said = (told.stdout + told.stderr + refused.stdout + refused.stderr).encode()
    assert PASSWORD.encode() not in left + said
    assert b"a wrong secret" not in left + said
