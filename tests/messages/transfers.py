"""Transfers that are refused, or end before anything is delivered, each really checked or run."""

from collections.abc import Callable

from idms_cli.config.problems import ProblemsFound
from idms_cli.jobs.guard import GuardOptions
from tests.modules.transfers.dock import Dock

Case = Callable[[Dock], str]

GOOD = "source: {path: rows.csv}\nsteps:\n- {to: out, file: a.csv}\n"
ENTITY = "{entity: ABC_Scores}"


def _checked(before: str, after: str) -> Case:
    """What `check` says of GOOD with `before` replaced."""

    def told(dock: Dock) -> str:
        ((_, _, message, _),) = dock.problems(GOOD.replace(before, after))
        return message

    return told


def _run(before: str, after: str, rows: str = "ID,Name\n101,Zoë\n") -> Case:
    """What a run says that delivers nothing."""

    def told(dock: Dock) -> str:
        dock.write(rows, "rows.csv")
        try:
            return dock.send(GOOD.replace(before, after)).outcome.reason
        except ProblemsFound as found:
            (problem,) = found.problems
            return problem.message

    return told


def _held(dock: Dock) -> str:
    dock.write("ID\n101\n", "rows.csv")
    return dock.send(GOOD, guard=GuardOptions(min_rows=500)).outcome.reason


def _overtaken(dock: Dock) -> str:
    dock.write("ID\n101\n", "rows.csv")
    text = GOOD.replace("a.csv", '"{{ run.id }}.csv"') + "delta: {key: ID}\n"
    held = dock.send(text, guard=GuardOptions(min_rows=2), run_id=7)
    dock.send(text, run_id=8)
    return str(dock.fails_to_send(text, again=held.directory, approved=True, run_id=7))


TRANSFERS: dict[str, Case] = {
    "a destination that there is not": _checked("to: out", "to: sfpt://partner/in"),
    "a step that goes nowhere": _checked("to: out, ", ""),
    "an ending that tells no format": _checked("a.csv", "a.cvs"),
    "a format that there is not": _checked("a.csv", "a.csv, format: cvs"),
    "files that would have the same name": _checked("a.csv", "a.csv, batch: 500"),
    "changes that would replace each other": _checked("steps:", "delta: {key: ID}\nsteps:"),
    "a first step that waits for a failure": _checked("a.csv", "a.csv, when: failure"),
    "contacts without a filter": _checked("{path: rows.csv}", "{entity: Party}"),
    "a source that is none, or two": _checked("{path: rows.csv}", "{path: rows.csv, entity: Party}"),
    "a column that is not there": _run("steps:", "select: [ID, Nane]\nsteps:"),
    "a property that the site does not know": _run("{path: rows.csv}", "{entity: ABC_Scores, filter: {Grad: A}}"),
    "a condition that contacts cannot be searched by": _run("{path: rows.csv}", "{entity: Party, filter: {Title: X}}"),
    "a row that cannot go out": _run("steps:", "add: {X: {template: '{{ Name|number }}'}}\nsteps:"),
    "a guard": _held,
    "a later run was quicker": _overtaken,
}
"""By the first column of README's table."""
