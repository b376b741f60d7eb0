"""Workflows that are refused or fail, each as README's table names it."""

from collections.abc import Callable, Mapping

from tests.modules.workflows.mill import Mill, steps

FOUND = "name: found\nquery: $/Idms/Members"
GIVEN = "name: given\nselect: all\nfrom: \"{{ [{'ID': '1'}] }}\""

SLOW = ", ".join(["range(100000)|join('')|replace('1', '22')"] * 300)


def _refused(*given: str) -> Callable[[Mill], str]:
    """The message of the only problem."""

    def told(mill: Mill) -> str:
        (problem,) = mill.problems(steps(*given))
        return problem[2]

    return told


def _fails(*given: str) -> Callable[[Mill], str]:
    """The reason of a run that fails."""
    return lambda mill: mill.grind(steps(*given)).outcome.reason


def _circle(mill: Mill) -> str:
    for name, other in (("flow", "nightly"), ("nightly", "flow")):
        mill.job(name, f"module: workflow\nwith:\n  steps:\n    - run: {other}\n")
    return _refused("run: nightly")(mill)


def _broken_job(mill: Mill) -> str:
    mill.job("feed", "module: transfer\nwith:\n  source: {path: a.csv}\n  steps: [{fiel: a.csv, to: out}]\n")
    return _refused("run: feed")(mill)


def _in_the_way(mill: Mill) -> str:
    for name in ("one", "two"):
        mill.job(
            name,
            "module: import\nwith:\n  source: {path: a.csv}\n  destination: {panel: ABC_Scores}\n  action: upsert\n"
            "  match: [ID, Course]\n  map: {ID: a, Course: b}\n",
        )
    return _refused("parallel: {left: [{run: one}], right: [{run: two}]}")(mill)


def _guarded(mill: Mill) -> str:
    ((_, _, message, _),) = mill.problems("module: workflow\nguard: {min_rows: 1}\nwith: {steps: [{gate: true}]}\n")
    return message


def _without_default(mill: Mill) -> str:
    given = "{parameters: {since: {type: date}}, steps: [{gate: true}]}"
    ((_, _, message, _),) = mill.problems(f"module: workflow\nschedule: {{daily: '02:00'}}\nwith: {given}\n")
    return message


WORKFLOWS: Mapping[str, Callable[[Mill], str]] = {
    "a step that does nothing known": _refused("qeury: $/Idms/Members"),
    "a step that does two things": _refused("query: $/Idms/Members\ngate: true"),
    "a name that templates cannot say": _refused("name: my-step\ngate: true"),
    "a step that comes later": _refused('gate: "{{ found|length > 0 }}"', FOUND),
    "a name that there is not": _refused(FOUND, 'gate: "{{ fuond|length > 0 }}"'),
    "a jump backwards": _refused(FOUND, "gate: true\nthen: {goto: found}"),
    "a condition with text around it": _refused('gate: "is {{ 1 }}"'),
    "rows of nothing": _refused("delta: {key: ID}"),
    "a job that there is not": _refused("run: scores"),
    "a job that cannot run": _broken_job,
    "jobs that would be in each other's way": _in_the_way,
    "workflows that run one another": _circle,
    "a guard of a workflow": _guarded,
    "a parameter that a scheduled run does not know": _without_default,
    "a condition that is neither true nor false": _fails(GIVEN, 'name: odd\ngate: "{{ given }}"'),
    "a condition that does not fit a row": _fails(GIVEN, 'name: odd\nfilter: "{{ row.Name == 1 }}"'),
    "a step that gave nothing": _fails(f"{GIVEN}\nenabled: false", 'name: odd\ngate: "{{ given|length == 1 }}"'),
    "rows of a step that was skipped": _fails(f"{GIVEN}\nenabled: false", "name: odd\ndelta: {key: ID}"),
    "a step that takes too long": _fails(f'name: slow\ngate: "{{{{ [{SLOW}]|length > 0 }}}}"\ntimeout: 1s'),
}
