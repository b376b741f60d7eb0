"""Where an answer was lost and nothing finds the record again, the run stops there and asks; a person answers."""

import json

import pytest

from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses

EVENING, NIGHT, NEXT = "2026-11-30 20:00", "2026-12-01 02:00", "2026-12-02 02:00"


@pytest.fixture
def asking(place: Place, site: Sandbox) -> Place:
    """Run 1 inserts five rows without match; the answer to the first is lost, though it is stored."""
    path = place.job("scores")
    path.write_text(path.read_text().replace("upsert", "insert").replace("  match: [ID, Course]\n", ""))
    place.scores("scores", 5)
    site.set_fault("cut-after-write", 1.0)
    told = place.idms("run", "scores")
    site.set_fault("cut-after-write", 0.0)
    assert told.returncode == 6, told.stdout + told.stderr
    return place


def _there(site: Sandbox) -> list[int]:
    """How often each of the five is on the site."""
    return [courses(site).get((str(101 + number), "Bookbinding"), 0) for number in range(5)]


def test_what_is_in_question_is_shown_with_all_that_was_sent_and_how_to_answer(asking: Place) -> None:
    told = asking.idms("show", "1").stdout
    assert "Are these on the site? They were sent, no answer came, and nothing finds them again" in told
    assert "; 4 records more to write after that.\n" in told
    assert "idms approve 1 --stored NUMBERS --not-stored NUMBERS   (or: all)\n" in told
    assert "     1     2  2" in told
    (question,) = json.loads(asking.idms("show", "1", "--json").stdout)["run"]["questions"]
    assert (question["number"], question["line"]) == (1, 2)
    assert question["changes"]["ID"] == {"old": "", "new": "101"}
    assert "line 2: sent, perhaps stored, and nothing finds it again: somebody has to look." in (
        asking.idms("status").stdout
    )


def test_a_record_that_is_there_is_not_sent_again_and_the_run_goes_on(asking: Place, site: Sandbox) -> None:
    told = asking.idms("approve", "1", "--stored", "1")
    assert told.returncode == 0, told.stdout + told.stderr
    assert _there(site) == [1, 1, 1, 1, 1]
    (run,) = asking.runs()
    assert (run.status, run.counts["inserted"], run.counts["post"]) == ("completed", 5, 5)
    assert "line 2: is stored, says " in asking.idms("log", "1").stdout
    assert asking.idms("undo", "1", "--apply").returncode == 0  # it is found by what was sent
    assert _there(site) == [0, 0, 0, 0, 0]


def test_a_record_that_is_not_there_is_sent_again(asking: Place, site: Sandbox) -> None:
    site.table("ABC_Scores").remove(_key_of(site, "101"))
    assert asking.idms("approve", "1", "--not-stored", "all").returncode == 0
    assert _there(site) == [1, 1, 1, 1, 1]
    assert asking.runs()[0].counts["post"] == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "run 1 asks whether these are on the site: 1 (line 2)"),
        (["--stored", "2"], "--stored: '2' is none of the records in question"),
        (["--stored", "one"], "--stored: 'one' is none of the records in question"),
        (["--stored", "1", "--not-stored", "all"], "record 1 cannot be stored and not stored"),
    ],
    ids=["no answer", "another number", "no number", "both"],
)
def test_an_answer_that_leaves_something_open_is_refused(asking: Place, options: list[str], message: str) -> None:
    told = asking.idms("approve", "1", *options)
    assert (told.returncode, told.stdout) == (2, "")
    assert message in told.stderr
    assert asking.runs()[0].status == "held"


def test_who_does_not_want_to_answer_ends_the_run_with_the_rest_as_rejects(asking: Place, site: Sandbox) -> None:
    told = asking.idms("reject", "1")
    assert "is rejected; what it wrote stays, the rest is in its rejects file" in told.stdout
    (run,) = asking.runs()
    assert (run.status, run.counts["rejected"], run.counts["left"]) == ("cancelled", 5, 0)
    codes = [one["code"] for one in json.loads(asking.idms("show", "1", "--json").stdout)["run"]["reject_reasons"]]
    assert sorted(codes) == ["not-sent", "unknown"]
    assert _there(site) == [1, 0, 0, 0, 0]


def test_a_guard_asks_about_no_record(place: Place) -> None:
    path = place.job("scores")
    path.write_text(f"{path.read_text()}guard: {{min_rows: 9}}\n")
    place.scores("scores", 2)
    assert place.idms("run", "scores").returncode == 6
    told = place.idms("approve", "1", "--stored", "all")
    assert (told.returncode, "run 1 asks about no record" in told.stderr) == (2, True)


@pytest.mark.parametrize(("overlap", "slot"), [("skip", "skipped"), ("wait", "run")])
def test_no_slot_of_the_job_imports_the_same_rows_while_a_run_of_it_asks(
    asking: Place, site: Sandbox, overlap: str, slot: str
) -> None:
    path = asking.directory / "jobs.d" / "scores.yaml"
    path.write_text(f"{path.read_text()}overlap: {overlap}\n")
    asking.idms("run-due", "--at", EVENING)
    asking.idms("run-due", "--at", NIGHT)
    asking.settled()
    assert [verdict for _, verdict, _ in asking.slots("scores")] == [slot]
    assert _there(site) == [1, 0, 0, 0, 0]
    if slot == "run":
        (waiting,) = [run for run in asking.runs() if run.id != 1]
        assert (waiting.status, waiting.reason) == (
            "pending",
            "waits for run 1 of the same job, which asks: idms show 1",
        )


def test_the_other_files_of_a_batch_are_read_while_the_run_of_one_asks(place: Place, site: Sandbox) -> None:
    path = place.job("scores", source="drop-*.csv")
    path.write_text(path.read_text().replace("upsert", "insert").replace("  match: [ID, Course]\n", ""))
    for name, member in (("a", 101), ("b", 102)):
        place.write(f"drop-{name}.csv", f"member,course,grade\n{member},Bookbinding,A\n")
    site.set_fault("cut-after-write", 1.0)
    told = place.idms("run", "scores")
    assert told.returncode == 6
    assert [run.status for run in place.runs()] == ["held", "held"]
    assert _there(site) == [1, 1, 0, 0, 0]


def _key_of(site: Sandbox, member: str) -> tuple[str, ...]:
    row = next(row for row in site.rows("ABC_Scores") if (row["ID"], row["Course"]) == (member, "Bookbinding"))
    return (str(row["ID"]), str(row["Ordinal"]))
