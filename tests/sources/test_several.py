"""Several files of one job: a run for each, of the same slot, or one run for all together."""

import gzip
import json
import os
import signal
from pathlib import Path

import pytest

from idms_cli.history.store import Store
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until
from tests.modules.imports.office import Office, graded, grades

EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"
HEADER = "member,course,grade\n"


def job(place: Place, **more: object) -> None:
    """Scores of all files of the folder `in`."""
    path = place.job("scores", source="in/*.csv")
    keys = "".join(f", {key}: {json.dumps(value)}" for key, value in more.items())
    path.write_text(path.read_text().replace("path: in/*.csv", f'path: "in/*.csv"{keys}'))


def files(place: Place, *names: str, rows: int = 1) -> None:
    for name in names:
        place.scores(f"in/{name}", rows, course=name)


def test_each_file_is_a_run_of_its_own_of_the_same_slot(place: Place, site: Sandbox) -> None:
    job(place)
    files(place, "b", "a", "c")
    place.at(EVENING)
    place.at(NIGHT, "--wait")
    runs = place.runs()
    assert [(run.id, run.status, run.source[0]["name"], run.batch) for run in runs] == [
        (1, "completed", "a.csv", 1),
        (2, "completed", "b.csv", 1),
        (3, "completed", "c.csv", 1),
    ]
    assert len({run.due for run in runs}) == 1
    assert place.slots("scores") == [(NIGHT, "run", "")]
    assert all(courses(site)["101", name] == 1 for name in "abc")


def after(place: Place, accept: str = "") -> None:
    place.scores("after", 1, course="After")
    place.job("after", schedule=f"{{after: {{job: scores{accept}}}}}")


def test_what_comes_after_comes_once_when_the_last_file_is_done(place: Place) -> None:
    job(place)
    after(place)
    files(place, "a", "b", "c")
    place.at(EVENING)
    place.at(NIGHT, "--wait")
    assert [(run.job, run.status) for run in place.runs()] == [("scores", "completed")] * 3 + [("after", "completed")]
    assert place.slots("after") == [(NIGHT, "run", "")]


@pytest.mark.parametrize(
    ("second", "accept", "verdict"),
    [
        ("", "", ("skipped", "after scores: it failed (")),
        ("", ", accept: [completed, partial]", ("skipped", "after scores: it failed (")),
        ("member,course,grade\n101,b,A\nnobody,b,A\n", "", ("skipped", "after scores: it was partial (")),
        ("member,course,grade\n101,b,A\nnobody,b,A\n", ", accept: [completed, partial]", ("run", "")),
    ],
    ids=["failed", "failed, partial would do", "partial", "partial will do"],
)
def test_the_worst_of_several_files_decides_what_comes_after(
    place: Place, second: str, accept: str, verdict: tuple[str, str]
) -> None:
    job(place)
    after(place, accept)
    files(place, "a", "c")
    place.write("in/b.csv", second)
    place.at(EVENING)
    place.at(NIGHT, "--wait")
    with Store(place.state) as store:
        (slot,) = store.slots.of("after")
    assert (slot.verdict, slot.reason[: len(verdict[1])]) == verdict


def test_a_file_with_nothing_new_does_not_keep_back_what_comes_after_the_others(place: Place) -> None:
    job(place, expect={"changed": True})
    after(place)
    files(place, "a", "b")
    place.at(EVENING)
    place.at(NIGHT, "--wait")
    place.scores("in/b", 2, course="b")
    place.at("2026-12-02 02:00", "--wait")
    place.at("2026-12-03 02:00", "--wait")
    assert [run.status for run in place.runs() if run.job == "scores"] == [
        *("completed", "completed"),
        *("skipped", "completed"),
        *("skipped", "skipped"),
    ]
    assert [verdict for _, verdict, _ in place.slots("after")] == ["run", "run", "skipped"]


def test_files_may_be_taken_in_the_order_of_their_time(place: Place) -> None:
    job(place, order="time")
    files(place, "a", "b")
    os.utime(place.directory / "in/b.csv", (10**9, 10**9))
    assert place.idms("run", "scores").returncode == 0
    assert [run.source[0]["name"] for run in place.runs()] == ["b.csv", "a.csv"]


def test_a_file_that_fails_stops_none_of_the_others_and_is_what_status_shows(place: Place, site: Sandbox) -> None:
    job(place)
    files(place, "a", "c")
    place.write("in/b.csv", "")
    told = place.idms("run", "scores")
    assert told.returncode == 2
    assert [(run.status, run.source[0]["name"]) for run in place.runs()] == [
        ("completed", "a.csv"),
        ("failed", "b.csv"),
        ("completed", "c.csv"),
    ]
    assert courses(site)["101", "c"] == 1
    (status,) = place.json("status")["jobs"]
    assert (status["state"], status["last_run"]["id"]) == ("failed", 2)
    assert "b.csv; " in place.idms("history").stdout


def test_run_waits_for_all_files_and_tells_of_each(place: Place) -> None:
    job(place)
    files(place, "a", "b")
    told = place.idms("run", "scores")
    assert told.returncode == 0
    assert "run 1 of scores: completed" in told.stdout
    assert "run 2 of scores: completed" in told.stdout
    data = place.json("run", "scores")
    assert (data["run"]["id"], [run["id"] for run in data["then"]]) == (3, [4])


def test_a_dry_run_plans_the_first_file_and_names_the_others(place: Place, site: Sandbox) -> None:
    job(place)
    files(place, "a", "b", "c")
    told = place.idms("run", "scores", "--dry-run")
    assert told.returncode == 0
    (run,) = place.runs()
    assert run.source[0]["name"] == "a.csv"
    assert "2 more would follow, each as a run of its own: b.csv, c.csv" in place.idms("show", "1").stdout
    assert site.writes == []


@pytest.mark.parametrize("victim", ["worker", "supervisor", "all"])
def test_a_kill_in_the_middle_neither_loses_nor_doubles_a_file(place: Place, site: Sandbox, victim: str) -> None:
    site.latency_s = 0.02
    job(place)
    files(place, "a", "b", "c", rows=30)
    place.at(EVENING)
    place.at(NIGHT)
    worker = place.worker(1)
    until(lambda: any(course == "a" for _, course in courses(site)))
    supervisor = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    pids = {"worker": [worker], "supervisor": [supervisor], "all": [supervisor, worker]}[victim]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    place.settled()
    site.latency_s = 0
    for _ in range(3):
        place.at(NIGHT, "--wait")
    assert [(run.status, run.source[0]["name"]) for run in place.runs()] == [
        ("completed", "a.csv"),
        ("completed", "b.csv"),
        ("completed", "c.csv"),
    ]
    assert [courses(site)[str(101 + row), name] for name in "abc" for row in range(30)] == [1] * 90


def test_a_file_whose_turn_never_comes_before_it_is_gone_is_told(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.05
    job(place)
    files(place, "a", "b", rows=20)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: any(course == "a" for _, course in courses(site)))
    (place.directory / "in/b.csv").unlink()
    place.settled()
    (_, second) = place.runs()
    assert second.status == "failed"
    assert second.reason == f"missing: {place.directory}/in/b.csv was there a while ago, and is gone"


def test_a_held_file_does_not_hold_up_the_others(place: Place, site: Sandbox) -> None:
    job(place)
    with (place.directory / "jobs.d/scores.yaml").open("a") as file:
        file.write("guard: {max_changes: 1}\n")
    files(place, "a", rows=2)
    files(place, "b", rows=1)
    place.idms("run", "scores")
    assert [run.status for run in place.runs()] == ["held", "completed"]
    assert place.idms("approve", "1").returncode == 0
    assert [run.status for run in place.runs()] == ["completed", "completed"]
    assert courses(site)["102", "a"] == 1


def test_who_stops_a_run_at_the_keyboard_wants_no_other_after_it(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.05
    job(place)
    files(place, "a", "b", rows=50)
    running = place.start("run", "scores")
    until(lambda: any(course == "a" for _, course in courses(site)))
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    place.settled()
    (run,) = place.runs()
    assert (run.status, run.to_follow) == ("cancelled", ("b.csv",))


def test_files_that_are_left_when_the_next_slot_waits_are_found_by_its_run(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.2
    job(place, after={"success": "archive"})
    with (place.directory / "jobs.d/scores.yaml").open("a") as file:
        file.write("overlap: wait\n")
    files(place, "a", "b", "c", rows=30)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: any(course == "a" for _, course in courses(site)))
    place.at("2026-12-02 02:00")
    site.latency_s = 0
    until(lambda: not any(run.is_open for run in place.runs()))
    assert [(run.status, run.source[0]["name"], f"{run.due:%d}") for run in place.runs()] == [
        ("completed", "a.csv", "01"),
        ("completed", "b.csv", "02"),
        ("completed", "c.csv", "02"),
    ]


def test_a_run_that_somebody_stops_leaves_the_other_files_for_later(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.05
    job(place)
    files(place, "a", "b", rows=60)
    place.at(EVENING)
    place.at(NIGHT)
    until(lambda: any(course == "a" for _, course in courses(site)))
    place.idms("stop", "1")
    place.settled()
    (run,) = place.runs()
    assert (run.status, run.to_follow) == ("cancelled", ("b.csv",))
    assert "left for later  b.csv" in place.idms("show", "1").stdout


def together(**more: object) -> dict[str, object]:
    return graded(source={"path": "in-*.csv", "several": "together", **more})


def test_files_together_are_one_run_with_the_rows_of_all(office: Office, site: Sandbox) -> None:
    office.write(grades(2, course="Cooking"), "in-1.csv")
    office.write(grades(2, course="Bookbinding"), "in-2.csv")
    assert office.run(together()).summary == {"read": 4, "inserted": 4}
    assert courses(site)["102", "Cooking"] == courses(site)["102", "Bookbinding"] == 1


def test_each_rejected_row_is_known_with_its_file(office: Office) -> None:
    office.write(f"{HEADER}101,Cooking,A\n102,Cooking\n", "in-1.csv")
    office.write(f"{HEADER}103,Cooking,{'A' * 40}\n101,Cooking,B\n", "in-2.csv")
    rejects = office.run(together()).rejects
    assert [(row["_line"], row["_code"]) for row in rejects] == [
        ("in-1.csv:2", "double"),
        ("in-1.csv:3", "ragged"),
        ("in-2.csv:2", "not-a-choice"),
        ("in-2.csv:3", "double"),
    ]
    assert rejects[3]["_message"].startswith("line 2 of file 1 has the same key and says something else")


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("member,grade,course\n1,A,x\n", "has the columns of {first} in another order: member, grade, course"),
        ("member,grade,code\n1,A,x\n", "has other columns than {first}: member, grade, code"),
        ("member;course;grade\n1;x;A\n", "is written with other delimiters or quotes than"),
    ],
)
def test_files_that_do_not_go_together_end_the_run_before_it_writes(
    office: Office, site: Sandbox, second: str, message: str
) -> None:
    office.write(grades(2), "in-1.csv")
    office.write(second, "in-2.csv")
    assert message.format(first=office.directory / "in-1.csv") in str(office.fails(together()))
    assert site.writes == []


def test_files_together_can_be_packed_and_resumed(office: Office) -> None:
    office.write(gzip.compress(grades(2, course="Cooking").encode()), "in-1.csv.gz")
    office.write(gzip.compress(grades(2).encode()), "in-2.csv.gz")
    options = graded(source={"path": "in-*.csv.gz", "several": "together"})
    dry = office.run(options, dry_run=True)
    (office.directory / "in-1.csv.gz").unlink()
    assert office.run(options, again=dry.directory).summary == {"read": 4, "inserted": 4}
