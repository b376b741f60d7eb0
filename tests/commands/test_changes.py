"""What a run wrote, field by field, and who changed a record; its rejected rows; its log."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from idms_cli.dispatch.locks import take_data
from idms_cli.modules import DataLock
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve
from tests.conftest import Place, until

FIRST = """\
member,course,grade
101,Cooking,A
102,Cooking,B
,Cooking,A
103,Cooking
"""
SECOND = """\
member,course,grade
101,Cooking,C
102,Cooking,B
"""


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Run 1 inserts two scores and rejects two rows, run 2 changes one of the scores. Tests leave it as it is."""
    with serve(Sandbox()) as url:
        place = Place(tmp_path_factory.mktemp("two_runs"), url)
        place.job("scores")
        place.write("scores.csv", FIRST)
        assert place.idms("run", "scores").returncode == 1
        place.write("scores.csv", SECOND)
        assert place.idms("run", "scores").returncode == 0
        yield place
        place.end()


def test_the_changes_of_a_run_are_told_field_by_field(two_runs: Place) -> None:
    assert two_runs.idms("changes", "2").stdout == (
        "LINE  ACTION  RECORD  PROPERTY  CHANGE\n   2  update  101|3   Grade     A -> C\n"
    )
    assert two_runs.json("changes", "2")["changes"][0]["changes"] == {"Grade": {"old": "A", "new": "C"}}


def test_of_a_record_it_is_told_who_changed_it_newest_first(two_runs: Place) -> None:
    told = two_runs.json("changes", "--record", "abc_scores/101")
    assert told["record"] == "abc_scores/101"
    assert [(each["run"], each["job"], each["action"]) for each in told["changes"]] == [
        (2, "scores", "update"),
        (1, "scores", "insert"),
    ]
    assert [each["changes"]["Grade"] for each in told["changes"]] == [
        {"old": "A", "new": "C"},
        {"old": "", "new": "A"},
    ]


def test_a_number_that_the_site_did_not_tell_is_shown_as_unknown(two_runs: Place) -> None:
    assert "101|?" in two_runs.idms("changes", "1").stdout
    told = two_runs.json("changes", "--record", "ABC_Scores/101|?")
    assert (told["record"], [each["run"] for each in told["changes"]]) == ("ABC_Scores/101|?", [1])


@pytest.mark.parametrize("record", ["ABC_Scores/1", "ABC_Scores/101|2", "ABC%/101", "Party/101"])
def test_a_record_is_not_taken_for_another(two_runs: Place, record: str) -> None:
    assert two_runs.idms("changes", "--record", record).stdout == (
        f"No run that still has its journal wrote {record}.\n"
    )


def test_a_limit_says_that_there_is_more(two_runs: Place) -> None:
    told = two_runs.idms("changes", "1", "--limit", "1")
    assert told.stdout.splitlines()[-1] == "... and more: see --limit"


def test_a_run_or_a_record_is_wanted(two_runs: Place) -> None:
    for arguments in ((), ("1", "--record", "ABC_Scores/101"), ("--record", "ABC_Scores"), ("7",)):
        told = two_runs.idms("changes", *arguments)
        assert (told.returncode, told.stdout) == (2, "")


def test_rejected_rows_are_listed_with_all_their_reasons(two_runs: Place) -> None:
    told = two_runs.json("rejects", "1")["rejects"]
    assert [(each["line"], each["code"]) for each in told] == [(4, "blank-match"), (5, "ragged")]
    assert two_runs.idms("rejects", "2").stdout == "Run 2 of scores rejected no row.\n"
    assert "... and 1 more row: --limit 2, or --csv FILE" in two_runs.idms("rejects", "1", "--limit", "1").stdout


def test_the_file_of_rejects_is_copied_but_never_over_another(two_runs: Place, tmp_path: Path) -> None:
    copy = tmp_path / "mend.csv"
    assert two_runs.idms("rejects", "1", "--csv", str(copy)).returncode == 0
    assert copy.read_bytes() == (two_runs.state / "runs/1/rejects.csv").read_bytes()
    assert two_runs.idms("rejects", "1", "--csv", "-").stdout.encode() == copy.read_bytes().replace(b"\r\n", b"\n")
    copy.write_text("mine")
    told = two_runs.idms("rejects", "1", "--csv", str(copy))
    assert (told.returncode, copy.read_text()) == (2, "mine")
    assert two_runs.idms("rejects", "2", "--csv", "-").returncode == 2


def test_the_log_is_printed_whole(two_runs: Place) -> None:
    lines = two_runs.idms("log", "1").stdout.splitlines()
    assert two_runs.json("log", "1") == {"version": 1, "run": 1, "log": lines}
    assert lines == (two_runs.state / "runs/1/log.txt").read_text().splitlines()
    assert lines[-1].endswith("partial: 2 of 4 rows rejected")


def test_a_log_is_followed_to_the_end_of_the_run(place: Place, url: str) -> None:
    place.settings(url, connection="rate: 10/s, settle: 0s")
    place.job("scores")
    place.scores("scores", 10)
    runner = place.start("run", "scores")
    until(lambda: place.state.joinpath("history.db").exists() and place.runs())
    told = place.idms("log", "1", "--follow")
    runner.communicate(timeout=60)
    assert told.returncode == 0
    assert told.stdout == (place.state / "runs/1/log.txt").read_text()
    assert told.stderr == "run 1 of scores: completed; 10 read = 10 inserted\n"


def test_a_journal_that_is_gone_is_not_taken_for_a_run_that_did_nothing(two_runs: Place) -> None:
    journal = two_runs.state / "runs/1/journal.db"
    away = journal.rename(journal.with_name("away.db"))
    changes, rejects = (two_runs.idms(command, "1").stdout for command in ("changes", "rejects"))
    away.rename(journal)
    assert changes == "Run 1 of scores wrote 2 records; its journal is gone.\n"
    assert rejects == "Run 1 of scores rejected 2 rows; its journal is gone.\n"


def test_a_run_that_is_not_over_may_still_change_something(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    held = take_data(place.state, [DataLock("imis:test/abc_scores", write=True)])
    assert isinstance(held, list)
    runner = place.start("run", "scores")
    until(lambda: (place.state / "history.db").exists() and place.runs())
    assert place.idms("changes", "1").stdout == "Run 1 of scores changed nothing so far.\n"
    assert place.idms("rejects", "1").stdout == "Run 1 of scores rejected no row so far.\n"
    for lock in held:
        lock.release()
    runner.communicate(timeout=60)
    assert runner.returncode == 0


def test_json_of_changes_is_versioned(two_runs: Place) -> None:
    assert json.loads(two_runs.idms("changes", "2", "--json").stdout)["version"] == 1
