"""The step `notify`: a message in the outbox of a real history, once, and what its channel is given."""

import json
import sys
from collections.abc import Iterator

import pytest

from idms_cli.dispatch.locks import take
from idms_cli.dispatch.messages import KeptMessages
from idms_cli.dispatch.senders import channel_lock
from idms_cli.dispatch.sending import send_waiting
from idms_cli.errors import InputError
from idms_cli.history.outbox import Queued
from idms_cli.history.rows import Run
from idms_cli.history.store import Store
from idms_cli.modules import Note
from idms_cli.modules.workflows.onceonly import Once
from tests.modules.steps.stand import Stand

TELLS = "import json, sys\nopen('told', 'a').write(sys.stdin.read() + chr(10))"


@pytest.fixture
def store(stand: Stand) -> Iterator[Store]:
    with Store(stand.directory / ".idms") as found:
        yield found


@pytest.fixture
def loud(stand: Stand, store: Store) -> Stand:
    """With two channels, and one of pings."""
    program = json.dumps([sys.executable, "-c", TELLS])
    ping = "https://hc.example.org/1"
    stand.more = f"channels: {{ops: {{program: {program}}}, staff: {{program: {program}}}, hc: {{ping: '{ping}'}}}}\n"
    stand.changes = {"messages": KeptMessages(store.state, run_of())}
    return stand


def run_of(run: int = 7) -> Run:
    fields = dict.fromkeys(Run.__dataclass_fields__)
    return Run(**{**fields, "id": run, "job": "nightly"})  # type: ignore[arg-type]


def queued(store: Store) -> list[Queued]:
    return store.outbox.newest(10)[::-1]


def test_a_message_is_sent_by_each_channel_and_says_which_run_it_is_of(loud: Stand, store: Store) -> None:
    loud.inputs = {"course": "First aid"}
    step = {"notify": {"channels": ["ops", "staff"], "subject": "{{ input.course }} is done", "text": "3 rows.\nBye"}}
    result = loud.run(step)
    assert result.output == {"subject": "First aid is done", "text": "3 rows.\nBye", "channels": ["ops", "staff"]}
    assert [(one.channel, one.kind, one.job) for one in queued(store)] == [
        ("ops", "step", "nightly"),
        ("staff", "step", "nightly"),
    ]
    lock = take(channel_lock(store.state, "ops"))
    assert lock
    send_waiting(store, loud.settings(), "ops", lock)
    told = json.loads((loud.directory / "told").read_text())
    assert (told["kind"], told["subject"]) == ("step", "idms: nightly: First aid is done")
    assert told["text"] == "3 rows.\nBye\n\nidms show 7"
    assert told["run"] == 7
    assert queued(store)[0].state == "sent"


def test_it_is_told_once_by_a_run_that_goes_on(loud: Stand, store: Store) -> None:
    step = {"notify": {"channels": ["ops"], "text": "done"}}
    assert loud.run(step).output == loud.run(step).output
    assert len(queued(store)) == 1


@pytest.mark.parametrize("died", ["before it was told", "after it was told"])
def test_it_is_told_once_whenever_the_run_died(loud: Stand, store: Store, died: str) -> None:
    once = Once.of(loud.folder)
    once.leaves()
    if died == "after it was told":
        KeptMessages(store.state, run_of()).tell(Note(once.key, ("ops",), "done", "done"), again=False)
    loud.run({"notify": {"channels": ["ops"], "text": "done"}})
    assert [one.facts["body"] for one in queued(store)] == ["done"]


def test_without_channels_it_tells_whom_the_job_tells(loud: Stand, store: Store) -> None:
    assert "nobody is named who is told" in loud.refused({"notify": "{{ job }} is done"})
    loud.more += "defaults: {notify: [staff, hc]}\n"
    (loud.directory / "idms.yaml").unlink()
    loud.run({"notify": "{{ job }} is done\nmore"})
    assert [(one.channel, one.facts["title"]) for one in queued(store)] == [("staff", "nightly is done")]


def test_a_dry_run_tells_nobody(loud: Stand, store: Store) -> None:
    told = loud.rehearse({"notify": {"channels": ["ops"], "text": "{{ job }} is done"}})
    assert (told.status, told.reason) == ("rehearsed", "would tell ops: nightly is done")
    assert not queued(store)


def test_mistakes_are_told_before_the_run(loud: Stand) -> None:
    assert "there is no channel 'op'" in loud.refused({"notify": {"channels": ["op"], "text": "x"}})
    assert "hc only hears how runs begin and end" in loud.refused({"notify": {"channels": ["hc"], "text": "x"}})
    assert "no 'nobody' here" in loud.refused({"notify": {"channels": ["ops"], "text": "{{ nobody }}"}})
    assert "the message says nothing" in loud.refused({"notify": {"channels": ["ops"], "text": "  "}})
    loud.inputs = {"what": ""}
    blank = {"channels": ["ops"], "subject": "0 rows", "text": "{{ input.what }}"}
    assert loud.beside("b").run({"notify": blank}).output["text"] == "0 rows"
    with pytest.raises(InputError, match="the message would say nothing"):
        loud.run({"notify": {"channels": ["ops"], "text": "{{ input.what }}"}})
