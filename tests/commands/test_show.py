"""One run: its counts, rejects, plan and log, also while it is under way."""

import json
import re
from contextlib import closing

import pytest

from idms_cli.history.store import Store
from idms_cli.records.entry import Entry, Intent
from idms_cli.records.journal import Journal
from idms_cli.sandbox import Sandbox
from tests.commands.conftest import Desk, Past
from tests.commands.test_status import RUN_FIELDS
from tests.conftest import Place, until

ROWS = """\
member,course,grade
101,Cooking,A
102,Cooking,B
,Cooking,A
103,Cooking
104,Cooking
105,Sewing,A
"""


@pytest.fixture
def shown(place: Place) -> Place:
    """Run 1: a dry one. Run 2: partial."""
    place.job("scores")
    place.write("scores.csv", ROWS)
    assert place.idms("run", "scores", "--dry-run").returncode == 1
    assert place.idms("run", "scores").returncode == 1
    return place


def test_a_run_is_shown_with_its_counts_rejects_and_log(shown: Place) -> None:
    told = shown.idms("show", "2")
    assert (told.returncode, told.stderr) == (0, "")
    first, blank, started, took, file, calls, spent, writes, *rest = told.stdout.splitlines()
    assert first == "run 2 of scores: partial; 3 of 6 rows rejected; 6 read = 3 inserted + 3 rejected"
    assert blank == ""
    assert re.fullmatch(r"started  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(by hand\)", started)
    assert re.fullmatch(r"took     [\d.]+ s", took)
    assert re.fullmatch(
        rf"file     {re.escape(str(shown.directory))}/scores\.csv \(\d+ bytes, from [a-z]+ \d\d:\d\d\)", file
    )
    assert re.fullmatch(r"calls    \d+: \d+ GET, 3 POST, 0 PUT, 0 logins", calls)
    assert re.fullmatch(r"time     [\d.]+ s in the site, [\d.]+ s in idms and its rate limit", spent)
    assert writes == "writes   abc_scores on test"
    assert [re.sub(r"(line \d+): .+", r"\1: WHY", line) for line in rest[:6]] == [
        "",
        "Why rows were rejected",
        "ROWS  CODE         FOR EXAMPLE",
        "   2  ragged       line 5: WHY",
        "   1  blank-match  line 4: WHY",
        f"Rejected rows, ready to be mended and imported again: {shown.state}/runs/2/rejects.csv",
    ]
    assert rest[6:14] == [
        "",
        "What to do next",
        "idms rejects 2 --csv scores-mended.csv            the rejected rows with their reasons, to be mended",
        "idms retry 2 --rejected --file scores-mended.csv  import them when they are mended",
        "idms changes 2                                    what it wrote, field by field",
        "idms undo 2                                       take that back; shows its plan first",
        "",
        "Log",
    ]
    assert rest[-1].endswith("Z partial: 3 of 6 rows rejected")

    data = json.loads(shown.idms("show", "2", "--json").stdout)
    assert data.keys() == {"version", "run"}
    run = data["run"]
    assert run.keys() >= RUN_FIELDS | {"reject_reasons", "rejects_file", "log"}
    ragged, blank_match = run["reject_reasons"]
    assert (ragged["rows"], ragged["code"], ragged["example"][:8]) == (2, "ragged", "line 5: ")
    assert (blank_match["rows"], blank_match["code"], blank_match["example"][:8]) == (1, "blank-match", "line 4: ")
    assert run["rejects_file"] == f"{shown.state}/runs/2/rejects.csv"

    dry = shown.idms("show", "1", "--changes", "1").stdout
    assert dry.startswith("dry run 1 of scores: partial; 3 of 6 rows rejected; 6 read = 3 rejected + 3 to write\n")
    assert (
        f"{shown.state}/runs/1/rejects.csv\n\n"
        "The plan: 3 to insert. Nothing was written.\n"
        "Carrying it out takes about 3 calls, less than a second.\n"
        "LINE  ACTION  RECORD  PROPERTY  CHANGE\n"
        "   2  insert  new     ID        101\n"
        "                      Course    Cooking\n"
        "                      Grade     A\n"
        "... and 2 more: idms show 1 --changes 3\n"
    ) in dry
    plan = json.loads(shown.idms("show", "1", "--json").stdout)["run"]
    assert plan["planned"] == {"insert": 3}
    assert [change.keys() for change in plan["changes"]] == [{"line", "part", "action", "key", "changes"}] * 3
    assert plan["changes"][0]["changes"]["Grade"] == {"old": "", "new": "A"}


def test_deletes_are_among_the_calls(shown: Place) -> None:
    job = shown.job("gone")
    job.write_text(job.read_text().replace("upsert", "delete"))
    shown.write("gone.csv", "member,course,grade\n101,Cooking,A\n102,Cooking,B\n")
    told = shown.idms("run", "gone")
    assert re.search(r"calls    \d+: \d+ GET, 0 POST, 0 PUT, 2 DELETE, 0 logins", told.stdout), told.stdout


def test_an_update_is_shown_with_old_and_new_value(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    assert place.idms("run", "scores").returncode == 0
    place.write("scores.csv", "member,course,grade\n101,Bookbinding,B\n")
    told = place.idms("run", "scores", "--dry-run").stdout
    assert re.search(r"\nLINE +ACTION +RECORD +PROPERTY +CHANGE\n +2 +update +\S+ +Grade +A -> B\n", told)


def test_a_run_can_be_looked_at_while_it_is_under_way(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.02
    place.job("scores")
    place.scores("scores", 60)
    started = place.start("run", "scores")
    until((place.state / "runs/1/journal.db").exists)
    while started.poll() is None:
        told = place.idms("show", "1")
        assert (told.returncode, told.stderr) == (0, "")
        assert place.json("status")["jobs"][0]["state"] in ("running", "completed")
    assert started.communicate()[0].startswith("run 1 of scores: completed; 60 read = 60 inserted\n")


@pytest.mark.parametrize(
    ("prepare", "first"),
    [
        (lambda past: past.pending(), "run 1 of good: pending"),
        (lambda past: past.running(), "run 1 of good: running"),
        (lambda past: past.died(), "run 1 of good: interrupted; its process died"),
        (lambda past: past.ended("cancelled", "stopped by force"), "run 1 of good: cancelled; stopped by force"),
    ],
    ids=["pending", "running", "interrupted", "cancelled"],
)
def test_a_run_without_any_work_done_is_shown(desk: Desk, past: Past, prepare: object, first: str) -> None:
    assert callable(prepare)
    prepare(past)
    told = desk.idms("show", "1")
    assert (told.code, told.err) == (0, "")
    title, _, fact, *rest = told.out.splitlines()
    assert title == first
    assert fact.startswith("created  " if first.endswith("pending") else "started  ")
    how = ["goes on  with the next idms run-due (idms resume 1: now)"] if "interrupted" in first else []
    assert rest[: len(how)] == how
    assert any(line.startswith("took ") for line in rest) == first.endswith("force")
    assert "What to do next" in rest


def test_what_was_being_sent_when_a_run_died_is_told_as_unknown(desk: Desk, past: Past) -> None:
    run_id = past.died()
    with closing(Journal(desk.state / "runs" / str(run_id))) as journal:
        journal.begin()
        with journal.transaction():
            journal.add([Entry(line, "planned", "insert", match={"ID": "1"}, values={"ID": "1"}) for line in (2, 3)])
        journal.finish_plan([])
        journal.checkpoint([], [Intent(2, None, 1.0)])
    told = desk.idms("show", str(run_id))
    assert "\n1 record was being sent: unknown, until it is looked for when the run goes on\n" in told.out
    assert json.loads(desk.idms("show", str(run_id), "--json").out)["run"]["unknown"] == 1


STEPS = [
    (
        {"status": "partial", "counts": {"read": 2, "inserted": 1, "rejected": 1}},
        ["rejects", "retry", "changes", "undo"],
    ),
    ({"status": "completed", "counts": {"read": 2, "unchanged": 2}}, []),
    ({"status": "failed", "counts": {}}, ["run good"]),
    ({"status": "held", "counts": {"read": 2, "left": 2}}, ["approve", "reject"]),
    ({"status": "held", "counts": {"read": 2, "left": 2, "questions": 1}}, []),
    ({"status": "failed", "counts": {"read": 2, "selected": 2, "steps": 1, "steps_failed": 1}}, ["retry 1"]),
    ({"status": "completed", "counts": {"read": 2, "left": 2}, "dry_run": True}, ["run good"]),
    ({"status": "completed", "counts": {"read": 2, "left": 2}, "dry_run": True, "row_limit": 1}, []),
    ({"status": "completed", "counts": {"read": 2, "unchanged": 2}, "dry_run": True}, []),
]


@pytest.mark.parametrize(("run", "commands"), STEPS)
def test_what_to_do_next_fits_how_the_run_stands(
    desk: Desk, past: Past, run: dict[str, object], commands: list[str]
) -> None:
    run_id = past.ended(str(run.pop("status")), **run)  # type: ignore[arg-type]
    (desk.state / "runs" / str(run_id) / "rejects.csv").write_text("")
    told = json.loads(desk.idms("show", "1", "--json").out)["run"]["next"]
    assert len(told) == len(commands)
    for step, command in zip(told, commands, strict=True):
        assert step["command"].startswith(f"idms {command}")


def test_the_time_of_the_site_is_told_against_our_own(desk: Desk, past: Past) -> None:
    past.ended("completed", counts={"read": 1, "calls": 3, "site_ms": 20_000})
    past.ended("completed", counts={"read": 1, "calls": 3, "site_ms": 200_000})
    assert re.search(r"time +20 s in the site, 4\d s in idms and its rate limit\n", desk.idms("show", "1").out)
    assert "3m20s in the site, several calls at once\n" in desk.idms("show", "2").out


def test_the_wait_for_an_approval_is_not_told_as_our_own_time(desk: Desk, past: Past) -> None:
    run_id = past.ended("completed", counts={"read": 1, "calls": 3, "site_ms": 200})
    with Store(desk.state) as store, store.database.write() as connection:
        connection.execute("UPDATE run SET decided_by = 'ann', decided_at = ended_at - 1 WHERE id = ?", (run_id,))
    told = desk.idms("show", str(run_id)).out
    assert re.search(r"took +\S+, the wait for the approval included\n", told)
    assert re.search(r"time +0.2 s in the site\n", told)
