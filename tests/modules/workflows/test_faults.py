"""A step of each kind fails, and each word of `on_error:` means what it says."""

from typing import Any

import pytest

from idms_cli.modules.steps import STEPS
from tests.modules.workflows.mill import Ground, Mill, steps

ROWS = "name: given\nselect: all\nfrom: \"{{ [{'ID': '1'}, {'ID': '2'}] }}\""

FAULTS = {
    "run": ("run: {module: transfer, with: {source: {path: nowhere.csv}, steps: [{to: out, file: a.csv}]}}", "missing"),
    "query": ("query: $/Idms/Nobody", "$/Idms/Nobody"),
    "select": ("select: [Nmae]", "the rows have no column 'Nmae'"),
    "filter": ('filter: "{{ row.ID > 1 }}"', "row 1: filter: text and numbers are mixed in it"),
    "delta": ("delta: {key: Number}", "delta: there is no column 'Number'"),
    "gate": ('gate: "{{ given[0].Name == 1 }}"', "gate: there is no 'Name' in it"),
    "file": ("file: {to: nowhere, file: a.csv}", "there is no folder"),
    "deliver": ("deliver: {to: nowhere, file: a.csv}", "there is no folder"),
    "http": ("http: http://127.0.0.1:9/nobody", "no connection"),
    "imis": ("imis: {path: /api/Nowhere/1, attempts: 1}", "404"),
    "wait": ("wait: {file: nowhere.csv, limit: 1s}", "nowhere.csv"),
    "notify": ('notify: {text: "{{ given[0].Name }}", channels: [ops]}', "there is no 'Name' in it"),
    "exec": ("exec: {command: ['false']}", "exit code 1"),
    "parallel": ("parallel: {left: [{gate: true, then: fail, why: no}], right: [{gate: false}]}", "left: "),
    "for-each": ('for-each: "{{ given }}"\nsteps: [{gate: true, then: fail, why: no}]', "item 1"),
}
ON_A_SITE = ("query", "imis")
REST = ("name: between\ngate: false", "name: later\nfile: {to: out, file: later.csv}\nfrom: given")

WORDS: dict[str, tuple[Any, ...]] = {
    "fail": ("failed", {"between": "skipped", "later": "skipped"}),
    "succeed": ("completed", {"between": "skipped", "later": "skipped"}),
    "ignore": ("completed", {"between": "succeeded", "later": "succeeded"}),
    "{goto: later}": ("completed", {"between": "skipped", "later": "succeeded"}),
}


def run_with(mill: Mill, fault: str, word: str) -> Ground:
    (mill.directory / "out").mkdir(exist_ok=True)
    return mill.grind(steps(ROWS, f"name: broken\n{fault}\non_error: {word}", *REST))


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("kind", FAULTS)
def test_a_step_that_fails_means_what_its_on_error_says(request: pytest.FixtureRequest, kind: str, word: str) -> None:
    fault, reason = FAULTS[kind]
    mill: Mill = request.getfixturevalue("sited" if kind in ON_A_SITE else "mill")
    mill.further = "channels: {ops: {webhook: {url: https://chat.example.org/hook}}}\n"
    done = run_with(mill, fault, word)
    status, states = WORDS[word]
    assert done.outcome.status == status, done.outcome
    own = {path: state for path, state in done.states.items() if "/" not in path}
    assert own == {"given": "succeeded", "broken": "failed", **states}
    assert reason in done.reasons["broken"]
    assert set(mill.delivered) == ({"later.csv"} if states["later"] == "succeeded" else set())
    if word == "fail":
        assert done.outcome.reason.startswith("step broken: ")
        assert done.outcome.exit_code > 0
        assert done.reasons["later"] == "not reached: broken ended it"
    if word.startswith("{"):
        assert done.reasons["between"] == "jumped over by broken"


def test_every_kind_of_step_is_among_those_that_fail() -> None:
    assert FAULTS.keys() == STEPS.keys()


def test_a_step_that_is_switched_off_is_skipped_and_no_failure(mill: Mill) -> None:
    done = mill.grind(steps("name: off\nquery: $/Idms/Members\nenabled: false", "name: on\ngate: false"))
    assert (done.outcome.status, done.states) == ("completed", {"off": "skipped", "on": "succeeded"})
    assert done.reasons["off"] == "switched off (enabled: false)"


def test_a_step_whose_condition_does_not_hold_is_skipped(mill: Mill) -> None:
    done = mill.grind(
        steps(
            "name: first\ngate: false",
            'name: no\ngate: true\nthen: fail\nwhen: "{{ first }}"',
            "name: other\ngate: false\nwhen: \"{{ steps.no.status == 'skipped' }}\"",
        )
    )
    assert done.states == {"first": "succeeded", "no": "skipped", "other": "succeeded"}


def test_what_a_step_did_not_give_is_told_with_the_reason(mill: Mill) -> None:
    done = mill.grind(
        steps(
            "name: found\nquery: $/Idms/Members\nenabled: false",
            'name: judged\ngate: "{{ found|length == 0 }}"',
        )
    )
    assert done.outcome.reason == "step judged: gate: there is no 'found' here"
    assert done.outcome.hint == "Step found gave nothing: it is skipped: switched off (enabled: false)."


def test_a_gate_jumps_to_a_later_step_or_fails(mill: Mill) -> None:
    done = mill.grind(
        steps(
            "name: jump\ngate: true\nthen: {goto: last}",
            "name: over\ngate: true\nthen: fail",
            'name: last\ngate: true\nthen: fail\nwhy: "too few of {{ job }}"',
        )
    )
    assert (done.outcome.status, done.outcome.reason) == ("failed", "step last: too few of flow")
    assert done.reasons["over"] == "jumped over by jump"


SLOW = "{{ range(100000)|join('')|replace('1', '22')|length > "


def test_a_template_that_never_ends_is_cut_by_the_time_limit_of_its_step(mill: Mill) -> None:
    rows = ",".join(["{'ID': '1'}"] * 5000)
    done = mill.grind(
        steps(
            f'name: many\nselect: all\nfrom: "{{{{ [{rows}] }}}}"',
            f'name: slow\nfilter: "{SLOW}row.ID|number }}}}"\ntimeout: 1s',
        )
    )
    assert done.outcome.reason == "step slow: it took longer than 1s"


def test_one_value_that_never_ends_is_cut_in_the_middle(mill: Mill) -> None:
    one = "(range(100000)|join('')|replace('1', '22')|length)"
    endless = f"[{', '.join([one] * 400)}]|length > 0"
    for slow in (f'gate: "{{{{ {endless} }}}}"', f'gate: true\nwhen: "{{{{ {endless} }}}}"'):
        done = mill.grind(steps(f"name: slow\n{slow}\ntimeout: 1s"))
        assert done.outcome.reason == "step slow: it took longer than 1s"


def test_what_never_ends_in_a_branch_is_cut_as_well(mill: Mill) -> None:
    rows = ",".join(["{'ID': '1'}"] * 5000)
    branch = f'{{name: slow, filter: "{SLOW}row.ID|number }}}}", from: many, timeout: 1s}}'
    done = mill.grind(
        steps(
            f'name: many\nselect: all\nfrom: "{{{{ [{rows}] }}}}"',
            f"name: both\nparallel:\n  left: [{branch}]\n  right: [{{gate: false}}]",
        )
    )
    assert done.told["both/left/slow"].reason == "it took longer than 1s"
    one = "(range(100000)|join('')|replace('1', '22')|length)"
    endless = f"[{', '.join([one] * 400)}]|length > 0"
    branch = f'{{name: slow, gate: "{{{{ {endless} }}}}", timeout: 1s}}'
    done = mill.grind(steps(f"name: both\nparallel:\n  left: [{branch}]\n  right: [{{gate: false}}]"))
    assert done.told["both/left/slow"].reason == "it took longer than 1s"
