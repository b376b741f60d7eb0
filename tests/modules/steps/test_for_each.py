"""The step `for-each`, done by the workflow itself: items one by one or several at a time, each once, also killed."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from threading import Barrier

import pytest

from idms_cli.errors import Interrupted
from tests.conftest import until
from tests.delivery.receiver import Receiver, Says, refuses
from tests.modules.workflows.mill import Mill, steps


@pytest.fixture
def mill(tmp_path: Path) -> Mill:
    return Mill(tmp_path, "http://127.0.0.1:9")


@pytest.fixture
def sited(tmp_path: Path, url: str) -> Mill:
    return Mill(tmp_path, url)


def each(web: Receiver, items: str = "[1, 2, 3]", *more: str, path: str = "{{ item }}", keys: str = "") -> str:
    """A POST for each item."""
    send = f"  - {{name: made, http: {{url: '{web.url}/{path}', json: {{n: '{{{{ item }}}}'}}{keys}}}}}"
    return "\n".join(["name: each", f"for-each: {items}", *more, "steps:", send])


def asked(web: Receiver) -> list[str]:
    return sorted(taken.path.strip("/") for taken in web.asked)


def test_the_steps_are_done_for_each_item_of_a_list(mill: Mill, web: Receiver) -> None:
    done = mill.grind(steps(each(web, "[a, b c, 3]")))
    assert done.outcome.status == "completed", done.outcome
    assert [taken.json() for taken in web.asked] == [{"n": "a"}, {"n": "b c"}, {"n": 3}]
    assert done.output("each") == {"items": 3, "succeeded": 3, "failed": 0}
    assert done.states == {"each": "succeeded"}
    assert done.reasons["each"] == "3 of 3 items"
    assert not list((done.directory / "steps" / "each").glob("[0-9]*"))


def test_rows_of_a_step_are_items_and_each_may_give_a_row(sited: Mill, web: Receiver) -> None:
    web.decide = lambda taken: Says(200, json.dumps({"id": taken.json()["n"]["ID"] + "x"}).encode())
    text = each(
        web,
        "some",
        "collect: {ID: '{{ item.ID }}', Made: '{{ made.json.id }}', Place: '{{ item_number }}'}",
        path="in",
    )
    done = sited.grind(
        steps("name: found\nquery: $/Idms/Members", 'name: some\nfilter: "{{ row.ID|number < 103 }}"', text)
    )
    assert done.outcome.status == "completed", done.outcome
    assert done.rows("each") == [
        {"ID": "101", "Made": "101x", "Place": 1},
        {"ID": "102", "Made": "102x", "Place": 2},
    ]


def test_several_are_done_at_a_time(mill: Mill, web: Receiver) -> None:
    meeting = Barrier(3, timeout=30)

    def meet(_: str, __: object) -> None:
        meeting.wait()

    web.early = meet
    done = mill.grind(steps(each(web, "[1, 2, 3, 4, 5, 6]", "concurrency: 3")))
    assert done.output("each")["succeeded"] == 6


def test_an_item_that_fails_ends_the_step_unless_some_may(mill: Mill, web: Receiver) -> None:
    web.decide = lambda taken: refuses(422, "no such course") if taken.path == "/2" else Says()
    done = mill.grind(steps(each(web)))
    reason = f"item 2: step made: POST {web.url}/2: refused: 422, no such course."
    assert (done.outcome.status, done.outcome.reason) == ("failed", f"step each: {reason}; 1 of 3 items are done")
    assert asked(web) == ["1", "2"]
    web.asked.clear()
    done = mill.grind(steps(each(web, "[1, 2, 3]", "max_failed: 1")))
    assert done.outcome.status == "partial"
    assert done.output("each") == {"items": 3, "succeeded": 2, "failed": 1}
    assert asked(web) == ["1", "2", "3"]


def test_more_items_than_the_limit_are_refused_before_the_first(mill: Mill, web: Receiver) -> None:
    done = mill.grind(steps(each(web, "'{{ range(12) }}'", "limit: 10")))
    assert done.outcome.reason == "step each: there are 12 items, and `limit:` is 10"
    assert not web.asked


def test_a_stopped_step_goes_on_with_the_items_that_are_not_over(mill: Mill, web: Receiver) -> None:
    directory = mill._new_directory()
    text = steps(each(web, "'{{ range(20) }}'"))
    with pytest.raises(Interrupted):
        mill.grind(text, again=directory, stopping=lambda: len(web.asked) >= 7)
    assert len(web.asked) == 7
    done = mill.grind(text, again=directory)
    assert done.outcome.status == "completed", done.outcome
    assert asked(web) == sorted(map(str, range(20)))


PARALLEL = """\
steps:
  - name: both
    parallel:
      left: [{{http: {{url: '{url}/left', json: 1}}}}]
      right: [{{http: {{url: '{url}/right', json: 1}}}}]
"""

KILLED = """
import sys
from pathlib import Path
from tests.modules.workflows.mill import Mill
mill = Mill(Path(sys.argv[1]), "http://127.0.0.1:9")
print(mill.grind(sys.argv[2], again=Path(sys.argv[3])).outcome)
"""


def test_killed_again_and_again_every_item_has_its_effect_once(mill: Mill, web: Receiver) -> None:
    """A key lets the server tell what comes twice; without one, what was on its way would be unknown."""
    directory = mill._new_directory()
    text = steps(each(web, "'{{ range(40) }}'", "concurrency: 3", keys=", idempotency_key: true"))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", KILLED, str(mill.directory), text, str(directory)]
    for _ in range(3):
        goal = len(web.stored) + 9
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True) as process:
            until(lambda process=process, goal=goal: len(web.stored) >= goal or process.poll() is not None)
            process.kill()
            assert process.wait() == -signal.SIGKILL
    done = mill.grind(text, again=directory)
    assert done.outcome.status == "completed", done.outcome
    effects = Counter(taken.json()["n"] for taken in web.stored)
    assert effects == Counter(range(40))
    assert len(web.asked) < 60


def test_a_run_that_does_the_rest_repeats_nothing_of_what_is_over(mill: Mill, web: Receiver) -> None:
    """An item that is over is not done again, nor a step that is over of an item that failed; nor those of a branch."""
    bad = [True]
    web.decide = lambda taken: refuses(422, "no") if bad[0] and taken.path in ("/b2", "/right") else Says()
    first = f"  - {{http: {{url: '{web.url}/a{{{{ item }}}}', json: 1}}}}\n"
    text = steps(each(web, "[1, 2, 3]", "max_failed: 3", path="b{{ item }}").replace("steps:\n", f"steps:\n{first}"))
    for both in (text.replace("max_failed: 3", "max_failed: 0"), PARALLEL.format(url=web.url)):
        bad[0] = True
        web.asked.clear()
        failed = mill.grind(both)
        assert failed.outcome.status == "failed"
        before, target = len(web.asked), mill._new_directory()
        mill.workflow(both).take_over(failed.directory, target)
        bad[0] = False
        done = mill.grind(both, again=target)
        assert done.outcome.status == "completed", done.outcome
        repeated = Counter(asked(web))
        assert repeated in (Counter(["a1", "b1", "a2", "b2", "b2", "a3", "b3"]), Counter(["left", "right", "right"]))
        assert len(web.asked) > before


def test_the_rest_of_a_run_sends_what_is_unknown_with_the_key_that_it_had(mill: Mill, web: Receiver) -> None:
    """So that a server which took it the first time knows it."""
    web.decide = lambda _: Says(502, stores=False) if len(web.asked) <= 3 else Says()
    text = steps(f"name: made\nhttp: {{url: '{web.url}/in', json: {{n: 1}}, idempotency_key: true}}")
    failed = mill.grind(text)
    assert failed.outcome.exit_code == 5, failed.outcome
    target = mill._new_directory()
    mill.workflow(text).take_over(failed.directory, target)
    assert mill.grind(text, again=target).outcome.status == "completed"
    assert len(web.asked) == 4
    assert len({taken.headers["Idempotency-Key"] for taken in web.asked}) == 1


def test_a_template_that_never_ends_is_cut_within_an_item(mill: Mill) -> None:
    slow = ", ".join(["range(100000)|join('')|replace('1', '22')"] * 300)
    text = f'name: each\nfor-each: [1]\nsteps:\n  - {{name: slow, timeout: 1s, gate: "{{{{ [{slow}]|length > 0 }}}}"}}'
    assert mill.grind(steps(text)).outcome.reason.startswith("step each: item 1: step slow: it took longer than 1s")


def test_a_gate_within_ends_one_item_only(mill: Mill, web: Receiver) -> None:
    text = each(web, "[1, 2, 3]").replace("steps:\n", "steps:\n  - {gate: '{{ item == 2 }}', then: succeed}\n")
    assert mill.grind(steps(text)).output("each")["succeeded"] == 3
    assert asked(web) == ["1", "3"]


def test_a_dry_run_goes_through_some_items_and_sends_nothing(mill: Mill, web: Receiver) -> None:
    done = mill.grind(steps(each(web, "'{{ range(500) }}'")), dry_run=True)
    assert (done.states["each"], done.reasons["each"]) == ("rehearsed", "20 of 500 items")
    assert not web.asked


def test_a_dry_run_knows_no_row_of_what_is_not_sent(mill: Mill, web: Receiver) -> None:
    text = steps(each(web, "[1, 2]", "collect: {ID: '{{ made.json.id }}'}"), "name: n\ngate: '{{ each|length > 0 }}'")
    done = mill.grind(text, dry_run=True)
    assert done.states == {"each": "rehearsed", "n": "rehearsed"}
    assert done.reasons["n"] == "what step each would give is not known in a dry run"


def test_what_is_collected_has_to_be_cells(mill: Mill, web: Receiver) -> None:
    done = mill.grind(steps(each(web, "[1]", "collect: {All: '{{ made }}'}")))
    assert "item 1: collect: item 1: All has parts, and a cell is one value" in done.outcome.reason


def test_what_goes_well_is_counted_and_not_told_one_by_one(mill: Mill) -> None:
    done = mill.grind(steps("name: each\nfor-each: '{{ range(30) }}'\nsteps:\n  - {name: x, gate: false}"))
    assert done.told["each"].counts["items_done"] == 30
    assert [line for line in done.log if "each" in line] == ["step each: succeeded: 30 of 30 items"]


def test_mistakes_are_told_before_the_run(mill: Mill, web: Receiver) -> None:
    def told(text: str) -> str:
        return mill.problems(steps(text))[0][2]

    assert told("for-each: nobody\nsteps: [{gate: true}]") == "there is no step 'nobody' before this one"
    assert told("for-each: [1]\nas: steps\nsteps: [{gate: true}]") == "'steps' means something else in templates"
    assert told(each(web, "[1]", path="{{ itm }}")) == "there is no 'itm' here"
    assert told("for-each: [1]\nsteps: [{gate: true}]\ncollect: {A: '{{ nobody }}'}") == "there is no 'nobody' here"
    assert told("for-each: [1]\nsteps: [{http: 'https://x.example/{{ member }}'}]") == "there is no 'member' here"
