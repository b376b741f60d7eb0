"""Everything that is wrong with a workflow is told before it runs, each at its place."""

import pytest

from idms_cli.config.documents import Document
from idms_cli.config.settings import Settings
from idms_cli.modules.workflows import others
from tests.modules.workflows.mill import Mill, steps

QUERY = "name: found\nquery: $/Idms/Members"

WRONG = {
    "no kind": (["name: odd\nqeury: $/Idms/Members"], "nothing here says what the step does", "did you mean 'query'?"),
    "two kinds": (["query: $/Idms/Members\ngate: true"], "a step does one thing, and this is query and gate", ""),
    "an unknown key": ([f"{QUERY}\nkeys: ID"], "the key 'keys' is not known here", ""),
    "a name twice": ([QUERY, "name: found\ngate: true"], "another step is called 'found' already", ""),
    "a name that is no word": (["name: my-step\ngate: true"], "a step's name is one word", ""),
    "a name that means something": (["name: input\ngate: true"], "'input' means something else in templates", ""),
    "a step that comes later": (['gate: "{{ found|length == 0 }}"', QUERY], "step found comes later", ""),
    "a later step's status": (['gate: "{{ steps.found.rows == 0 }}"', QUERY], "step found comes later", ""),
    "a step that there is not": ([QUERY, 'gate: "{{ fuond|length == 0 }}"'], "there is no 'fuond' here", "'found'"),
    "a status of no step": ([QUERY, 'gate: "{{ steps.x.rows == 0 }}"'], "there is no step 'x'", "There are: found."),
    "no such parameter": (['gate: "{{ input.since == 1 }}"'], "there is no parameter 'since'", "There is: none."),
    "a condition with text around": (['gate: "is {{ 1 }}"'], "a condition is one whole {{ expression }}", ""),
    "a template that cannot be read": (['gate: "{{ 1 + }}"'], "this cannot be read", ""),
    "a filter that there is not": (["gate: \"{{ 'a'|uper == 'A' }}\""], "there is no filter 'uper' here", "'upper'"),
    "a jump backwards": ([QUERY, "gate: true\nthen: {goto: found}"], "step found is not after this one", "forward"),
    "a jump to nowhere": (["gate: true\nthen: {goto: end}", QUERY], "there is no step 'end' after this one", "found"),
    "on_error backwards": ([QUERY, "gate: true\non_error: {goto: found}"], "step found is not after this one", ""),
    "rows of nothing": (["filter: \"{{ row.ID == '1' }}\""], "there are no rows for this step", ""),
    "rows of a step without": (["name: g\ngate: true", 'filter: "{{ row.A }}"\nfrom: g'], "step g makes no rows", ""),
    "rows of a later step": (['filter: "{{ row.A }}"\nfrom: found', QUERY], "step found comes later", ""),
    "an unknown connection": ([f"{QUERY}\nconnection: life"], "there is no connection 'life'", ""),
    "an unknown job": (["run: scores"], "there is no job 'scores'", ""),
    "a workflow in a step": (["run: {module: workflow, with: {steps: []}}"], "a workflow cannot stand in a step", ""),
    "a time limit of nothing": (["gate: true\ntimeout: 0s"], "", ""),
    "a destination that there is not": (
        [QUERY, "deliver: {to: 'sfpt://x/y'}"],
        "there is no destination of the kind",
        "",
    ),
    "a file to a server": (
        [QUERY, "file: {to: 'https://a.example/x', format: json}"],
        "a file step writes to a folder",
        "",
    ),
    "a name inside deliver": ([QUERY, "deliver: {to: out, file: a.csv, name: x}"], "`name:` is said of the step", ""),
    "attributes": (["gate: \"{{ ''.__class__ == 1 }}\""], "the part '__class__'", ""),
    "the interpreter": (['gate: "{{ input.__init__.__globals__ }}"'], "the part '__globals__'", ""),
    "a call": (['gate: "{{ open(1) }}"'], "a call other than range(...)", ""),
    "a file": (["gate: \"{% include '/etc/passwd' %}\""], "including another template", ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_told_at_its_place(mill: Mill, case: str) -> None:
    given, message, hint = WRONG[case]
    problems = mill.problems(steps(*given))
    assert [one for one in problems if message in one[2] and hint in one[3]], problems
    assert all(line > 1 for line, *_ in problems)


def test_all_mistakes_are_told_at_once_and_each_once(mill: Mill) -> None:
    found = mill.problems(
        steps("name: a\nquery: Members", 'gate: "{{ a|length == b }}"', "run: {module: imprt, with: {}}")
    )
    assert [message for _, _, message, _ in found] == [
        "'Members' is no path of a query",
        "there is no 'b' here",
        "there is no such module",
    ]


def test_workflows_that_run_one_another_in_a_circle_are_told_with_the_way(mill: Mill) -> None:
    for name, other in (("flow", "second"), ("second", "third"), ("third", "flow")):
        mill.job(name, f"module: workflow\nwith:\n  steps:\n    - run: {other}\n")
    (problem,) = mill.problems(steps("run: second"))
    assert "flow -> second -> third -> flow" in problem[2]


def test_a_workflow_that_runs_itself_is_a_circle(mill: Mill) -> None:
    (problem,) = mill.problems(steps("run: flow"))
    assert problem[2] == "the workflows run one another in a circle: flow -> flow"


@pytest.mark.parametrize(
    ("last", "problems"),
    [("gate: true", 0), ("run: w3", 3), ("run: none", 3)],
    ids=["all well", "a circle", "a job that there is not"],
)
def test_jobs_that_many_steps_run_are_read_once(
    mill: Mill, monkeypatch: pytest.MonkeyPatch, last: str, problems: int
) -> None:
    for number in range(12):
        mill.job(f"w{number}", "module: workflow\nwith:\n  steps:\n" + f"    - run: w{number + 1}\n" * 3)
    mill.job("w12", f"module: workflow\nwith:\n  steps:\n    - {last}\n")
    read: list[str] = []

    def counted(name: str, settings: Settings) -> Document:
        read.append(name)
        return others_find(name, settings)

    others_find = others.find_document
    monkeypatch.setattr(others, "find_document", counted)
    assert len(mill.problems(steps("run: w0", "run: w0", "run: w0"))) == problems
    assert len(read) <= 14


def test_what_is_wrong_with_a_job_that_it_runs_is_told_with_its_place(mill: Mill) -> None:
    mill.job("feed", "module: transfer\nwith:\n  source: {path: data.csv}\n  steps: [{to: out, fiel: a.csv}]\n")
    (problem,) = mill.problems(steps("run: feed"))
    assert problem[2].startswith("the job feed cannot run: ")
    assert "feed.yaml:4:" in problem[2]


def test_a_scheduled_workflow_needs_defaults_of_its_parameters(mill: Mill) -> None:
    head = "module: workflow\nschedule: {daily: '02:00'}\nwith:\n"
    text = f"{head}  parameters: {{since: {{type: date}}}}\n  steps: [{{gate: true}}]\n"
    assert [(line, message) for line, _, message, _ in mill.problems(text)] == [
        (4, "a scheduled run would not know this parameter")
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{type: whole, default: many}", "since is a whole number, not 'many'"),
        ("{type: date, default: 31/12/2026}", "since is a date, not '31/12/2026'"),
        ("{choices: [a, b], default: c}", "since cannot be 'c'"),
        ('{default: "{{ input.x }}"}', "there is no parameter 'x'"),
    ],
)
def test_a_default_is_of_its_type(mill: Mill, given: str, message: str) -> None:
    found = mill.problems(f"parameters:\n  since: {given}\n{steps('gate: true')}")
    assert message in [one[2] for one in found]


def test_its_locks_are_those_of_all_its_steps(mill: Mill) -> None:
    mill.job("scores", SCORES)
    work = mill.workflow(steps("run: scores", QUERY, "file: {to: out, file: a.csv}"))
    resources = {(lock.resource.rpartition("/")[2] or lock.resource, lock.write) for lock in work.locks()}
    assert {("abc_scores", True), ("members", False), (f"file:{mill.directory}/out/", True)} <= resources


def test_tried_against_another_site_all_its_jobs_go_there(mill: Mill) -> None:
    mill.others["other"] = "http://127.0.0.1:9"
    mill.job("scores", f"connection: test\n{SCORES}")
    text = (
        f"connection: test\nmodule: workflow\nwith:\n  {steps('run: scores', QUERY).replace(chr(10), chr(10) + '  ')}"
    )
    for connection in ("test", "other"):
        locks = mill.workflow(text, connection=connection).locks()
        assert {lock.resource.partition("/")[0] for lock in locks if "imis:" in lock.resource} == {f"imis:{connection}"}


SCORES = """\
module: import
with:
  source: {path: data.csv}
  destination: {panel: ABC_Scores}
  action: upsert
  match: [ID, Course]
  map: {ID: member, Course: course, Grade: grade}
"""
