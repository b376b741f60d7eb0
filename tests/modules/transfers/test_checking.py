"""`idms check` tells everything that is wrong with a transfer at once, each at its place."""

import pytest

from tests.modules.transfers.dock import Dock

GOOD = """\
source: {path: rows.csv}
steps:
- {to: out, file: a.csv}
"""


def told(dock: Dock, before: str, after: str) -> tuple[int, int, str, str]:
    assert before in GOOD
    (problem,) = dock.problems(GOOD.replace(before, after))
    return problem


@pytest.mark.parametrize(
    ("change", "place", "message", "hint"),
    [
        (("to: out", "to: sfpt://x/y"), (5, 6), "there is no destination of the kind 'sfpt://'", None),
        (("to: out", "to: {mial: x}"), (5, 6), "there is no destination of the kind 'mial'", None),
        (("to: out", "to: [out]"), (5, 6), "this is no destination", None),
        (("to: out, ", ""), (5, 5), "the key 'to' is missing", None),
        (("a.csv", "a.csv, fiel: x"), (5, 28), "the key 'fiel' is not known here", "did you mean 'file'?"),
        (("a.csv", "a.csv, when: sucess"), (5, 34), "'sucess' is not one of: success, failure, always", None),
        (("a.csv", "a.csv, when: failure"), (5, 34), "there is no step before this one that could fail", None),
        (("a.csv", "a.csv, format: cvs"), (5, 36), "there is no format 'cvs' to write", "did you mean 'csv'?"),
        (("a.csv", "a.csv, format: {}"), (5, 28), "one format is wanted here", None),
        (
            ("a.csv", "a.csv, format: {csv: {delimeter: x}}"),
            (5, 43),
            "the key 'delimeter' is not known here",
            "did you mean 'delimiter'?",
        ),
        (("a.csv", "a.cvs"), (5, 21), "the ending of the name tells no format", None),
        ((", file: a.csv", ""), (5, 5), "the step says no format", None),
        (
            ("a.csv", "../a.csv"),
            (5, 21),
            "The file name '../a.csv' cannot be used: it leads into another folder",
            "The folder belongs into `to:`; put |replace('/', '-') after a value that may have one.",
        ),
        (("a.csv", '"{{ slto.date }}.csv"'), (5, 21), "there is no 'slto' here", "did you mean 'slot'?"),
        (("a.csv", '"{{ slot. }}.csv"'), (5, 21), None, None),
        (("a.csv", "a.csv, batch: 2"), (5, 21), "all files of this step would have the same name", None),
        (("a.csv", "a.csv, mode: 640"), (5, 34), "the rights of a file are wanted here", None),
        (("{path: rows.csv}", "{pth: rows.csv}"), (3, 3), None, "did you mean 'path'?"),
        (("{path: rows.csv}", "{path: rows.csv, entity: X}"), (3, 3), None, None),
        (("{path: rows.csv}", "{path: rows.xyz}"), (3, 12), "the ending tells no format", None),
        (
            ("{path: rows.csv}", "{entity: Party}"),
            (3, 20),
            "this would read the whole directory of contacts, with every run",
            None,
        ),
        (
            ("{path: rows.csv}", "{entity: X, filter: {A: {eqq: 1}}}"),
            (3, 36),
            "there is no operator 'eqq'",
            "did you mean 'eq'?",
        ),
        (("{path: rows.csv}", "{entity: X, connection: tset}"), (3, 35), "there is no connection 'tset'", None),
        (("{path: rows.csv}", "{query: Members}"), (3, 19), None, None),
        (("steps:", "select: [ID, ID]\nsteps:"), (4, 16), "the column 'ID' is there twice", None),
        (("steps:", "add: {X: {template: '{{'}}\nsteps:"), (4, 23), None, None),
        (("steps:", "stepps: 1\nsteps:"), (4, 3), "the key 'stepps' is not known here", "did you mean 'steps'?"),
        (
            ("file: a.csv}\n", "format: csv}\ndelta: {key: ID, vanished: true}\nbad_rows: skip\n"),
            (6, 30),
            "a row that is left out as bad would be told as vanished",
            None,
        ),
    ],
)
def test_a_mistake_is_told_at_its_place(
    dock: Dock, change: tuple[str, str], place: tuple[int, int], message: str | None, hint: str | None
) -> None:
    line, column, said, help_ = told(dock, *change)
    assert message in (None, said)
    assert (line, column) == place
    assert hint in (None, help_)


def test_all_mistakes_of_all_steps_are_told_at_once(dock: Dock) -> None:
    text = "source: {}\nsteps:\n- {to: a://b}\n- {to: out, file: x.csv, a: 1, format: {csv: {b: 2}}}\n- {file: '{{'}\n"
    assert [line for line, *_ in dock.problems(text)] == [3, 5, 6, 7]


def test_two_steps_of_one_name_are_refused(dock: Dock) -> None:
    (problem,) = dock.problems(GOOD + "- {to: out, file: b.csv, name: '1'}\n")
    assert problem[2] == "another step is called '1' already"


@pytest.mark.parametrize("steps", ["[]", "{}", "x", "[x]"])
def test_steps_are_a_list_of_mappings(dock: Dock, steps: str) -> None:
    assert dock.problems(f"source: {{path: rows.csv}}\nsteps: {steps}\n")


def test_what_only_a_delta_counts_is_refused_without_one(dock: Dock) -> None:
    whole = "module: transfer\nguard: {max_changes: 5}\nwith:\n"
    whole += "  source: {path: d.csv}\n  steps: [{to: o, file: a.csv}]\n"
    ((line, _, message, _),) = dock.problems(whole)
    assert (line, message) == (2, "without delta: nobody counts what max_changes limits")
    assert not dock.problems(
        whole.replace("  steps", "  delta: {key: ID}\n  steps").replace("a.csv", '"{{ today }}.csv"')
    )


def test_changes_do_not_replace_each_other_unless_somebody_says_so(dock: Dock) -> None:
    text = GOOD.replace("steps:", "delta: {key: ID}\nsteps:")
    ((line, column, message, _),) = dock.problems(text)
    assert (line, column) == (6, 21)
    assert message == "the changes of each run would replace those of the last one, whether they were read or not"
    assert not dock.problems(text.replace("a.csv", '"{{ slot.date }}.csv"'))
    assert not dock.problems(text.replace("a.csv", "a.csv, overwrite: replace"))


def test_a_job_says_what_it_does(dock: Dock) -> None:
    text = GOOD.replace("a.csv", '"{{ today }}.csv"').replace("steps:", "delta: {key: ID}\nsteps:")
    text += "- {to: lost, format: json, when: failure}\n"
    assert dock.transfer(text).describe() == (
        f"what changed in {dock.directory}/rows.csv goes as csv to {dock.directory}/out/; "
        f"after a failure as json to {dock.directory}/lost/"
    )


def test_a_job_locks_what_it_reads_and_where_it_delivers(dock: Dock) -> None:
    text = GOOD + "- {to: lost, format: json}\n- {to: out, format: xml}\n"
    assert [(lock.resource, lock.write) for lock in dock.transfer(text).locks()] == [
        (f"file:{dock.directory}/rows.csv", False),
        (f"file:{dock.directory}/", False),
        (f"file:{dock.directory}/out/", True),
        (f"file:{dock.directory}/lost/", True),
    ]
    entity = "source: {entity: ABC_Scores}\nsteps: [{to: out, file: a.csv}]\n"
    assert dock.transfer(entity).locks()[0] == ("imis:test/abc_scores", False)
