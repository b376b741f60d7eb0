"""A dry run is the first half of the real run: it says what would be done, and does nothing."""

import pytest

from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, found, graded, grades, scores, writes
from tests.modules.imports.test_rows import MIXED


@pytest.mark.parametrize("read", ["record", "snapshot", "auto"])
def test_a_dry_run_counts_as_the_real_run_that_follows_and_writes_nothing(
    office: Office, site: Sandbox, read: str
) -> None:
    site.add_rows("ABC_Scores", [{"ID": "101", "Course": "Bookbinding", "Grade": "C"}])
    site.add_rows("ABC_Scores", [{"ID": "106", "Course": "Bookbinding", "Grade": "B"}])
    options = scores(options={"read": read})
    dry = office.run(options, MIXED, dry_run=True)
    assert writes(site) == 0
    assert dry.outcome.status == "partial"
    real = office.run(options)
    sent = {"inserted": real.counts.inserted, "updated": real.counts.updated}
    # the site itself refuses one record, which no plan can know
    assert dry.counts.left == sum(sent.values()) + 1
    assert dry.counts.rejected == real.counts.rejected - 1
    assert (dry.counts.read, dry.counts.skipped, dry.counts.unchanged) == (
        real.counts.read,
        real.counts.skipped,
        real.counts.unchanged,
    )


def test_a_dry_run_tells_old_and_new_value_of_each_field(office: Office, site: Sandbox) -> None:
    site.add_rows("ABC_Scores", [{"ID": "102", "Course": "Bookbinding", "Grade": "C"}])
    dry = office.run(graded(), "member,course,grade\n101,Bookbinding,A\n102,Bookbinding,B\n", dry_run=True)
    assert dry.planned == [
        (2, "insert", {"ID": (None, "101"), "Course": (None, "Bookbinding"), "Grade": (None, "A")}),
        (3, "update", {"Grade": ("C", "B")}),
    ]
    assert dry.outcome.status == "completed"


def test_a_dry_run_writes_the_rejects_that_are_known_so_far(office: Office) -> None:
    dry = office.run(scores(), MIXED, dry_run=True)
    assert list(dry.codes) == [3, 4, 5, 6, 8, 9, 13]


def test_a_dry_run_of_the_first_rows_reads_no_more_than_those(office: Office, site: Sandbox) -> None:
    dry = office.run(graded(), grades(20), dry_run=True, row_limit=3)
    assert dry.summary == {"read": 3, "left": 3}
    assert site.calls["calls"]["GET ABC_Scores"] == 3


def test_the_plan_of_a_dry_run_can_be_carried_out_as_it_is(office: Office, site: Sandbox) -> None:
    dry = office.run(graded(), grades(3), dry_run=True)
    site.reset()
    assert office.run(graded(), again=dry.directory).summary == {"read": 3, "inserted": 3}
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 3
    assert site.calls["calls"].get("GET ABC_Scores", 0) == 3  # somebody else may have written them since
