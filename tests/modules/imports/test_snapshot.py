"""Records that are read in whole pages beforehand are found as if each had been asked for."""

import pytest

from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, found, graded, grades, job

PAGE_FAULTS = ["page-overlap", "page-repeat", "rows-change", "empty-page", "not-json", "token-dies"]


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("fault", PAGE_FAULTS)
def test_pages_that_come_wrong_never_make_a_record_twice(office: Office, site: Sandbox, fault: str) -> None:
    office.connection = "rate: 100000/s, settle: 0s, page_size: 25"
    snapshot = graded(options={"read": "snapshot"})
    office.run(graded(), grades(90))
    site.set_fault(fault, 0.3)
    office.run_or_error(snapshot, grades(90, grade="B"))
    site.set_fault(fault, 0)
    office.run(graded(), grades(90, grade="B"))
    there = found(site, "ABC_Scores", Course="Bookbinding")
    assert len(there) == 90
    assert {row["Grade"] for row in there} == {"B"}


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_a_record_that_no_page_shows_is_not_made_again(office: Office, site: Sandbox, rate: float) -> None:
    office.connection = "rate: 100000/s, settle: 0s, page_size: 25"
    office.run(graded(), grades(90))
    site.set_fault("rows-change", rate)
    office.run_or_error(graded(options={"read": "snapshot"}), grades(90))
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 90


@pytest.mark.parametrize(("read", "calls"), [("record", 30), ("auto", 30), ("snapshot", 1)])
def test_contacts_are_read_in_whole_pages_only_if_the_job_says_so_and_the_plan_is_the_same(
    office: Office, site: Sandbox, read: str, calls: int
) -> None:
    people = [row for row in site.rows("Party") if row["Email"]][:20]
    there = "".join(f"{row['Email'].upper()},{row['LastName']},North\n" for row in people)
    new = "".join(f"new{number}@example.org,New,North\n" for number in range(10))
    mapped = {"Email": "email", "LastName": "last", "Chapter": "chapter"}
    upsert = job(match=["Email"], map=mapped, options={"read": read})
    site.reset()
    done = office.run(upsert, f"email,last,chapter\n{there}{new}", dry_run=True)
    already = sum(row["Chapter"] == "North" for row in people)
    assert len({row["Email"] for row in people}) == 20
    assert [action for _, action, _ in done.planned].count("insert") == 10
    assert [changes.keys() for _, action, changes in done.planned if action == "update"] == [{"Chapter"}] * (
        20 - already
    )
    assert site.calls["calls"]["GET Party"] == calls
