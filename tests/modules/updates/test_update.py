"""Updates against a sandbox: rows of a query become records, with everything that an import has."""

import json
from pathlib import Path

import pytest

from idms_cli.errors import InputError, SiteError, Unreachable
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.definitions import ACTIVITY, PARTY
from idms_cli.sandbox.queries import Column, Query, columns
from idms_cli.sandbox.server import serve
from tests.modules.imports.office import Office, found, writes
from tests.modules.imports.test_resume import die
from tests.modules.updates.jobs import (
    GRADES,
    LAPSED,
    FailsAt,
    grades_query,
    lapsed,
    regraded,
    standings,
    update,
)


def test_the_rows_of_a_query_are_written_and_a_second_run_finds_nothing_to_do(office: Office, site: Sandbox) -> None:
    before = lapsed(site)
    assert len(before) > 20
    done = office.run(update())
    assert done.summary == {"read": len(before), "updated": len(before)}
    assert {standings(site)[one] for one in before} == {"GRACE"}
    assert office.run(update()).summary == {}


@pytest.mark.parametrize("query_service", [True, False], ids=["query", "iqa"])
def test_both_addresses_do(office: Office, site: Sandbox, query_service: bool) -> None:
    site.query_service = query_service
    number = len(lapsed(site))
    assert office.run(update(), dry_run=True).summary == {"read": number, "left": number}


@pytest.mark.parametrize("parameters", [["STU"], {"MemberType": "STU"}], ids=["by position", "by name"])
def test_parameters_choose_the_rows(office: Office, site: Sandbox, parameters: object) -> None:
    types = {row["ID"]: row["CustomerTypeCode"] for row in site.rows("Party")}
    students = [one for one in lapsed(site) if types[one] == "STU"]
    done = office.run(update(source={"query": LAPSED, "parameters": parameters}))
    assert done.summary == {"read": len(students), "updated": len(students)}
    assert 0 < len(students) < len(lapsed(site)) + len(students)


def test_every_action_works_on_the_rows_of_a_query(office: Office, site: Sandbox) -> None:
    number = len(lapsed(site))
    call = {"PartyId": "ID", "ACTIVITY_TYPE": {"value": "CALL"}, "DESCRIPTION": {"template": "Ask {{ FullName }}"}}
    on_activity = {"destination": "activity", "map": call}
    once = {**on_activity, "match": ["PartyId", "DESCRIPTION"]}
    assert office.run(update(action="insert", **once)).summary == {"read": number, "inserted": number}
    assert office.run(update(action="insert", **once)).summary == {"read": number, "skipped": number}
    assert office.run(update(action="upsert", **once)).summary == {"read": number, "unchanged": number}
    assert office.run(update(action="delete", **once)).summary == {"read": number, "deleted": number}
    noted = {"ACTIVITY_TYPE": {"value": "NOTE"}, "DESCRIPTION": {"value": "Lapsed"}}
    by_contact = {**on_activity, "match": [], "find": {"ID": "ID"}, "map": noted}
    assert office.run(update(action="insert-matching", **by_contact)).summary == {"read": number, "inserted": number}
    assert {row["PartyId"] for row in found(site, "Activity", DESCRIPTION="Lapsed")} == set(lapsed(site))


def test_numbers_dates_and_booleans_are_what_they_are_whatever_a_job_says_of_text(
    office: Office, site: Sandbox
) -> None:
    site.tables["Activity"].rows.clear()
    row = {"PartyId": "101", "ACTIVITY_TYPE": "EDUC", "TRANSACTION_DATE": "2026-03-04T05:06:07", "QUANTITY": 1.234}
    site.add_rows("Activity", [{**row, "DESCRIPTION": "1.234", "UF_2": "04/03/2026"}])
    shown = columns(ACTIVITY, "PartyId TRANSACTION_DATE QUANTITY DESCRIPTION UF_2")
    site.add_query(Query("$/Idms/Kinds", ACTIVITY, shown))
    mapped = {
        "PartyId": "PartyId",
        "ACTIVITY_TYPE": {"value": "NOTE"},
        "TRANSACTION_DATE": {"column": "TRANSACTION_DATE", "date": "%d/%m/%Y"},
        "THRU_DATE": {"column": "UF_2", "date": "%d/%m/%Y"},
        "QUANTITY": {"column": "QUANTITY", "number": "1.234,56"},
        "AMOUNT": {"column": "DESCRIPTION", "number": "1.234,56"},
        "UF_1": "QUANTITY",
    }
    job = update(source={"query": "$/Idms/Kinds"}, destination="activity", action="insert", match=[], map=mapped)
    assert office.run(job).summary == {"read": 1, "inserted": 1}
    (made,) = found(site, "Activity", ACTIVITY_TYPE="NOTE")
    assert made["TRANSACTION_DATE"] == "2026-03-04T05:06:07"
    assert made["THRU_DATE"] == "2026-03-04T00:00:00"
    assert made["QUANTITY"] == pytest.approx(1.234)
    assert (made["AMOUNT"], made["UF_1"]) == (1234, "1.234")


def test_a_boolean_of_a_query_is_one_for_the_record(office: Office, site: Sandbox) -> None:
    shown = (*columns(PARTY, "ID"), Column("IsOrganization", "IsOrganization"))
    site.add_query(Query("$/Idms/Kinds", PARTY, shown, lambda _: ()))
    ids = [str(row["ID"]) for row in site.rows("ABC_Membership")][:1]
    job = update(source={"query": "$/Idms/Kinds"}, map={"ID": "ID", "Newsletter": "IsOrganization"})
    office.run(job, row_limit=1)
    assert found(site, "ABC_Membership", ID=ids[0])[0]["Newsletter"] is False


def test_two_columns_of_one_alias_can_both_be_mapped(office: Office, site: Sandbox) -> None:
    shown = (*columns(PARTY, "ID"), Column("Name", "FirstName"), Column("Name", "LastName"))
    site.add_query(Query("$/Idms/Twice", PARTY, shown))
    mapped = {"PartyId": "ID", "ACTIVITY_TYPE": {"value": "NOTE"}, "UF_1": "Name", "UF_2": "Name3"}
    source = {"query": "$/Idms/Twice"}
    job = update(source=source, destination="activity", action="insert", match=[], map=mapped)
    office.run(job, row_limit=1)
    (made,) = [row for row in found(site, "Activity", PartyId="101") if row["UF_1"]]
    party = found(site, "Party", ID="101")[0]
    assert (made["UF_1"], made["UF_2"]) == (party["FirstName"], party["LastName"])


def test_rows_that_come_twice_are_taken_once_and_told(office: Office, site: Sandbox) -> None:
    office.connection += ", page_size: 25"
    number = len(lapsed(site))
    site.set_fault("page-overlap", 1)
    done = office.run(update())
    assert 0 < done.counts.updated == done.counts.read < number
    assert done.counts.skipped == 0
    assert f"{done.counts.read} rows came, the site counts {number}" in "\n".join(done.log)


def test_a_key_that_is_not_unique_is_refused_before_anything_is_written(office: Office, site: Sandbox) -> None:
    site.add_query(grades_query(prompts=()))
    job = regraded({"value": "B"}, source={"query": GRADES, "key": "ID"})
    assert "stands in two different rows, so the key is not unique" in str(office.fails(job))
    assert writes(site) == 0


def test_a_query_that_fails_at_its_third_page_fails_the_run_before_anything_is_written(
    office: Office, site: Sandbox, no_pauses: None
) -> None:
    office.connection += ", page_size: 25"
    site.add_query(Query("$/Idms/Failing", PARTY, columns(PARTY, "ID"), failing := FailsAt(3)))
    job = update(source={"query": "$/Idms/Failing", "key": "ID"})
    assert isinstance(office.fails(job), Unreachable)
    assert writes(site) == 0
    failing.mend()
    done = office.run(job, again=office.directory / "run1")
    assert done.counts.read == 300
    assert done.counts.updated > 200


def test_a_query_of_another_connection_is_read_there_and_written_here(office: Office, site: Sandbox) -> None:
    with serve(elsewhere := Sandbox(members=60, seed=7)) as url:
        office.others["elsewhere"] = url
        there = lapsed(elsewhere)
        done = office.run(update(source={"query": LAPSED, "connection": "elsewhere"}))
        assert done.counts.read == len(there)
        assert lapsed(elsewhere) == there
        assert elsewhere.calls["calls"]["GET query"] == 1
    assert "GET query" not in site.calls["calls"]
    assert {standings(site)[one] for one in there if one in standings(site)} == {"GRACE"}
    both = sum(one["total"] for one in (site.calls, elsewhere.calls))
    assert done.outcome.counts["calls"] == both


def test_a_query_without_rows_is_a_run_with_nothing_to_do(office: Office, site: Sandbox) -> None:
    site.tables["ABC_Scores"].rows.clear()
    site.add_query(grades_query(prompts=()))
    site.describes_queries = False
    done = office.run(regraded({"column": "Anything"}, source={"query": GRADES}))
    assert (done.outcome.status, done.summary) == ("completed", {})


def test_a_column_that_the_query_does_not_have_is_told(office: Office) -> None:
    error = office.fails(update(map={"ID": "ID", "Standing": "Standng"}))
    assert "the query has no column 'Standng'" in str(error)
    assert "did you mean 'Standing'?" in str(error)


def test_a_column_that_is_empty_everywhere_is_known_though_the_site_leaves_it_out(
    office: Office, site: Sandbox
) -> None:
    for row in site.tables["ABC_Scores"].rows.values():
        row["Hours"] = None
    site.add_query(grades_query(prompts=(), sparse=True))
    mapped = {"ID": "ID", "Ordinal": "No", "Hours": "Hours"}
    done = office.run(regraded({}, source={"query": GRADES}, map=mapped))
    assert done.summary == {"read": len(site.rows("ABC_Scores")), "unchanged": len(site.rows("ABC_Scores"))}


def test_text_that_no_cell_may_hold_is_a_reject_and_the_others_are_written(office: Office, site: Sandbox) -> None:
    (first, second, *_) = lapsed(site)
    for one, name in ((first, "Ann\0e"), (second, "Zoë")):
        site.tables["ABC_Membership"].rows[one,]["Standing"] = "LAPSED"
        site.parties.table.rows[one,]["Name"] = name
    done = office.run(update())
    assert done.counts.rejected == 1
    (reject,) = done.rejects
    assert (reject["_stage"], reject["_code"], reject["ID"]) == ("read", "nul", first)
    assert standings(site)[second] == "GRACE"


@pytest.mark.parametrize("moment", [("before-plan-is-kept", 1), ("after-update", 3), ("before-update", 5)], ids=str)
def test_a_run_that_died_goes_on_with_the_rows_that_it_read(
    office: Office, site: Sandbox, moment: tuple[str, int]
) -> None:
    before = lapsed(site)
    directory = die(office, update(), "", moment, module="update")
    queried = site.calls["calls"]["GET query"]
    done = office.run(update(), again=directory)
    assert (done.outcome.status, done.counts.read) == ("completed", len(before))
    assert site.calls["calls"]["GET query"] == queried
    assert lapsed(site) == []
    changes = [write for write in site.writes if write.summary != "nothing changed"]
    assert len(changes) == len(before)


def test_rows_of_which_only_some_were_read_when_the_process_died_are_read_anew(office: Office, site: Sandbox) -> None:
    directory = office.directory / "run1"
    office.parse(update())
    directory.mkdir()
    Path(directory / "rows.jsonl").write_text(json.dumps(["half of it"]) + "\n")
    done = office.run(update(), again=directory)
    assert done.counts.read == done.counts.updated > 20


def test_a_stopped_run_has_read_nothing_and_written_nothing(office: Office, site: Sandbox) -> None:
    assert "stopped" in str(office.fails(update(), stopping=lambda: True))
    assert not (office.directory / "run1/taken.json").exists()
    assert writes(site) == 0


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    ("path", "kind", "told"),
    [
        ("$/Idms/Nothing", InputError, "The site has no query $/Idms/Nothing"),
        ("$/Idms/Not for REST", InputError, "is there, but not open to programs"),
        ("$/Idms/Secret", SiteError, "The account may not run the query $/Idms/Secret"),
    ],
    ids=["not there", "not open", "not permitted"],
)
def test_a_query_that_cannot_be_had_says_why(
    office: Office, site: Sandbox, path: str, kind: type[Exception], told: str
) -> None:
    site.add_query(Query("$/Idms/Secret", PARTY, columns(PARTY, "ID"), readers=frozenset()))
    error = office.fails(update(source={"query": path}))
    assert isinstance(error, kind)
    assert told in str(error)
    assert error.hint
