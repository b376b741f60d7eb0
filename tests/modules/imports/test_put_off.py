"""A site that goes away from a run that is tried again later: it goes on at the record in question."""

from pathlib import Path
from typing import Any

import pytest

from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, found, graded, grades
from tests.switch import Switch

pytestmark = pytest.mark.usefixtures("no_pauses")


@pytest.fixture
def switch(site: Sandbox) -> object:
    made = Switch(site)
    yield made
    made.off()


@pytest.fixture
def office(tmp_path: Path, switch: Switch) -> Office:
    return Office(tmp_path, switch.url)


@pytest.mark.parametrize("word", ["inserted", "updated"])
def test_nothing_is_rejected_by_an_outage_and_the_next_attempt_writes_the_rest_once(
    office: Office, site: Sandbox, switch: Switch, word: str
) -> None:
    if word == "updated":
        office.run(graded(), grades(20))
    rows = grades(20, grade="B")
    done = office.run(graded(), rows, progress=switch.off_after(word, 8), tries_again=True)
    assert (done.outcome.status, done.outcome.exit_code) == ("failed", 5)
    assert done.summary == {"read": 20, word: 8, "left": 12}
    switch.on()
    again = office.run(graded(), again=done.directory)
    assert (again.outcome.status, again.summary) == ("completed", {"read": 20, word: 20})
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 20
    assert len(found(site, "ABC_Scores", Course="Bookbinding", Grade="B")) == 20


def test_an_insert_that_may_have_been_stored_and_cannot_be_looked_for_is_asked_about_not_tried_again(
    office: Office, site: Sandbox
) -> None:
    site.faults.set("cut-after-write", 1.0)
    plain: dict[str, Any] = {"action": "insert", "match": []}
    done = office.run(graded(**plain), grades(6), tries_again=True)
    assert (done.outcome.status, done.outcome.exit_code, done.outcome.counts["questions"]) == ("held", 6, 1)
    site.faults.set("cut-after-write", 0.0)
    again = office.run(graded(**plain), again=done.directory)
    assert (again.outcome.status, again.summary) == ("held", {"read": 6, "left": 6})
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 1


def test_an_insert_that_was_stored_is_found_by_the_next_attempt_and_not_sent_again(
    office: Office, site: Sandbox, switch: Switch
) -> None:
    site.faults.set("cut-after-write", 1.0)
    done = office.run(graded(), grades(6), tries_again=True)
    stored = len(found(site, "ABC_Scores", Course="Bookbinding"))
    assert stored > 0
    site.faults.set("cut-after-write", 0.0)
    again = office.run(graded(), again=done.directory)
    assert again.outcome.status == "completed"
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 6


def test_what_a_record_was_rejected_for_by_its_own_fault_stays_rejected(
    office: Office, site: Sandbox, switch: Switch
) -> None:
    rows = grades(12).replace("101,Bookbinding,A", "101,Bookbinding,ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ")
    done = office.run(graded(), rows, progress=switch.off_after("inserted", 5), tries_again=True)
    switch.on()
    again = office.run(graded(), again=done.directory)
    assert (again.outcome.status, again.summary) == ("partial", {"read": 12, "inserted": 11, "rejected": 1})
