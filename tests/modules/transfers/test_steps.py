"""Steps in their order: when each is done, what is told of it, and how the run ends."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from idms_cli.delivery import local
from idms_cli.delivery.journal import read_steps
from idms_cli.errors import Interrupted, Unreachable
from idms_cli.modules import deadline
from tests.modules.transfers.dock import Dock

ROWS = "ID,Name\n101,Zoë\n102,Ann\n"
SOURCE = "source: {path: data.csv}\nsteps:\n"
GOOD, BAD = "- {to: out, file: a.csv", "- {to: nowhere, file: b.csv"
"""Beginnings of a step that delivers, and of one that fails."""


def steps(*said: str) -> str:
    return SOURCE + "\n".join(said)


@pytest.fixture(autouse=True)
def rows(dock: Dock) -> None:
    dock.write(ROWS)


def test_rows_of_a_file_arrive_as_another_file(dock: Dock) -> None:
    sent = dock.send(steps(f"{GOOD}}}"))
    assert sent.outcome.status == "completed"
    assert dock.delivered == {"a.csv": "ID,Name\r\n101,Zoë\r\n102,Ann\r\n"}
    (step,) = sent.steps
    assert (step.state, step.attempts, step.rows, step.items, step.size) == ("delivered", 1, 2, 1, 28)
    assert step.address == str(dock.out / "a.csv")


@pytest.mark.parametrize(
    ("said", "states", "status"),
    [
        ([f"{GOOD}}}", "- {to: out, file: c.csv}"], "delivered delivered", "completed"),
        ([f"{GOOD}}}", "- {to: out, file: c.csv, when: failure}"], "delivered skipped", "completed"),
        ([f"{BAD}}}", "- {to: out, file: c.csv}"], "failed skipped", "failed"),
        ([f"{BAD}}}", "- {to: out, file: c.csv, when: failure}"], "failed delivered", "failed"),
        ([f"{BAD}}}", "- {to: out, file: c.csv, when: always}"], "failed delivered", "partial"),
        ([f"{GOOD}}}", f"{BAD}}}"], "delivered failed", "partial"),
        (
            [f"{BAD}}}", "- {to: out, file: c.csv}", "- {to: out, file: d.csv, when: failure}"],
            "failed skipped delivered",
            "failed",
        ),
        (
            [f"{GOOD}}}", "- {to: out, file: c.csv, when: failure}", "- {to: out, file: d.csv}"],
            "delivered skipped delivered",
            "completed",
        ),
        (
            [f"{GOOD}}}", f"{BAD}, when: always}}", "- {to: out, file: d.csv, when: failure}"],
            "delivered failed delivered",
            "partial",
        ),
    ],
    ids=lambda case: case if isinstance(case, str) else None,
)
def test_a_step_is_done_by_how_the_one_before_it_ended(dock: Dock, said: list[str], states: str, status: str) -> None:
    sent = dock.send(steps(*said))
    assert (" ".join(sent.states), sent.outcome.status) == (states, status)


def test_a_failed_step_is_told_with_its_reason_and_hint(dock: Dock) -> None:
    outcome = dock.send(steps(f"{GOOD}}}", f"{BAD}, name: partner}}")).outcome
    assert outcome.reason == f"step partner failed: there is no folder {dock.directory}/nowhere"
    assert outcome.hint.startswith("Make it, say create: true")
    assert (outcome.status, outcome.exit_code) == ("partial", 1)
    assert dock.send(steps(f"{BAD}}}")).outcome.exit_code == Unreachable.exit_code


def test_each_step_has_its_own_format_and_name(dock: Dock) -> None:
    dock.send(
        steps(
            '- {to: out, file: "m.txt", format: {csv: {delimiter: "|"}}}',
            '- {to: out, file: "{{ job }}-{{ run.id }}-{{ slot.date }}.jsonl"}',
            "- {to: out, format: tsv}",
        ),
        slot=datetime(2026, 12, 1, 7, 15, tzinfo=UTC),
        zone=ZoneInfo("America/New_York"),
    )
    assert dock.delivered == {
        "m.txt": "ID|Name\r\n101|Zoë\r\n102|Ann\r\n",
        "feed-1-2026-12-01.jsonl": '{"ID":"101","Name":"Zoë"}\n{"ID":"102","Name":"Ann"}\n',
        "feed-2026-12-01-021500.tsv": "ID\tName\r\n101\tZoë\r\n102\tAnn\r\n",
    }


def test_a_run_by_hand_has_the_time_of_its_creation(dock: Dock) -> None:
    created = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    dock.send(steps('- {to: out, file: "{{ slot.date }}T{{ slot.time }}.csv"}'), created_at=created)
    assert list(dock.delivered) == ["2026-11-30T233000.csv"]


def test_rows_are_cut_into_files_of_a_batch(dock: Dock) -> None:
    dock.write("ID\n" + "".join(f"{number}\n" for number in range(5)))
    sent = dock.send(steps('- {to: out, file: "{{ batch }}.csv", batch: 2}'))
    assert dock.delivered == {"1.csv": "ID\r\n0\r\n1\r\n", "2.csv": "ID\r\n2\r\n3\r\n", "3.csv": "ID\r\n4\r\n"}
    assert [file.rows for file in sent.steps[0].files] == [2, 2, 1]
    assert sent.steps[0].made == 3


def test_batches_that_fit_exactly_leave_no_empty_file(dock: Dock) -> None:
    dock.send(steps('- {to: out, file: "{{ batch }}.csv", batch: 1}'))
    assert list(dock.delivered) == ["1.csv", "2.csv"]


def test_a_source_without_rows_is_delivered_with_its_header_or_not_at_all(dock: Dock) -> None:
    dock.write("ID,Name\n")
    assert dock.send(steps(f"{GOOD}}}")).outcome.status == "completed"
    assert dock.delivered == {"a.csv": "ID,Name\r\n"}
    sent = dock.send("empty: skip\n" + steps("- {to: out, file: c.csv}"))
    assert (sent.outcome.status, sent.states) == ("completed", ["skipped"])
    assert list(dock.delivered) == ["a.csv"]


class Sleeper:
    """A clock whose time passes while somebody sleeps, and what happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.slept_s = 0.0
        self._meanwhile = meanwhile

    def now(self) -> float:
        return 1_800_000_000 + self.slept_s

    def ticks(self) -> float:
        return self.slept_s

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self._meanwhile()


def test_a_step_is_tried_again_for_what_can_pass(dock: Dock) -> None:
    text = steps("- {to: late, file: a.csv, retry: {attempts: 3, delay: 10s}}")
    clock = Sleeper(lambda: (dock.directory / "late").mkdir(exist_ok=True))
    sent = dock.send(text, clock=clock)
    assert (sent.outcome.status, sent.steps[0].attempts) == ("completed", 2)
    assert clock.slept_s == pytest.approx(10)
    assert (dock.directory / "late/a.csv").exists()


def test_it_is_given_up_after_so_many_attempts(dock: Dock) -> None:
    clock = Sleeper()
    sent = dock.send(steps("- {to: late, file: a.csv, retry: {attempts: 3, delay: 10s, factor: 2}}"), clock=clock)
    assert (sent.states, sent.steps[0].attempts) == (["failed"], 3)
    assert clock.slept_s == pytest.approx(30)


def test_a_run_that_is_stopped_does_not_wait_for_the_next_attempt(dock: Dock) -> None:
    clock = Sleeper()
    with pytest.raises(Interrupted):
        dock.send(
            steps("- {to: late, file: a.csv, retry: {attempts: 3, delay: 10h}}"),
            clock=clock,
            stopping=lambda: clock.slept_s > 1,
        )
    assert clock.slept_s < 2


def test_what_is_refused_is_not_tried_again(dock: Dock) -> None:
    dock.out.joinpath("a.csv").write_text("there")
    sent = dock.send(steps("- {to: out, file: a.csv, overwrite: refuse, retry: {attempts: 3, delay: 1s}}"))
    assert (sent.states, sent.steps[0].attempts) == (["failed"], 1)


def test_a_run_that_is_tried_again_later_leaves_its_step_to_be_done(dock: Dock) -> None:
    text = steps(f"{GOOD}}}", f"{BAD}}}", "- {to: out, file: c.csv, when: failure}")
    with pytest.raises(Unreachable):
        dock.send(text, tries_again=True)
    (dock.directory / "nowhere").mkdir()
    (dock.out / "a.csv").unlink()
    sent = dock.send(text, again=dock.directory / "run1")
    assert (sent.outcome.status, sent.states) == ("completed", ["delivered", "delivered", "skipped"])
    assert dock.delivered == {}, "a step that was done is not done again"


def test_a_stopped_run_does_nothing_more_and_says_what_is_left(dock: Dock) -> None:
    told: list[str] = []
    with pytest.raises(Interrupted):
        dock.send(
            steps(f"{GOOD}}}", "- {to: out, file: c.csv}"),
            stopping=lambda: bool((dock.out / "a.csv").exists()),
            **{"progress": lambda counts: told.append(str(counts))},
        )
    assert list(dock.delivered) == ["a.csv"]


def test_values_and_rows_are_the_same_when_a_run_goes_on(dock: Dock) -> None:
    text = steps("- {to: nowhere, file: '{{ now.time }}-{{ slot.date }}.csv'}")
    with pytest.raises(Unreachable):
        dock.send(text, tries_again=True)
    values = (dock.directory / "run1/values.json").read_text()
    dock.write("ID,Name\n999,Late\n")
    (dock.directory / "nowhere").mkdir()
    dock.send(text, again=dock.directory / "run1")
    assert (dock.directory / "run1/values.json").read_text() == values
    (made,) = (dock.directory / "nowhere").iterdir()
    assert "999" not in made.read_text()


def test_a_name_that_a_template_makes_is_looked_at_again_at_run_time(dock: Dock) -> None:
    text = steps('- {to: out, file: "{{ job }}.csv"}')
    sent = dock.send(text, job="../feed")
    assert sent.outcome.status == "failed"
    assert sent.outcome.reason == (
        "step 1 failed: The file name '{{ job }}.csv' makes '../feed.csv', which cannot be used: "
        "it leads into another folder"
    )
    assert dock.delivered == {}


def test_a_bug_in_a_step_leaves_it_as_not_known(dock: Dock, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(local._Folder, "deliver", broken)
    with pytest.raises(ZeroDivisionError):
        dock.send(steps(f"{GOOD}}}", "- {to: out, file: c.csv, when: always}"))
    journal = read_steps(dock.directory / "run1")
    assert journal is not None
    assert [step.state for step in journal.steps] == ["unknown", "pending"]


def test_a_step_that_does_not_heed_its_time_is_broken_off_and_nobody_knows(
    dock: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(*_: Any) -> None:
        while True:
            pass

    monkeypatch.setattr(local._Folder, "deliver", deaf)
    monkeypatch.setattr(deadline, "GRACE_S", 0.1)
    sent = dock.send(steps(f"{GOOD}, timeout: 1s}}", "- {to: out, file: c.csv, when: success}"))
    assert (sent.outcome.status, sent.states) == ("failed", ["unknown", "skipped"])
    assert sent.outcome.reason == (
        "step 1: nobody knows whether it arrived: it took longer than 1s and had to be broken off: "
        "what has arrived is not known"
    )


def test_a_closed_run_leaves_no_step_in_the_middle(dock: Dock) -> None:
    text = steps(f"{GOOD}}}", f"{BAD}}}")
    with pytest.raises(Unreachable):
        dock.send(text, tries_again=True)
    directory: Path = dock.directory / "run1"
    dock.transfer(text).close(directory, "its process died 3 times")
    journal = read_steps(directory)
    assert journal is not None
    assert [(step.state, step.reason) for step in journal.steps] == [
        ("delivered", ""),
        ("pending", "its process died 3 times"),
    ]
