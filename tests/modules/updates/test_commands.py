"""Updates through the command, in real processes: planned, applied, killed, held, mended, taken back, shown."""

import os
import signal
from pathlib import Path

import pytest

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.definitions import MEMBERSHIP
from idms_cli.sandbox.queries import Column, Query
from tests.conftest import Place, until
from tests.modules.updates.jobs import lapsed, standings

JOB = """\
description: Members who lapsed get a second chance
module: update
schedule: {weekly: "mon 03:00"}
with:
  source: {query: $/Idms/Lapsed members, key: ID}
  destination: {panel: ABC_Membership}
  action: update
  match: [ID]
  map: {ID: ID, Standing: {value: GRACE}}
  options: {read: record}
"""


@pytest.fixture
def clean_up(place: Place) -> Path:
    return place.write("jobs.d/clean-up.yaml", JOB)


def changes(site: Sandbox) -> int:
    return sum(write.summary != "nothing changed" for write in site.writes)


def test_a_plan_is_applied_as_long_as_the_query_has_the_same_rows(place: Place, site: Sandbox, clean_up: Path) -> None:
    number = len(lapsed(site))
    plan = str(place.directory / "night.plan")
    told = place.idms("plan", "clean-up", "--out", plan)
    assert f"{number} to update" in told.stdout, told.stderr
    rows = site.tables["ABC_Membership"].rows  # in another order they are the same rows
    site.tables["ABC_Membership"].rows = dict(reversed(rows.items()))
    applied = place.idms("apply", plan)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert lapsed(site) == []
    assert not list((place.state / "runs/1").glob("tmp*"))


def test_a_plan_is_refused_when_the_rows_of_the_query_have_changed(place: Place, site: Sandbox, clean_up: Path) -> None:
    plan = str(place.directory / "night.plan")
    place.idms("plan", "clean-up", "--out", plan)
    gone = lapsed(site)[0]
    site.tables["ABC_Membership"].rows[gone,]["Standing"] = "GOOD"
    site.tables["ABC_Membership"]._indexes.clear()
    told = place.idms("apply", plan)
    assert told.returncode == 2
    assert "the rows of the query $/Idms/Lapsed members have changed since the plan was made" in told.stderr
    assert site.writes == []


def test_a_plan_of_some_rows_is_compared_by_these(place: Place, site: Sandbox, clean_up: Path) -> None:
    plan = str(place.directory / "night.plan")
    place.idms("plan", "clean-up", "--limit", "3", "--out", plan)
    before = lapsed(site)
    assert place.idms("apply", plan).returncode == 0
    assert lapsed(site) == before[3:]


def test_a_run_killed_in_the_middle_goes_on_with_the_rows_that_it_read(
    place: Place, site: Sandbox, clean_up: Path
) -> None:
    before = lapsed(site)
    site.latency_s = 0.02
    started = place.start("run", "clean-up")
    until(lambda: len(lapsed(site)) < len(before) - 3)
    for pid in place.processes():
        os.kill(pid, signal.SIGKILL)
    started.communicate()
    place.settled()
    site.latency_s = 0
    assert 0 < len(lapsed(site)) < len(before)
    place.idms("run-due", "--wait")
    (run,) = place.runs()
    assert (run.status, run.counts["read"], run.counts["updated"]) == ("completed", len(before), len(before))
    assert changes(site) == len(before)
    assert site.calls["calls"]["GET query"] == 1


def test_rejects_have_the_columns_of_the_query_and_are_fed_back_when_they_are_mended(
    place: Place, site: Sandbox
) -> None:
    shown = (Column("ID", "ID"), Column("Paid", "PaidThru"), Column("Standing", "Standing"))
    site.add_query(Query("$/Idms/Paid", MEMBERSHIP, shown))
    one, two = [str(row["ID"]) for row in site.rows("ABC_Membership")][:2]
    rows = site.tables["ABC_Membership"].rows
    rows[one,]["Standing"], rows[two,]["Standing"] = "=BAD", "GOOD"
    text = JOB.replace("Lapsed members, key: ID", "Paid").replace("{value: GRACE}", "Standing, LapsedOn: Paid")
    place.write("jobs.d/clean-up.yaml", text)
    assert place.idms("run", "clean-up").returncode == 1
    (run,) = place.runs()
    assert (run.status, run.counts["rejected"]) == ("partial", 1)
    path = place.state / "runs/1/rejects.csv"
    header, reject = path.read_text(encoding="utf-8-sig").splitlines()
    assert header == "ID,Paid,Standing,_line,_stage,_field,_code,_message,_raw"
    assert reject.startswith(f"{one},{rows[one,]['PaidThru']},'=BAD,1,map,Standing,not-a-choice,")
    mended = place.write("mended.csv", f"{header}\n{reject.replace(chr(39) + '=BAD', 'HONORARY')}\n")
    told = place.idms("retry", "1", "--rejected", "--file", str(mended))
    assert told.returncode == 0, told.stdout + told.stderr
    assert (rows[one,]["Standing"], rows[one,]["LapsedOn"]) == ("HONORARY", rows[one,]["PaidThru"])


def test_a_guard_holds_it_and_what_was_approved_is_written(place: Place, site: Sandbox, clean_up: Path) -> None:
    clean_up.write_text(f"{JOB}guard: {{max_changes: 5}}\n")
    number = len(lapsed(site))
    assert place.idms("run", "clean-up").returncode == 6
    assert site.writes == []
    told = place.idms("approve", "1")
    assert told.returncode == 0, told.stdout + told.stderr
    place.idms("run-due", "--wait")
    assert place.runs()[0].counts["updated"] == number


def test_it_is_taken_back(place: Place, site: Sandbox, clean_up: Path) -> None:
    before = standings(site)
    place.idms("run", "clean-up")
    assert standings(site) != before
    told = place.idms("undo", "1", "--apply")
    assert told.returncode == 0, told.stdout + told.stderr
    assert standings(site) == before


def test_a_test_reads_no_more_rows_than_it_tries(place: Place, site: Sandbox, clean_up: Path) -> None:
    place.settings(site_url(place), connection="rate: 5000/s, settle: 0s, page_size: 25")
    told = place.idms("test", "clean-up", "--rows", "5")
    assert told.returncode == 0, told.stdout + told.stderr
    assert site.calls["calls"]["GET query"] == 1
    assert site.writes == []


def site_url(place: Place) -> str:
    """The url in idms.yaml."""
    return (place.directory / "idms.yaml").read_text().partition('url: "')[2].partition('"')[0]


def test_reports_say_what_was_read(place: Place, site: Sandbox, clean_up: Path) -> None:
    number = len(lapsed(site))
    checked = place.idms("check", "clean-up").stdout
    assert "update panel ABC_Membership on test from the query $/Idms/Lapsed members, found by ID" in checked
    place.idms("run", "clean-up")
    shown = place.idms("show", "1").stdout
    assert f"$/Idms/Lapsed members on test ({number} rows)" in shown
    (source,) = place.json("show", "1")["run"]["source"]
    assert (source["name"], source["rows"]) == ("Lapsed members", number)
    locks = [(lock["resource"], lock["write"]) for lock in place.runs()[0].locks]
    assert locks == [("imis:test/$/idms/lapsed members", False), ("imis:test/abc_membership", True)]
    assert place.idms("why", "clean-up").returncode == 0
