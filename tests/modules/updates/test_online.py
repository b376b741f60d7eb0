"""`idms check --online` says what keeps a query from its job, and what makes its rows unsafe to page through."""

from typing import Any

import pytest

from idms_cli.config.settings import read_settings
from idms_cli.modules import OnlineCheck
from idms_cli.modules.access import RunSites
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.definitions import PARTY, SCORES
from idms_cli.sandbox.queries import Column, Query, columns
from tests.conftest import Place
from tests.modules.imports.office import Office
from tests.modules.updates.jobs import LAPSED, grades_query, regraded, update
from tests.modules.updates.test_commands import JOB

pytestmark = pytest.mark.usefixtures("no_pauses")


def asked(office: Office, options: Any) -> OnlineCheck:
    work = office.parse(options)
    with RunSites(read_settings(office.directory / "idms.yaml")) as sites:
        return work.check_online(sites.of)


def problems(office: Office, **source: Any) -> list[str]:
    return [one.message for one in asked(office, update(source=source)).problems]


def warnings(office: Office, **source: Any) -> list[str]:
    return [one.message for one in asked(office, update(source=source)).warnings]


NO_KEY = "without `key:`, rows that come twice while the data changes are taken twice"
NO_ORDER = "its rows are in the order of none of its columns, so it seems not to be sorted"
ASKS_NOTHING = "the query asks for nothing, and 1 are given"
ASKS_ONE = "the query asks for 1 value (MemberType), and 0 are given"


def test_a_query_with_key_order_and_answers_is_told_nothing_of(office: Office, site: Sandbox) -> None:
    assert asked(office, update(source={"query": LAPSED, "key": "id", "parameters": ["REG"]})) == OnlineCheck()
    assert site.writes == []


@pytest.mark.parametrize("describes_queries", [True, False], ids=["described", "not described"])
@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("$/Idms/Nothing", "The site has no query $/Idms/Nothing"),
        ("$/Idms/Not for REST", "The query $/Idms/Not for REST is there, but not open to programs"),
        ("$/Idms/Not for all", "The account may not run the query $/Idms/Not for all"),
    ],
    ids=["not there", "not open", "not permitted"],
)
def test_a_query_that_a_run_could_not_read_is_a_problem(
    office: Office, site: Sandbox, path: str, told: str, describes_queries: bool
) -> None:
    site.describes_queries = describes_queries
    (problem,) = problems(office, query=path, key="ID")
    if describes_queries or "may not" in told:
        assert problem.startswith(told)
    else:
        assert "or does not open it to programs" in problem


def test_a_problem_has_its_place_and_what_to_do(office: Office) -> None:
    text = JOB.replace("Lapsed members", "Not for REST").replace("  options: {read: record}\n", "")
    (problem,) = asked(office, text).problems
    assert (problem.line, problem.column) == (5, 12)
    assert "switch on 'Available via the REST API' on its tab Security" in problem.hint


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"query": LAPSED, "parameters": [""]}, [NO_KEY]),
        ({"query": LAPSED, "key": "ID"}, [ASKS_ONE]),
        ({"query": LAPSED, "key": "ID", "parameters": ["", ""]}, [ASKS_ONE.replace("0", "2")]),
        ({"query": LAPSED, "key": "ID", "parameters": {"MemberType": "REG"}}, []),
        (
            {"query": "$/Idms/Members", "key": "ID", "parameters": ["x"]},
            [ASKS_NOTHING],
        ),
    ],
    ids=["no key", "no answer", "too many", "by name", "asks for nothing"],
)
def test_what_a_query_is_given_is_compared_with_what_it_asks_for(
    office: Office, source: dict[str, Any], told: list[str]
) -> None:
    assert warnings(office, **source) == told


def test_a_query_in_no_order_is_warned_of(office: Office, site: Sandbox) -> None:
    site.tables["ABC_Scores"].rows.clear()
    for member, course in (("3", "A"), ("1", "B"), ("2", "A")):
        site.add_rows("ABC_Scores", [{"ID": member, "Course": course}])
    site.add_query(Query("$/Idms/Scores", SCORES, columns(SCORES, "ID Course")))
    assert warnings(office, query="$/Idms/Scores", key="ID") == [NO_ORDER]


@pytest.mark.parametrize(
    "values",
    [["9", "10", "11"], ["10", "11", "9"], ["Zoë", "Yan", "Abe"], ["É", "f", "G"], ["O'Neil", "Onfroy", "Opal"]],
    ids=["as numbers", "as text", "downwards", "accents", "marks"],
)
def test_the_order_of_one_column_is_enough_however_the_site_compares(
    office: Office, site: Sandbox, values: list[str]
) -> None:
    site.tables["ABC_Scores"].rows.clear()
    site.add_rows("ABC_Scores", [{"ID": "1", "Course": value} for value in values])
    site.add_query(Query("$/Idms/Scores", SCORES, columns(SCORES, "ID Course")))
    assert NO_ORDER not in warnings(office, query="$/Idms/Scores")


def test_an_alias_that_is_there_twice_is_warned_of(office: Office, site: Sandbox) -> None:
    shown = (*columns(PARTY, "ID"), Column("FullName", "Name"), Column("FullName", "FirstName"))
    site.add_query(Query("$/Idms/Twice", PARTY, shown))
    (told,) = warnings(office, query="$/Idms/Twice", key="ID")
    assert told == "several columns have the alias 'FullName'; in the rows they have numbers, as in FullName5"


def test_columns_that_the_query_does_not_have_are_problems(office: Office, site: Sandbox) -> None:
    site.add_query(grades_query())
    source = {"query": "$/Idms/Grades", "key": "Nmuber", "parameters": [""]}
    said = asked(office, regraded({"column": "Gradee"}, source=source))
    assert [one.message for one in said.problems] == [
        "the query has no column 'Nmuber'",
        "the query has no column 'Gradee'",
    ]


def test_where_nobody_knows_the_columns_none_is_missed(office: Office, site: Sandbox) -> None:
    site.describes_queries = False
    site.add_query(grades_query(sparse=True))
    source = {"query": "$/Idms/Grades", "parameters": [""]}
    assert asked(office, regraded({"column": "Empty until today"}, source=source)).problems == ()


def test_a_prompt_that_is_not_there_is_a_problem_of_its_line(office: Office) -> None:
    said = asked(office, update(source={"query": LAPSED, "parameters": {"MemberTyp": "REG"}}))
    assert [one.message for one in said.problems] == [f"The query {LAPSED} has no prompt 'MemberTyp'"]


def test_warnings_are_told_and_the_check_does_not_fail(place: Place) -> None:
    place.write("jobs.d/clean-up.yaml", JOB.replace(", key: ID", ", parameters: ['']"))
    told = place.idms("check", "--online")
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"warning: {place.directory}/jobs.d/clean-up.yaml:5:12: {NO_KEY}" in told.stdout
    assert "hint: Name a column that is different in every row: key: ID." in told.stdout
    assert "1 job, all well, and the sites have what they name. 1 warning.\n" in told.stdout
    (job,) = place.json("check", "--online")["jobs"]
    assert [one["message"] for one in job["online"]["warnings"]] == [NO_KEY]
    assert job["problems"] == []
