"""Job files that are refused, each really checked, or run where only the site or the file can tell."""

from collections.abc import Callable
from pathlib import Path

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import read_settings
from idms_cli.dispatch.definition import read_job_file
from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.server import serve
from tests.modules.imports.office import Office

Case = Callable[[Office], str]

GOOD = """\
module: import
with:
  source: {path: data.csv}
  destination: {panel: ABC_Scores}
  action: upsert
  match: [ID, Course]
  map:
    ID: member
    Course: course
    Grade: grade
"""
LAPSED = """\
module: update
with:
  source: {query: $/Idms/Lapsed members, key: ID}
  destination: {panel: ABC_Membership}
  action: update
  match: [ID]
  map:
    ID: ID
    Standing: {value: GRACE}
    Newsletter: {value: false}
"""


def _problem(found: ProblemsFound) -> str:
    (problem,) = found.problems
    return problem.message


def _checked(before: str | bytes, after: str = "", *, good: str = GOOD) -> Case:
    """What `check` says of a good job with `before` replaced, or of a file of these bytes."""
    content = before if isinstance(before, bytes) else good.replace(before, after).encode()

    def told(office: Office) -> str:
        office.parse(GOOD)  # writes the settings
        path = office.directory / "jobs.d" / "job.yaml"
        path.parent.mkdir()
        path.write_bytes(content)
        with pytest.raises(ProblemsFound) as caught:
            read_job_file("job", (str(path),), read_settings(office.directory / "idms.yaml"))
        return _problem(caught.value)

    return told


def _writable(office: Office) -> str:
    office.parse(GOOD)
    path = Path(office.write(GOOD, "job.yaml"))
    path.chmod(0o666)
    with pytest.raises(ProblemsFound) as caught:
        read_job_file("job", (str(path),), read_settings(office.directory / "idms.yaml"))
    return _problem(caught.value)


def _run(before: str, after: str) -> Case:
    """What a run says before it writes anything."""

    def told(office: Office) -> str:
        office.write("code,meaning\nA,Excellent\n", "grades.csv")
        error = office.fails(GOOD.replace(before, after), "member,course,grade\n101,Bookbinding,A\n")
        return _problem(error) if isinstance(error, ProblemsFound) else str(error)

    return told


def _of_query(before: str, after: str, *, describes_queries: bool = True) -> Case:
    """What the run of an update says before it writes anything."""

    def told(office: Office) -> str:
        with serve(Sandbox(members=60, describes_queries=describes_queries)) as url:
            error = Office(office.directory, url).fails(LAPSED.replace(before, after))
        return _problem(error) if isinstance(error, ProblemsFound) else str(error)

    return told


_PANEL = "{panel: ABC_Scores}"
_BOMB = b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"

JOBS: dict[str, Case] = {
    "an unknown key": _checked("  action:", "  actoin: x\n  action:"),
    "a key twice": _checked("  action:", "  match: [ID]\n  action:"),
    "a value of another type": _checked("[ID, Course]", "ID"),
    "a tab": _checked("    ID: member", "\tID: member"),
    "a `:` or a bracket that the value should have in quotes": _checked("Grade: grade", "Grade: a: b"),
    "YAML nested too deep": _checked(b"a: " + b"[" * 100_000),
    "a YAML bomb": _checked(_BOMB),
    "a file that is not UTF-8": _checked("module: import\n".encode("utf-16")),
    "a file that others may write": _writable,
    "an unknown kind of record": _checked(_PANEL, "contcat"),
    "an action that the kind does not have": _checked(_PANEL + "\n  action: upsert", "contact\n  action: delete"),
    "a match that is not mapped": _checked("[ID, Course]", "[ID, Course, Score]"),
    "a match that is too wide (an activity)": _checked(
        _PANEL + "\n  action: upsert\n  match: [ID, Course]\n  map:",
        "activity\n  action: delete\n  match: [PartyId]\n  map:\n    PartyId: member",
    ),
    "a match that is too wide (a panel)": _run("[ID, Course]", "[ID]"),
    "a match that the site cannot search by": _run(
        _PANEL
        + "\n  action: upsert\n  match: [ID, Course]\n  map:\n    ID: member\n    Course: course\n    Grade: grade",
        "contact\n  action: update\n  match: [Title]\n  map: {Title: grade}\n",
    ),
    "no match": _checked("[ID, Course]", "[]"),
    "a contact that nothing finds": _checked(
        "upsert\n  match: [ID, Course]\n  map:\n    ID: member", "insert-matching\n  map:"
    ),
    "a contact's ID beside `find`": _checked("action: upsert", "action: insert-matching\n  find: {Email: member}"),
    "a property that the site does not have": _run("Grade: grade", "Grad: grade"),
    "a business object that the site does not have": _run("ABC_Scores", "ABC_Score"),
    "a property that cannot be written": _run("Grade: grade", "Ordinal: grade"),
    "a column that the file does not have": _run("Grade: grade", "Grade: grad"),
    "a template with an unknown column": _run("Grade: grade", 'Grade: {template: "{{ grad }}"}'),
    "a template that does more than it may": _checked(
        "Grade: grade", 'Grade: {template: "{% for x in grade %}x{% endfor %}"}'
    ),
    "a modifier that does not fit the property": _run("Grade: grade", 'Grade: {column: grade, number: "1.234,56"}'),
    "a way of writing dates that tells no day": _checked("Grade: grade", 'TakenOn: {column: grade, date: "%d.%m."}'),
    "a way of writing numbers that is none": _checked("Grade: grade", 'Hours: {column: grade, number: "1.000,00"}'),
    "a lookup whose value the property does not take": _run("Grade: grade", "Grade: {column: grade, lookup: {A: X}}"),
    "a lookup file without the column": _run(
        "Grade: grade", "Grade: {column: grade, lookup: {file: grades.csv, key: code, value: meening}}"
    ),
    "keys that do not fit the format": _checked("{path: data.csv}", "{path: data.csv, sheet: 1}"),
    "a path that is none of a query": _checked("$/Idms/Lapsed", "Lapsed", good=LAPSED),
    "a query that is not there": _of_query("Lapsed members", "Lapsed"),
    "a query that is not open to programs": _of_query("Lapsed members", "Not for REST"),
    "the same, where the site shows no definition": _of_query(
        "Lapsed members", "Not for REST", describes_queries=False
    ),
    "a query that the account may not run": _of_query("Lapsed members", "Not for all"),
    "a prompt that the query does not have": _of_query("key: ID", "parameters: {MemberTyp: REG}"),
    "prompts by name, where the site shows no definition": _of_query(
        "key: ID", "parameters: {MemberType: REG}", describes_queries=False
    ),
    "a column that the query does not have": _of_query("{value: GRACE}", "Stnding"),
    "a key that the query does not have": _of_query("key: ID", "key: Id number"),
    "a key that is not unique": _of_query("Lapsed members", "Scores"),
    "`current:` in some lines only": _checked("{value: GRACE}", "{value: GRACE, current: Standing}", good=LAPSED),
    "`current:` in an import": _checked("Grade: grade", "Grade: {column: grade, current: old}"),
}
"""By the first column of README's table."""
