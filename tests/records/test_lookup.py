"""Records are asked for one by one, or read in whole pages: the same plan, with fewer calls."""

import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from idms_cli.imis.kinds import Kind, Whole, open_kind
from idms_cli.imis.properties import Value
from idms_cli.imis.site import Site, SiteAccess
from idms_cli.records.canonical import fold, texts_of
from idms_cli.records.lookup import Snapshot, Wanted, snapshot_pays
from idms_cli.sandbox import Sandbox
from tests.conftest import Place

NAMES = ("ID", "Course", "Grade", "Hours", "Score")


@pytest.fixture
def client(url: str, tmp_path: Path) -> Iterator[Site]:
    access = SiteAccess("test", url, "idms-background", lambda: "sandbox", tmp_path / "state", rate_per_s=None)
    with Site(access) as opened:
        yield opened


def read(kind: Kind, directory: Path) -> Snapshot:
    assert isinstance(kind, Whole)
    snapshot = Snapshot(directory, ("ID", "Course"), NAMES, kind.properties())
    assert snapshot.read(kind, stopping=lambda: False) == kind.size()
    return snapshot


def wanted(line: int, member: str, course: str, **others: Value) -> Wanted:
    """What is not among `others` stays as it is."""
    values: dict[str, Value] = {"ID": member, "Course": course, **others}
    return Wanted(line, values, ("ID", "Course"), fold([member, course]), texts_of(values, NAMES))


@pytest.fixture
def scores(client: Site) -> Kind:
    return open_kind(client, "panel", "ABC_Scores")


def test_a_snapshot_finds_what_the_site_would_find(scores: Kind, site: Sandbox, tmp_path: Path) -> None:
    site.add_rows("ABC_Scores", [{"ID": "101", "Course": "Twice", "Grade": "A"}] * 2)
    site.add_rows("ABC_Scores", [{"ID": "102", "Course": "Once", "Grade": "B"}])
    snapshot = read(scores, tmp_path)
    for member, course in (("101", "Twice"), ("102", "Once"), ("103", "No")):
        row = wanted(2, member, course)
        asked = sorted((record.key, record.values["Grade"]) for record in scores.find(row.match))
        assert sorted((record.key, record.values["Grade"]) for record in snapshot.find(row)) == asked
    snapshot.close()
    assert list(tmp_path.glob("snapshot*")) == []


def test_rows_are_alike_whose_only_record_says_all_that_they_say(scores: Kind, site: Sandbox, tmp_path: Path) -> None:
    site.add_rows("ABC_Scores", [{"ID": "101", "Course": "Twice", "Grade": "A"}] * 2)
    site.add_rows("ABC_Scores", [{"ID": "102", "Course": "Once", "Grade": "B", "Hours": 1.5, "Score": 7}])
    site.add_rows("ABC_Scores", [{"ID": "103", "Course": "Ünïque 😀", "Grade": ""}])
    rows = [
        wanted(2, "101", "Twice", Grade="A", Hours=None, Score=None),
        wanted(3, "102", "Once", Grade="B", Hours=Decimal("1.50"), Score=7),
        wanted(4, "102", "Once", Grade="B", Hours=Decimal("1.50"), Score=8),
        wanted(5, "102", "Once", Score=7),
        wanted(6, "102", "Once", Grade="A", Score=7),
        wanted(7, "103", "Ünïque 😀", Grade=None, Hours=None, Score=None),
        wanted(8, "104", "Once", Grade="B", Hours=Decimal("1.5"), Score=7),
        wanted(9, "102", "ONCE", Grade="B", Hours=Decimal("1.5"), Score=7),
    ]
    with closing(read(scores, tmp_path)) as snapshot:
        alike = snapshot.alike(rows)
        assert {line: json.loads(key)[0] for line, key in alike.items()} == {3: "102", 5: "102", 7: "103"}
        assert [len(snapshot.find(row)) for row in rows] == [2, 1, 1, 1, 1, 1, 0, 0]
        ((record,),) = [snapshot.find(rows[1])]
    assert record.values == {"ID": "102", "Course": "Once", "Grade": "B", "Hours": Decimal("1.5"), "Score": 7}


def test_a_row_with_a_blank_to_match_by_is_looked_for_by_the_rest(scores: Kind, site: Sandbox, tmp_path: Path) -> None:
    site.add_rows("ABC_Scores", [{"ID": "102", "Course": "Alone"}, {"ID": "103", "Course": "Alone"}])
    row = wanted(2, "", "Alone")
    row = row._replace(names=("Course",))
    with closing(read(scores, tmp_path)) as snapshot:
        assert snapshot.alike([row]) == {}
        assert sorted(record.values["ID"] for record in snapshot.find(row)) == ["102", "103"]


@pytest.mark.parametrize(("rows", "pays"), [(1, False), (2, True), (100, True)])
def test_whole_pages_pay_when_there_are_fewer_of_them_than_rows(
    scores: Kind, site: Sandbox, rows: int, pays: bool
) -> None:
    assert isinstance(scores, Whole)
    assert len(site.rows("ABC_Scores")) <= 500
    assert snapshot_pays(range(rows), scores, 500) is pays


def test_contacts_are_read_in_whole_pages_by_nobody_who_was_not_told_to(client: Site, scores: Kind) -> None:
    contacts = open_kind(client, "contact", None)
    assert isinstance(contacts, Whole)
    assert isinstance(scores, Whole)
    assert (contacts.is_read_whole_unasked, scores.is_read_whole_unasked) == (False, True)


def test_whole_pages_of_contacts_say_what_each_of_them_says(client: Site, site: Sandbox) -> None:
    contacts = open_kind(client, "contact", None)
    assert isinstance(contacts, Whole)
    names = ("ID", "LastName", "Email", "Chapter", "BirthDate")
    whole = dict(contacts.all(names))
    assert len(whole) == contacts.size() == len(site.rows("Party"))
    for key in (("101",), ("125",), ("399",)):  # persons, and an organization
        record = contacts.read(key)
        assert record is not None
        assert whole[key] == {name: record.values.get(name) for name in names}


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
