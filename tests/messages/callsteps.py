"""Steps that talk to others and cannot be checked or done, each as README's table names it."""

import json
import sys
from collections.abc import Callable, Mapping

from tests.delivery.receiver import Receiver, Says, Taken, refuses
from tests.modules.workflows.mill import Mill, steps

Case = Callable[[Mill, Receiver], str]


def answers(taken: Taken) -> Says:
    """By the path that is asked for."""
    return {
        "/no": refuses(422, "no such course"),
        "/cut": Says(then="cut"),
        "/long": Says(200, b"x" * 5_000),
    }.get(taken.path, Says())


def _refused(step: str) -> Case:
    """The message of the only problem."""

    def told(mill: Mill, web: Receiver) -> str:
        del web
        ((_, _, message, hint),) = mill.problems(steps(f"name: call\n{step}"))
        assert hint
        return message

    return told


def _fails(step: str) -> Case:
    """The reason of a run that fails."""

    def told(mill: Mill, web: Receiver) -> str:
        outcome = mill.grind(steps(f"name: call\n{step.replace('WEB', web.url)}")).outcome
        assert outcome.hint
        return outcome.reason

    return told


def _program(text: str, more: str = "") -> Case:
    return _fails(f"exec: {json.dumps([sys.executable, '-c', text])}{more}")


POST = "http: {url: 'WEB/no', json: 1}"

CALL_STEPS: Mapping[str, Case] = {
    "an address whose server is a template": _refused("http: '{{ job }}/x'"),
    "a path that leads elsewhere": _refused("imis: https://elsewhere.example/api/Party"),
    "a program that data would choose": _refused("exec: ['{{ job }}']"),
    "a wait for two things": _refused("wait: {for: 1h, until: '07:00'}"),
    "a message for nobody": _refused("notify: done"),
    "a value that would be another path": _fails("http: \"WEB/{{ '..' }}/x\""),
    "an answer that is no yes": _fails(POST),
    "an answer that never came": _fails("http: {url: 'WEB/cut', json: 1}"),
    "an answer that is too long": _fails("http: {url: 'WEB/long', max_answer: 1KB}"),
    "a program that fails": _program("import sys; print('no such course', file=sys.stderr); sys.exit(3)"),
    "a program that is not there": _fails("exec: [/no/such]"),
    "a program that never ends": _program("import time; time.sleep(60)", "\ntimeout: 1s"),
    "a file that never comes": _fails("wait: {file: never.csv, limit: 1s}"),
    "too many items": _fails(f"for-each: '{{{{ range(12) }}}}'\nlimit: 10\nsteps: [{{{POST}}}]"),
    "an item that fails": _fails(f"for-each: [1, 2]\nsteps: [{{{POST}}}]"),
    "a branch that fails": _fails(f"parallel: {{left: [{{{POST}}}], right: [{{gate: false}}]}}"),
}
