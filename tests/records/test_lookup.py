"""Records are asked for one by one, or read in whole pages: the same plan, with fewer calls."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idms_cli.imis.kinds import Kind, Whole, open_kind
from idms_cli.imis.site import Site, SiteAccess
from idms_cli.records.lookup import Snapshot, snapshot_pays
from idms_cli.sandbox import Sandbox
from tests.conftest import Place


@pytest.fixture
def client(url: str, tmp_path: Path) -> Iterator[Site]:
    access = SiteAccess("test", url, "idms-background", lambda: "sandbox", tmp_path / "state", rate_per_s=None)
    with Site(access) as opened:
        yield opened


@pytest.fixture
def scores(client: Site) -> Kind:
    return open_kind(client, "panel", "ABC_Scores")


def test_a_snapshot_finds_what_the_site_would_find(scores: Kind, site: Sandbox, tmp_path: Path) -> None:
    site.add_rows("ABC_Scores", [{"ID": "101", "Course": "Twice", "Grade": "A"}] * 2)
    site.add_rows("ABC_Scores", [{"ID": "102", "Course": "Once", "Grade": "B"}])
    assert isinstance(scores, Whole)
    snapshot = Snapshot(tmp_path, ("ID", "Course"), ("Grade",))
    assert snapshot.read(scores, stopping=lambda: False) == len(site.rows("ABC_Scores"))
    for match in ({"ID": "101", "Course": "Twice"}, {"ID": "102", "Course": "Once"}, {"ID": "103", "Course": "No"}):
        asked = sorted((record.key, record.values["Grade"]) for record in scores.find(match))
        assert sorted((record.key, record.values["Grade"]) for record in snapshot.find(match)) == asked
    snapshot.close()
    assert list(tmp_path.glob("snapshot*")) == []


@pytest.mark.parametrize(("rows", "pays"), [(1, False), (2, True), (100, True)])
def test_whole_pages_pay_when_there_are_fewer_of_them_than_rows(
    scores: Kind, site: Sandbox, rows: int, pays: bool
) -> None:
    assert isinstance(scores, Whole)
    assert len(site.rows("ABC_Scores")) <= 500
    assert snapshot_pays(range(rows), scores, 500) is pays


def test_contacts_are_never_read_in_whole_pages(client: Site) -> None:
    assert not isinstance(open_kind(client, "contact", None), Whole)


@pytest.mark.parametrize("read", ["record", "snapshot"])
def test_both_ways_write_the_same(place: Place, site: Sandbox, read: str) -> None:
    site.add_rows("ABC_Scores", [{"ID": str(101 + n), "Course": "Bookbinding", "Grade": "A"} for n in range(50)])
    path = place.job("scores")
    path.write_text(path.read_text() + f"  options: {{read: {read}}}\n")
    rows = [f"{101 + n},Bookbinding,{'B' if n % 10 == 0 else 'A'}" for n in range(60)]
    place.write("scores.csv", "\n".join(["member,course,grade", *rows, ""]))
    site.reset()
    assert place.idms("run", "scores").returncode == 0
    (run,) = place.runs()
    assert (run.counts["inserted"], run.counts["updated"], run.counts["unchanged"]) == (10, 5, 45)
    assert run.counts["get"] == (1 + 60 + 5 if read == "record" else 1 + 1 + 5)
    grades = {row["ID"]: row["Grade"] for row in site.rows("ABC_Scores") if row["Course"] == "Bookbinding"}
    assert grades == {str(101 + n): "B" if n % 10 == 0 else "A" for n in range(60)}
