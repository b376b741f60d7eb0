"""The rows of a transfer: from a file, an entity, a query; bad ones; guards; only what changed."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from idms_cli.config.settings import read_settings
from idms_cli.delivery import Cargo, Delivery, Receipt, local
from idms_cli.errors import InputError, Interrupted, SiteError, Unreachable
from idms_cli.jobs.guard import GuardOptions
from idms_cli.modules.access import OpenSites
from idms_cli.sandbox import Sandbox
from tests.modules.transfers.dock import Dock

STEPS = "steps:\n- {to: out, file: a.jsonl}\n"
FILE = f"source: {{path: data.csv}}\n{STEPS}"


def rows(dock: Dock, name: str = "a.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in dock.delivered[name].splitlines()]


@pytest.fixture
def scored(site: Sandbox) -> Sandbox:
    site.add_rows(
        "ABC_Scores",
        [
            {"ID": "101", "Course": "Bookbinding", "Grade": "A", "Hours": 12.5, "TakenOn": "2026-01-31T00:00:00"},
            {"ID": "102", "Course": "Bookbinding", "Grade": "B", "Hours": 3.0},
            {"ID": "103", "Course": "Gilding", "Grade": "A", "Hours": 20.0},
        ],
    )
    return site


def test_what_is_a_number_in_a_file_goes_out_as_one(dock: Dock) -> None:
    members = [{"ID": 101, "Fee": 1.50, "Zip": "02134", "Open": True, "Note": None}]
    dock.write(json.dumps(members), "data.json")
    dock.send(FILE.replace("data.csv", "data.json"))
    assert rows(dock) == [{"ID": 101, "Fee": Decimal("1.5"), "Zip": "02134", "Open": "true", "Note": ""}]


def test_rows_are_selected_before_they_go_out(dock: Dock) -> None:
    dock.write("ID,First,Last\n101,Zoë,Adams\n")
    dock.send(f"select: [Name, ID]\nadd: {{Name: {{template: '{{{{ First }}}} {{{{ Last }}}}'}}}}\n{FILE}")
    assert rows(dock) == [{"Name": "Zoë Adams", "ID": "101"}]


def test_a_bad_row_fails_the_transfer_before_anything_is_delivered(dock: Dock) -> None:
    dock.write("ID,Paid\n101,10\n102,x\n103\n")
    text = f"add: {{Twice: {{template: '{{{{ Paid|number * 2 }}}}'}}}}\n{FILE}"
    sent = dock.send(text)
    assert (sent.outcome.status, sent.outcome.exit_code) == ("failed", InputError.exit_code)
    assert sent.outcome.reason == (
        "2 of 3 rows cannot go out. Row 4: The row has 1 cell, but the header has 2 columns. Nothing was delivered"
    )
    assert dock.delivered == {}
    assert sent.rejected == {
        4: "The row has 1 cell, but the header has 2 columns.",
        2: "Template: 'x' is not a number.",
    }
    assert (sent.directory / "rejects.csv").read_text(encoding="utf-8-sig").splitlines()[0].startswith("ID,Paid,_line")


def test_bad_rows_are_left_out_if_that_is_wanted_and_the_run_is_partial(dock: Dock) -> None:
    dock.write("ID,Paid\n101,10\n102,x\n103\n")
    sent = dock.send(f"bad_rows: skip\nadd: {{Twice: {{template: '{{{{ Paid|number * 2 }}}}'}}}}\n{FILE}")
    assert (sent.outcome.status, sent.outcome.reason) == ("partial", "2 of 3 rows rejected")
    assert sent.summary == {"read": 3, "rejected": 2, "selected": 1}
    assert rows(dock) == [{"ID": "101", "Paid": "10", "Twice": "20"}]


def test_columns_that_are_not_there_are_problems_with_their_place(dock: Dock) -> None:
    dock.write("ID,Name\n101,Zoë\n")
    error = dock.fails_to_send(f"select: [ID, Nane]\nrename: {{Idd: X}}\n{FILE}")
    assert str(error).splitlines() == [
        "jobs.d/feed.yaml:3:16: the rows have no column 'Nane'",
        "    hint: did you mean 'Name'?",
        "jobs.d/feed.yaml:4:12: the rows have no column 'Idd'",
        "    hint: did you mean 'ID'?",
    ]


def test_the_rows_of_an_entity_meet_the_filter(sited: Dock, scored: Sandbox) -> None:
    sited.send(
        "source: {entity: abc_scores, filter: {course: bookbinding, Hours: {ge: 3, lt: 10}}, columns: [id, Hours]}\n"
        + STEPS
    )
    assert rows(sited) == [{"ID": "102", "Hours": Decimal("3.0")}]


def test_all_properties_of_an_entity_are_columns_in_the_order_of_the_site(sited: Dock, scored: Sandbox) -> None:
    sited.send(f"source: {{entity: ABC_Scores, filter: {{Course: Gilding}}}}\n{STEPS}")
    (row,) = rows(sited)
    assert list(row)[:3] == ["ID", "Ordinal", "Course"]
    assert (row["Grade"], row["Ordinal"], row["TakenOn"]) == ("A", 2, None)


def test_an_entity_without_a_row_still_has_its_columns(sited: Dock) -> None:
    sited.send("source: {entity: ABC_Scores, filter: {Course: None}, columns: [ID]}\nsteps: [{to: out, file: a.csv}]\n")
    assert sited.delivered == {"a.csv": "ID\r\n"}


def test_contacts_go_out_under_the_names_people_use(sited: Dock) -> None:
    sited.send(
        "source: {entity: party, filter: {Chapter: North}, columns: [ID, LastName, BirthDate, Chapter]}\n" + STEPS
    )
    found = rows(sited)
    assert found
    assert {row["Chapter"] for row in found} == {"North"}
    assert all(row["BirthDate"].endswith("T00:00:00") for row in found if row["BirthDate"])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{entity: ABC_Scores, filter: {Grad: A}}", "ABC_Scores has no property 'Grad'"),
        ("{entity: ABC_Scores, columns: [Grad]}", "ABC_Scores has no property 'Grad'"),
        (
            "{entity: ABC_Scores, filter: {Course: {ge: A}}}",
            "ge is for numbers and dates, but Course is of type String",
        ),
        ("{entity: Party, filter: {Title: Boss}}", "iMIS cannot search contacts by Title"),
    ],
)
def test_what_the_site_does_not_know_is_a_problem_of_the_job(sited: Dock, source: str, message: str) -> None:
    error = sited.fails_to_send(f"source: {source}\n{STEPS}")
    assert f": {message}" in str(error).splitlines()[0]


def test_an_unknown_entity_is_told_with_a_near_one(sited: Dock) -> None:
    error = sited.fails_to_send(f"source: {{entity: ABC_Score}}\n{STEPS}")
    assert str(error) == "The site has no business object 'ABC_Score'. Did you mean 'ABC_Scores'?"


def test_a_site_that_ignores_a_filter_sends_nobody_what_was_not_meant(
    sited: Dock, scored: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from idms_cli.sandbox import panels

    monkeypatch.setattr(panels, "conditions", lambda *_: [])
    text = f"source: {{entity: ABC_Scores, filter: {{Course: Bookbinding}}, columns: [Course]}}\n{STEPS}"
    sent = sited.send(text)
    assert rows(sited) == [{"Course": "Bookbinding"}] * 2
    assert any("do not meet the filter: left out" in line for line in sent.log)
    scored.add_rows("ABC_Scores", [{"ID": str(number), "Course": "Other"} for number in range(600)])
    error = sited.fails_to_send(text)
    assert isinstance(error, SiteError)
    assert "the site seems to ignore it" in str(error)


def test_the_rows_of_a_query_go_out(sited: Dock) -> None:
    sent = sited.send(f"source: {{query: $/Idms/Member feed, key: ID}}\nselect: [id, LastName]\n{STEPS}")
    found = rows(sited)
    assert len(found) == sent.journal.rows["read"] > 200
    assert list(found[0]) == ["ID", "LastName"]
    assert sent.outcome.counts["get"] >= 1


def test_a_limit_reads_no_more_than_it_needs(sited: Dock) -> None:
    sited.send(f"source: {{query: $/Idms/Member feed}}\n{STEPS}", row_limit=3)
    assert len(rows(sited)) == 3
    sited.send(f"source: {{entity: ABC_Scores}}\n{STEPS}", row_limit=2)
    assert len(rows(sited)) == 2


def test_a_source_is_read_once_whatever_comes_later(sited: Dock, scored: Sandbox) -> None:
    text = "source: {entity: ABC_Scores}\nsteps:\n- {to: nowhere, file: a.csv}\n"
    with pytest.raises(Unreachable):
        sited.send(text, tries_again=True)
    gets = scored.calls["calls"].get("GET entity", 0)
    assert sited.send(text, again=sited.directory / "run1").outcome.status == "failed"
    assert scored.calls["calls"].get("GET entity", 0) == gets


def test_a_stopped_run_reads_no_further(dock: Dock) -> None:
    dock.write("ID\n" + "1\n" * 5000)
    with pytest.raises(Interrupted):
        dock.send(FILE, stopping=lambda: True)


@pytest.mark.parametrize(
    ("guard", "told"),
    [
        ({"min_rows": 3}, "2 rows were read, min_rows is 3"),
        ({"usual": "70%"}, "2 rows were read, usual are 10: less than 70%"),
    ],
)
def test_a_guard_holds_a_transfer_and_nothing_is_delivered(dock: Dock, guard: Mapping[str, Any], told: str) -> None:
    dock.write("ID\n101\n102\n")
    options = GuardOptions.model_validate(guard)
    held = dock.send(FILE, guard=options, usual_rows=10)
    assert (held.outcome.status, held.outcome.exit_code) == ("held", 6)
    assert held.outcome.reason == f"{told}. Nothing was delivered"
    assert dock.delivered == {}
    dock.write("ID\n999\n")
    approved = dock.send(FILE, guard=options, usual_rows=10, approved=True, again=held.directory)
    assert approved.outcome.status == "completed"
    assert [row["ID"] for row in rows(dock)] == ["101", "102"], "exactly the rows that were seen"


def test_a_dry_run_makes_the_files_and_delivers_nothing(dock: Dock) -> None:
    dock.write("ID\n101\n")
    text = "source: {path: data.csv}\nsteps:\n- {to: out, file: a.csv}\n- {to: out, file: b.csv, when: failure}\n"
    sent = dock.send(text, dry_run=True, guard=GuardOptions(min_rows=5))
    assert sent.outcome.status == "completed"
    assert sent.states == ["rehearsed", "rehearsed"]
    assert sent.journal.would_be_held == "1 row was read, min_rows is 5"
    assert dock.delivered == {}
    (made,) = sent.steps[0].files
    assert (sent.directory / made.path).read_text() == "ID\n101\n"


def test_a_dry_run_tells_what_would_fail(dock: Dock) -> None:
    dock.write("ID\n101\n")
    sent = dock.send("source: {path: data.csv}\nsteps: [{to: nowhere, file: a.csv}]\n", dry_run=True)
    assert (sent.outcome.status, sent.states) == ("failed", ["failed"])


DELTA = f"delta: {{key: ID, vanished: true}}\n{FILE}".replace("a.jsonl", '"{{ run.id }}.jsonl"')


def test_only_what_changed_goes_out_and_it_is_remembered_once_it_is_delivered(dock: Dock) -> None:
    dock.write("ID,Name\n101,Zoë\n102,Ann\n")
    assert dock.send(DELTA).summary == {"read": 2, "new": 2, "selected": 2}
    dock.write("ID,Name\n101,Zoe\n103,Eve\n")
    sent = dock.send(DELTA)
    assert sent.summary == {"read": 2, "new": 1, "changed": 1, "vanished": 1, "selected": 3}
    assert rows(dock, "2.jsonl") == [
        {"ID": "101", "Name": "Zoe", "change": "changed"},
        {"ID": "103", "Name": "Eve", "change": "new"},
        {"ID": "102", "Name": None, "change": "vanished"},
    ]
    again = dock.send(DELTA)
    assert (again.states, again.summary) == (["skipped"], {"read": 2, "unchanged": 2})


def test_what_was_not_delivered_everywhere_goes_out_again(dock: Dock) -> None:
    dock.write("ID,Name\n101,Zoë\n")
    text = DELTA + "- {to: nowhere, format: csv}\n"
    assert dock.send(text).outcome.status == "partial"
    assert dock.send(text).summary == {"read": 1, "new": 1, "selected": 1}


def test_a_dry_run_remembers_nothing(dock: Dock) -> None:
    dock.write("ID,Name\n101,Zoë\n")
    dock.send(DELTA, dry_run=True)
    assert dock.send(DELTA).summary == {"read": 1, "new": 1, "selected": 1}


def test_a_test_tries_the_steps_though_nothing_has_changed(dock: Dock) -> None:
    dock.write("ID,Name\n101,Zoë\n")
    dock.send(DELTA)
    sent = dock.send(DELTA, dry_run=True, intent="test", row_limit=20)
    assert (sent.states, sent.summary) == (["rehearsed"], {"read": 1, "selected": 1})


def test_a_site_is_asked_about_a_query_and_an_entity_before_a_run(sited: Dock, scored: Sandbox) -> None:
    def told(source: str, select: str) -> list[str]:
        work = sited.transfer(f"source: {source}\nselect: [{select}]\n{STEPS}")
        with OpenSites(read_settings(sited.directory / "idms.yaml")) as sites:
            return [problem.message for problem in work.check_online(sites.of).problems]

    entity, query = "{entity: ABC_Scores}", "{query: $/Idms/Member feed, key: ID}"
    assert told(entity, "ID, Grade") == told(query, "ID, Email") == []
    assert told(entity, "ID, Grad") == ["the rows have no column 'Grad'"]
    assert told(query, "ID, Mail") == ["the rows have no column 'Mail'"]
    assert told("{entity: ABC_Score}", "ID")[0].startswith("The site has no business object 'ABC_Score'")
    assert told("{entity: ABC_Scores, filter: {Grad: A}}", "ID") == ["ABC_Scores has no property 'Grad'"]
    assert told("{query: $/Idms/Nothing}", "ID")[0].startswith("The site has no query $/Idms/Nothing")


def test_changes_and_vanished_rows_are_guarded(dock: Dock) -> None:
    dock.write("ID,Name\n101,Zoë\n102,Ann\n")
    dock.send(DELTA)
    dock.write("ID,Name\n101,Zoe\n")
    assert dock.send(DELTA, guard=GuardOptions.model_validate({"max_deletes": 0})).outcome.reason == (
        "vanished rows: 1, beside 1 that are there; max_deletes is 0. Nothing was delivered"
    )
    assert dock.send(DELTA, guard=GuardOptions.model_validate({"max_changes": "50%"})).outcome.reason == (
        "1 of 1 rows are new or changed, max_changes is 50%. Nothing was delivered"
    )


def test_of_some_rows_nobody_tells_which_vanished(dock: Dock) -> None:
    dock.write("ID,Name\n101,Zoë\n102,Ann\n")
    dock.send(DELTA)
    sent = dock.send(DELTA, row_limit=1)
    assert sent.summary == {"read": 1, "unchanged": 1}


def test_a_held_run_that_others_overtook_sends_nothing_old(dock: Dock) -> None:
    dock.write("ID,Name\n101,Zoë\n")
    held = dock.send(DELTA, guard=GuardOptions(min_rows=2), run_id=1)
    dock.write("ID,Name\n101,Zoe\n")
    dock.send(DELTA, run_id=2)
    error = dock.fails_to_send(DELTA, again=held.directory, approved=True, run_id=1)
    assert str(error) == "run 2 of feed has delivered since; what run 1 read is old"


def test_only_rows_since_the_watermark_go_out(dock: Dock) -> None:
    text = f"since: {{column: Changed}}\n{FILE}".replace("a.jsonl", '"{{ run.id }}.jsonl"')
    dock.write("ID,Changed\n101,2026-01-01\n102,2026-01-05\n")
    assert dock.send(text).summary == {"read": 2, "selected": 2}
    dock.write("ID,Changed\n101,2026-01-01\n102,2026-01-05\n103,2026-02-01\n")
    assert dock.send(text).summary == {"read": 3, "older": 1, "selected": 2}


def test_several_files_go_out_together(dock: Dock) -> None:
    dock.write("ID\n101\n", "in-1.csv")
    dock.write("ID\n102\n103,x\n", "in-2.csv")
    sent = dock.send(f"source: {{path: in-*.csv, several: together}}\nbad_rows: skip\n{STEPS}")
    assert [row["ID"] for row in rows(dock)] == ["101", "102"]
    assert sent.summary == {"read": 3, "rejected": 1, "selected": 2}


@pytest.mark.parametrize(("more", "archived"), [("", True), ("- {to: nowhere, file: b.csv}\n", False)])
def test_a_file_is_archived_once_every_step_has_delivered(dock: Dock, more: str, archived: bool) -> None:
    dock.write("ID\n101\n")
    text = f"source: {{path: data.csv, after: {{success: archive}}}}\n{STEPS}{more}"
    sent = dock.send(text)
    after = dock.transfer(text).aftercare(dock.context(sent.directory), sent.outcome)
    if after:
        after()
    assert (dock.directory / "data.csv").exists() is not archived
    assert list((dock.directory / "archive").glob("*")) == ([dock.directory / "archive/1-data.csv"] if archived else [])


@pytest.mark.parametrize(
    ("places", "sent_again"),
    [((2,), ["102"]), ((), ["101", "102"])],
    ids=["the refused row is known", "nobody knows which it is"],
)
def test_a_row_that_was_refused_is_not_remembered_as_delivered(
    dock: Dock, monkeypatch: pytest.MonkeyPatch, places: tuple[int, ...], sent_again: list[str]
) -> None:
    def refusing(self: object, cargo: Cargo, delivery: Delivery) -> Receipt:
        return Receipt("https://partner.example", items=1, refused=1, refused_rows=places)

    dock.write("ID,Name\n101,Zoë\n102,Ann\n")
    with monkeypatch.context() as patch:
        patch.setattr(local._Folder, "deliver", refusing)
        sent = dock.send(DELTA)
    told = "1 of 2 rows refused" if places else "1 refused"
    assert (sent.outcome.status, sent.outcome.reason) == ("partial", f"step 1: {told}")
    with pytest.raises(InputError, match=f"^nothing of run 1 is left to be sent \\(step 1: {told}\\)$"):
        dock.transfer(DELTA).take_over(sent.directory.rename(dock.directory / "1"), dock.directory)
    dock.send(DELTA)
    assert [row["ID"] for row in rows(dock, "2.jsonl")] == sent_again
