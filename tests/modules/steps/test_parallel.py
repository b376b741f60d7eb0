"""The step `parallel`, done by the workflow itself: branches at the same time, failures, rows, and going on."""

import json
import sys
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from idms_cli.errors import Interrupted
from tests.delivery.receiver import Receiver, Says, Taken, refuses
from tests.modules.workflows.mill import Mill, names, steps


@pytest.fixture
def mill(tmp_path: Path) -> Mill:
    return Mill(tmp_path, "http://127.0.0.1:9")


@pytest.fixture
def sited(tmp_path: Path, url: str) -> Mill:
    return Mill(tmp_path, url)


def both(left: str, right: str, after: str = "") -> str:
    """Two branches of one step each, and a step after them."""
    text = f"name: both\nparallel:\n  left:\n  - {left}\n  right:\n  - {right}\n"
    return steps(text, after) if after else steps(text)


def test_branches_are_done_at_the_same_time_and_joined(mill: Mill, web: Receiver) -> None:
    meeting = Barrier(2, timeout=30)

    def meet(_: str, __: object) -> None:
        meeting.wait()

    web.early = meet
    web.decide = lambda taken: Says(200, f'"{taken.path}"'.encode())
    done = mill.grind(
        both(
            f"{{name: a, http: '{web.url}/a'}}",
            f"{{name: b, http: '{web.url}/b'}}",
            'name: after\ngate: "{{ both.left.a.json ~ both.right.b.json == \'/a/b\' }}"\nthen: fail\nwhy: "joined"',
        )
    )
    assert done.outcome.reason == "step after: joined"
    assert done.states == {
        "both": "succeeded",
        "both/left/a": "succeeded",
        "both/right/b": "succeeded",
        "after": "succeeded",
    }


def test_the_rows_of_a_branch_are_rows_for_the_steps_after_it(sited: Mill) -> None:
    done = sited.grind(
        steps(
            "name: both\nparallel:\n  left:\n  - {name: found, query: $/Idms/Members, key: ID}\n"
            "  right:\n  - {name: few, query: $/Idms/Scores}",
            'name: some\nfilter: "{{ row.ID == \'101\' }}"\nfrom: "{{ both.left.found }}"',
            'name: told\ngate: "{{ both.right.few|length > 900 }}"',
        )
    )
    assert done.outcome.status == "completed", done.outcome
    assert names(done.rows("some"), "ID") == ["101"]


def test_a_branch_that_fails_lets_the_others_end_and_then_the_step_fails(mill: Mill, web: Receiver) -> None:
    web.decide = lambda taken: refuses(422, "no") if taken.path == "/a" else Says()
    done = mill.grind(both(f"{{name: a, http: '{web.url}/a'}}", f"{{name: b, http: '{web.url}/b'}}", "gate: true"))
    assert done.outcome.status == "failed"
    assert done.outcome.reason == f"step both: branch left: step a: GET {web.url}/a: refused: 422, no."
    assert done.states == {"both": "failed", "both/left/a": "failed", "both/right/b": "succeeded", "2": "skipped"}


def test_on_error_within_a_branch_is_its_own_affair(mill: Mill, web: Receiver) -> None:
    web.decide = lambda taken: refuses(422, "no") if taken.path == "/a" else Says()
    done = mill.grind(both(f"{{name: a, on_error: ignore, http: '{web.url}/a'}}", f"{{name: b, http: '{web.url}/b'}}"))
    assert done.outcome.status == "completed", done.outcome
    assert done.states["both/left/a"] == "failed"


def test_a_run_that_goes_on_repeats_nothing_that_is_over_in_a_branch(mill: Mill, web: Receiver) -> None:
    stop: list[bool] = []

    def answer(taken: Taken) -> Says:
        if taken.path == "/b" and not stop:
            stop.append(True)
            return refuses(503, Retry_After="1")
        return Says()

    web.decide = answer
    text = both(f"{{name: a, http: {{url: '{web.url}/a', json: 1}}}}", f"{{name: b, http: '{web.url}/b'}}")
    directory = mill._new_directory()
    with pytest.raises(Interrupted):
        mill.grind(text, again=directory, stopping=lambda: bool(stop))
    done = mill.grind(text, again=directory)
    assert done.outcome.status == "completed", done.outcome
    assert sorted(taken.path for taken in web.asked) == ["/a", "/b", "/b"]


def test_a_dry_run_goes_through_all_branches_and_tells_what_is_not_known(mill: Mill, web: Receiver) -> None:
    done = mill.grind(
        both(
            f"{{name: a, http: {{url: '{web.url}/a', json: 1}}}}",
            f"{{name: b, exec: ['{sys.executable}', '-V']}}",
            'name: after\nhttp: {url: "https://x.example/", json: "{{ both.left.a.json }}"}',
        ),
        dry_run=True,
    )
    assert done.states["both/left/a"] == "rehearsed"
    assert done.reasons["after"] == "what step a would give is not known in a dry run"
    assert not web.asked


def test_mistakes_within_branches_are_told_with_their_place(mill: Mill) -> None:
    found: list[tuple[Any, ...]] = mill.problems(
        both("{name: a, http: 'https://x.example/{{ b.status }}'}", "{name: b, http: 'https://x.example/'}")
    )
    assert [(line, message) for line, _, message, _ in found] == [(7, "there is no 'b' here")]
    assert "a step's name is one word" in mill.problems(steps("parallel: {'a b': [{gate: true}]}"))[0][2]


@pytest.mark.parametrize("sent", [{"unknown_of": "a"}, {"rows_at": "steps/x", "rows": 1}, {"as_it_came": {"n": 1}}])
def test_an_answer_is_never_taken_for_a_note_of_our_own(mill: Mill, web: Receiver, sent: dict[str, Any]) -> None:
    web.script(Says(200, json.dumps(sent).encode()), Says(200, b"{}"))
    first, then = (
        f"{{name: a, http: '{web.url}/a'}}",
        f"http: {{url: '{web.url}/b', json: '{{{{ both.left.a.json }}}}'}}",
    )
    done = mill.grind(both(first, "{name: b, gate: false}", f"name: after\n{then}"))
    assert done.outcome.status == "completed"
    assert web.asked[1].json() == sent


def test_rows_of_branches_within_a_branch_are_rows_after_it(mill: Mill) -> None:
    within = "{name: in_it, parallel: {deep: [{name: made, select: all, from: \"{{ [{'ID': '1'}] }}\"}]}}"
    done = mill.grind(
        both(within, "{name: b, gate: false}", "name: after\ngate: \"{{ both.left.in_it.deep.made[0].ID != '1' }}\"")
    )
    assert done.outcome.status == "completed", done.outcome
    assert done.output("after") is False


@pytest.mark.parametrize(("other", "wrong"), [("ABC_Scores", True), ("ABC_Visits", False)])
def test_jobs_of_two_branches_that_want_the_same_data_are_told(mill: Mill, other: str, wrong: bool) -> None:
    for name, panel in (("one", "ABC_Scores"), ("two", other)):
        mill.job(
            name,
            f"module: import\nwith:\n  source: {{path: a.csv}}\n  destination: {{panel: {panel}}}\n"
            "  action: upsert\n  match: [ID, Ordinal]\n  map: {ID: a, Ordinal: b}\n",
        )
    found = mill.problems(steps("parallel: {left: [{run: one}], right: [{gate: true}, {run: two}]}"))
    message = "the branches left and right both use abc_scores of test, and at least one writes it"
    assert [one[2] for one in found] == ([message] if wrong else [])
