"""Rows of queries, read from a sandbox into a run's directory."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from idms_cli.config.checked import check
from idms_cli.config.documents import parse_document
from idms_cli.config.problems import ProblemsFound
from idms_cli.errors import InputError, Interrupted, Unreachable
from idms_cli.imis.site import Site, SiteAccess
from idms_cli.rows.query import QueryOptions, Reading, answers, read_query
from idms_cli.rows.spool import is_spooled
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.definitions import MEMBERSHIP, PARTY, SCORES
from idms_cli.sandbox.queries import Column, Query, columns


@pytest.fixture
def connect(tmp_path: Path, url: str) -> Iterator[Callable[[], Site]]:
    """Opens the sandbox as a site, as often as wanted."""
    access = SiteAccess(
        name="live",
        url=url,
        username="idms-background",
        password=lambda: "sandbox",
        state=tmp_path / "state",
        rate_per_s=None,
        page_size=25,
    )
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Site(access))


@pytest.fixture
def asked(connect: Callable[[], Site]) -> Site:
    return connect()


def options(text: str) -> QueryOptions:
    return check(QueryOptions, parse_document(text.encode(), "job.yaml"))


def test_all_pages_are_in_the_spool_and_what_is_there_is_not_read_again(
    tmp_path: Path, asked: Site, site: Sandbox
) -> None:
    told: list[int] = []
    found = read_query(asked, options("query: $/Idms/Members\nkey: id"), tmp_path / "rows", Reading(tell=told.append))
    assert found.columns[:4] == ("ID", "FirstName", "LastName", "Email")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found]
    assert [row["ID"] for row in rows] == [row["ID"] for row in site.rows("Party") if not row["IsOrganization"]]
    assert (found.count, found.is_whole, told) == (288, True, [288])
    calls = site.calls["total"]
    assert list(read_query(asked, options("query: $/Idms/Members"), tmp_path / "rows")) == list(found)
    assert site.calls["total"] == calls


def test_both_addresses_give_the_same_rows_with_the_types_that_they_have(
    tmp_path: Path, connect: Callable[[], Site], site: Sandbox
) -> None:
    new = read_query(connect(), options("query: $/Idms/Scores"), tmp_path / "new")
    site.query_service = False
    old = read_query(connect(), options("query: $/Idms/Scores"), tmp_path / "old")
    assert (new.columns, list(new)) == (old.columns, list(old))
    (row, *_) = [dict(zip(new.columns, row, strict=True)) for row in new]
    assert [type(row[name]).__name__ for name in ("ID", "Score", "Hours", "TakenOn")] == [
        "str",
        "int",
        "Decimal",
        "str",
    ]


def test_parameters_go_out_by_position_empty_ones_too(asked: Site) -> None:
    text = "query: $/Idms/Lapsed members\nparameters: [REG, '', null, 5, 1.5, true]"
    assert answers(asked, options(text)) == ["REG", "", "", "5", "1.5", "true"]


@pytest.mark.parametrize("name", ["MemberType", "membertype", "CustomerTypeCode"])
def test_parameters_are_named_by_what_is_asked_or_by_the_property(
    tmp_path: Path, asked: Site, site: Sandbox, name: str
) -> None:
    text = f"query: $/Idms/Lapsed members\nparameters: {{{name}: STU}}"
    found = read_query(asked, options(text), tmp_path / "rows")
    assert {row[2] for row in found} == {"STU"}


def test_prompts_that_are_not_named_are_answered_with_nothing(asked: Site, site: Sandbox) -> None:
    prompts = (
        Column("Type", "CustomerTypeCode", PARTY),
        Column("Status", "Status", PARTY),
        Column("Chapter", "Chapter"),
    )
    site.add_query(Query("$/Idms/Asks", PARTY, columns(PARTY, "ID"), prompts=prompts))
    assert answers(asked, options("query: $/Idms/Asks\nparameters: {chapter: North}")) == ["", "", "North"]


@pytest.mark.parametrize(
    ("named", "told", "hint"),
    [
        ("{MemberTyp: REG}", "has no prompt 'MemberTyp'", "did you mean 'MemberType'?"),
        ("{Chapter: North}", "has no prompt 'Chapter'", "It asks for MemberType."),
    ],
    ids=["near", "unlike"],
)
def test_a_prompt_that_the_query_does_not_have_is_refused(asked: Site, named: str, told: str, hint: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        answers(asked, options(f"query: $/Idms/Lapsed members\nparameters: {named}"))
    assert caught.value.hint == hint


def test_two_prompts_of_one_property_cannot_be_named_by_it(asked: Site, site: Sandbox) -> None:
    prompts = (Column("From", "JoinDate", PARTY), Column("To", "JoinDate", PARTY))
    site.add_query(Query("$/Idms/Asks", PARTY, columns(PARTY, "ID"), prompts=prompts))
    assert answers(asked, options("query: $/Idms/Asks\nparameters: {to: 2026-01-31}")) == ["", "2026-01-31"]
    with pytest.raises(InputError, match="several prompts named 'JoinDate'") as caught:
        answers(asked, options("query: $/Idms/Asks\nparameters: {JoinDate: x}"))
    assert caught.value.hint == "Write a list, in their order: From, To."


def test_where_the_site_tells_no_prompts_they_cannot_be_named(asked: Site, site: Sandbox) -> None:
    site.describes_queries = False
    with pytest.raises(InputError, match=r"does not tell the prompts of the query .*: 403 Forbidden") as caught:
        answers(asked, options("query: $/Idms/Lapsed members\nparameters: {MemberType: REG}"))
    assert "as a list" in caught.value.hint


def test_columns_that_are_empty_in_all_rows_are_there_when_somebody_wants_them(
    tmp_path: Path, asked: Site, site: Sandbox
) -> None:
    lapsed = Column("LapsedOn", "LapsedOn", MEMBERSHIP)
    site.add_query(Query("$/Idms/Sparse", PARTY, (*columns(PARTY, "ID"), lapsed, Column("Name", "Name")), sparse=True))
    for row in site.table("ABC_Membership").rows.values():
        row["LapsedOn"] = None
    short = read_query(asked, options("query: $/Idms/Sparse"), tmp_path / "short")
    assert short.columns == ("ID", "Name")
    whole = read_query(asked, options("query: $/Idms/Sparse"), tmp_path / "whole", Reading(wanted=["lapsedon"]))
    assert whole.columns == ("ID", "LapsedOn", "Name")
    assert {row[1] for row in whole} == {None}


def test_rows_that_leave_out_what_is_empty_have_their_columns_in_the_order_of_the_query(
    tmp_path: Path, asked: Site, site: Sandbox
) -> None:
    shown = (Column("Hours", "Hours"), Column("Ordinal", "Ordinal"), Column("ID", "ID"))
    site.add_query(Query("$/Idms/Sparse", SCORES, shown, sparse=True))
    site.tables["ABC_Scores"].rows.clear()
    site.add_rows("ABC_Scores", [{"ID": "101"}, {"ID": "102", "Hours": 1.5}])
    found = read_query(asked, options("query: $/Idms/Sparse"), tmp_path / "rows")
    assert found.columns == ("Hours", "Ordinal", "ID")
    assert [row[0] is None for row in found] == [True, False]


def test_a_query_without_rows_has_the_columns_of_its_definition_if_the_site_tells_them(
    tmp_path: Path, connect: Callable[[], Site], site: Sandbox
) -> None:
    site.tables["ABC_Scores"].rows.clear()
    found = read_query(connect(), options("query: $/Idms/Scores"), tmp_path / "rows")
    assert found.columns[:3] == ("ID", "Ordinal", "Course")
    assert found.count == 0
    site.describes_queries = False
    assert read_query(connect(), options("query: $/Idms/Scores"), tmp_path / "none").columns == ()


def test_two_columns_of_one_alias_are_both_kept(tmp_path: Path, asked: Site, site: Sandbox) -> None:
    twice = (*columns(PARTY, "ID"), Column("Name", "FirstName"), Column("Name", "LastName"))
    site.add_query(Query("$/Idms/Twice", PARTY, twice))
    found = read_query(asked, options("query: $/Idms/Twice"), tmp_path / "rows")
    assert found.columns == ("ID", "Name", "Name3")
    definition = asked.query_definition("$/Idms/Twice").definition
    assert definition is not None
    assert definition.twice == ["Name"]


def test_with_a_limit_only_so_many_rows_are_read(tmp_path: Path, asked: Site, site: Sandbox) -> None:
    found = read_query(asked, options("query: $/Idms/Members"), tmp_path / "rows", Reading(limit=30))
    assert (found.count, found.is_whole) == (30, False)
    assert site.calls["calls"]["GET query"] == 2


def test_rows_that_never_came_are_told(tmp_path: Path, asked: Site, site: Sandbox) -> None:
    site.set_fault("page-overlap", 1)
    found = read_query(asked, options("query: $/Idms/Members\nkey: ID"), tmp_path / "rows")
    assert found.count < 288
    assert not found.is_whole


def test_whoever_stops_leaves_no_half_of_the_rows(tmp_path: Path, asked: Site) -> None:
    with pytest.raises(Interrupted):
        read_query(asked, options("query: $/Idms/Members"), tmp_path / "rows", Reading(stopping=lambda: True))
    assert not is_spooled(tmp_path / "rows")


def test_a_query_that_fails_at_its_third_page_leaves_nothing(
    tmp_path: Path, asked: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from idms_cli.imis import site as sites

    get: Any = sites.Site.get

    def fail_later(this: Site, path: str, parameters: Any = (), **how: Any) -> Any:
        if dict(parameters).get("offset") == "50":
            raise Unreachable("gone")
        return get(this, path, parameters, **how)

    monkeypatch.setattr(sites.Site, "get", fail_later)
    with pytest.raises(Unreachable):
        read_query(asked, options("query: $/Idms/Members"), tmp_path / "rows")
    assert not is_spooled(tmp_path / "rows")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("query: Members", "'Members' is no path of a query"),
        ("query: $/Idms//Members", "is no path of a query"),
        ("query: $/", "is no path of a query"),
        ("query: $/X\nparameters: {a: [b]}", "wanted here"),
        ("query: $/X\nkey: ''", "the text must not be empty"),
        ("query: $/X\nkeys: ID", "the key 'keys' is not known here"),
    ],
    ids=["no $", "empty folder", "nothing", "a list in it", "empty key", "unknown key"],
)
def test_what_is_no_query_is_refused(text: str, told: str) -> None:
    with pytest.raises(ProblemsFound) as caught:
        options(text)
    assert told in str(caught.value)
