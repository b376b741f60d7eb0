"""The step `exec`: real programs, what they are given, what they leave, and that nothing of them stays."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from idms_cli.errors import DeliveryRefused, InputError, Interrupted, OutcomeUnknown, Unreachable
from tests.conftest import running, until
from tests.modules.steps.doing import killed_when
from tests.modules.steps.stand import Stand

ECHO = """
import json, os, sys
print(json.dumps({"args": sys.argv[1:], "stdin": json.load(sys.stdin), "env": dict(os.environ)}))
"""


def python(text: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", text, *arguments]


def test_a_program_has_its_arguments_and_json_on_its_stdin(stand: Stand) -> None:
    stand.rows("members", [{"ID": "101"}, {"ID": "102"}])
    stand.inputs = {"name": "a; rm -rf $HOME"}
    command = python(ECHO, "{{ input.name }}", "n={{ members|length }}")
    result = stand.run({"exec": {"command": command, "input": {"rows": "{{ members }}", "n": "{{ 1.50 }}"}}})
    told = result.output["json"]
    assert told["args"] == ["a; rm -rf $HOME", "n=2"]
    assert told["stdin"] == {"rows": [{"ID": "101"}, {"ID": "102"}], "n": pytest.approx(1.5)}
    assert (result.output["exit_code"], result.output["text"]) == (0, None)
    assert not (stand.folder / "stdin.json").exists()


def test_without_input_it_is_told_of_the_run(stand: Stand) -> None:
    stand.inputs = {"course": "First aid"}
    told = stand.run({"exec": python(ECHO)}).output["json"]["stdin"]
    assert told["input"] == {"course": "First aid"}
    assert (told["job"], told["run"], told["slot"]) == ("nightly", {"id": 7}, "2026-11-29T21:00:00-05:00")


def test_its_environment_has_no_secrets_but_those_that_it_is_given(stand: Stand) -> None:
    os.environ["IDMS_TEST_PASSWORD"] = "sandbox"  # as the fixture has it
    secret = stand.directory / "key"
    secret.write_text("s3cret-key-of-theirs")
    secret.chmod(0o600)
    keys = {"API_KEY": {"file": "key"}, "COURSE": "{{ job }}"}
    told = stand.run({"exec": {"command": python(ECHO), "environment": keys}}).output["json"]["env"]
    assert "IDMS_TEST_PASSWORD" not in told
    assert (told["API_KEY"], told["COURSE"], told["IDMS_RUN"]) == ("s3cret-key-of-theirs", "nightly", "7")
    assert told["PATH"] == os.environ["PATH"]


def test_what_is_no_json_is_text_and_stderr_goes_to_the_log(stand: Stand) -> None:
    text = "import sys\nprint('done: 3')\nprint('looked \\x1b[31mtwice', file=sys.stderr)"
    result = stand.run({"exec": python(text)})
    assert (result.output["json"], result.output["text"]) == (None, "done: 3\n")
    assert stand.log == ["stderr: looked \\x1b[31mtwice"]


def test_exit_codes_are_failures_answers_or_pass(stand: Stand) -> None:
    with pytest.raises(DeliveryRefused, match="ended with exit code 3: no such course") as caught:
        stand.run(
            {"exec": python("import sys; sys.exit('no such course' and print('no such course', file=sys.stderr) or 3)")}
        )
    assert "Run it by hand" in caught.value.hint
    other = stand.beside("b")
    assert other.run({"exec": {"command": python("raise SystemExit(3)"), "expect": [0, 3]}}).output["exit_code"] == 3
    with pytest.raises(Unreachable, match="exit code 75"):
        stand.beside("c").run({"exec": python("raise SystemExit(75)")})
    with pytest.raises(DeliveryRefused, match="ended with signal 15"):
        stand.beside("d").run({"exec": python("import os; os.kill(os.getpid(), 15)")})


def test_a_program_that_is_not_there_is_told_and_was_not_run(stand: Stand) -> None:
    for _ in range(2):
        with pytest.raises(InputError, match="the program /no/such cannot be started: No such file or directory"):
            stand.run({"exec": ["/no/such"]})
    with pytest.raises(InputError, match=r"there is no program \./none here"):
        stand.rehearse({"exec": ["./none"]})


TREE = """
import os, subprocess, sys, time
me = sys.argv[1]
code = "import time; time.sleep(120)"
subprocess.Popen([sys.executable, "-c", code, me])                            # a child
subprocess.Popen([sys.executable, "-c", code, me], start_new_session=True)    # one that left the group
if not os.fork():
    os.setsid()
    if not os.fork():
        os.execv(sys.executable, [sys.executable, "-c", code, me])            # one that left its parent
    os._exit(0)
os.wait()
open(sys.argv[2], "w").close()
"""


def test_at_its_time_limit_the_whole_tree_is_ended(stand: Stand) -> None:
    mark = f"tree-{stand.directory.name}"
    there = stand.directory / "there"
    text = TREE + "import signal\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\ntime.sleep(120)"
    stand.stopping = there.exists
    with pytest.raises(Interrupted):
        stand.run({"exec": python(text, mark, str(there))})
    assert not running(mark)
    with pytest.raises(OutcomeUnknown, match="it was ended before its time, and how far it came is not known"):
        stand.run({"exec": python(text, mark, str(there))})


def test_what_a_program_leaves_running_ends_with_it(stand: Stand) -> None:
    mark = f"left-{stand.directory.name}"
    assert stand.run({"exec": python(TREE, mark, str(stand.directory / "there"))}).output["exit_code"] == 0
    assert not running(mark)


def test_a_program_that_does_not_heed_is_killed(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idms_cli.modules.workflows.programs.TERM_S", 0.1)
    there = stand.directory / "there"
    deaf = "import signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    text = f"{deaf}open(sys.argv[1], 'w').close()\ntime.sleep(120)"
    stand.stopping = there.exists
    began = time.monotonic()
    with pytest.raises(Interrupted):
        stand.run({"exec": python(text, str(there))})
    assert time.monotonic() - began < 60
    assert not running(str(there))


def test_output_without_end_is_cut_off(stand: Stand) -> None:
    with pytest.raises(OutcomeUnknown, match="wrote more than 2,000 bytes, and was ended"):
        stand.run({"exec": {"command": python("while True: print('x' * 1000)"), "max_output": "2KB"}})


def test_killed_while_it_ran_it_is_not_run_again_unless_it_may_be(stand: Stand) -> None:
    count = stand.directory / "count"
    wait = f"time.sleep(120 if len(open({str(count)!r}).read()) == 1 else 0)"
    text = f"import time\nopen({str(count)!r}, 'a').write('x')\n{wait}"
    step: dict[str, Any] = {"exec": {"command": python(text)}}
    killed_when(lambda: count.exists() and count.read_text(), stand, step)
    for pid in running(str(count)):  # its supervisor would end it
        os.kill(pid, 9)
    until(lambda: not running(str(count)))
    with pytest.raises(OutcomeUnknown, match="the run died while it was on its way") as caught:
        stand.run(step)
    assert "repeatable: true" in caught.value.hint
    step["exec"]["repeatable"] = True
    assert stand.run(step).output["exit_code"] == 0
    assert count.read_text() == "xx"


def test_what_is_done_is_not_run_again(stand: Stand) -> None:
    count = stand.directory / "count"
    step = {"exec": python(f"open({str(count)!r}, 'a').write('x')")}
    assert stand.run(step).output == stand.run(step).output
    assert count.read_text() == "x"


def test_a_dry_run_starts_nothing(stand: Stand) -> None:
    told = stand.rehearse({"exec": [sys.executable, "-c", f"open({str(stand.directory / 'made')!r}, 'w')"]})
    assert (told.status, told.unknown) == ("rehearsed", True)
    assert told.reason.endswith("with 2 arguments")
    assert not (stand.directory / "made").exists()


def test_mistakes_are_told_before_the_run(stand: Stand) -> None:
    assert "which program is run cannot depend on data" in stand.refused({"exec": ["{{ input.program }}"]})
    assert "no 'nobody' here" in stand.refused({"exec": ["/bin/echo", "{{ nobody }}"]})
    assert "no 'nobody' here" in stand.refused({"exec": {"command": ["/bin/echo"], "input": "{{ nobody }}"}})
    assert "cannot be the name of a variable" in stand.refused(
        {"exec": {"command": ["a"], "environment": {"A-B": "x"}}}
    )
    assert json.dumps(stand.step({"exec": ["/bin/echo"]}).action.describe()) == '"the program /bin/echo"'
    assert Path("/bin/echo").exists()
