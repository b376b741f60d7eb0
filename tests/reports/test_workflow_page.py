"""The page of a workflow: a thousand steps that a person can read; data that is bounded and without secrets."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idms_cli.config.secrets import Secret
from idms_cli.errors import InputError
from idms_cli.history.rows import Run
from idms_cli.history.steps import StepRow
from idms_cli.modules.steps import StepResult
from idms_cli.modules.workflows.notes import Note, facts_of, read_note, write_json, write_note
from idms_cli.reports.page import Table
from idms_cli.reports.stepdata import step_data
from idms_cli.reports.workflow import workflow_page
from idms_cli.rows.spool import spooling

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def run(status: str = "completed") -> Run:
    fields: dict[str, Any] = dict.fromkeys(("intent", "connection", "definition", "pool", "reason", "hint"), "")
    numbers: dict[str, Any] = dict.fromkeys(("priority", "late_s", "attempt", "retried"), 0)
    none = ("due", "of_run", "row_limit", "timeout_s", "start_by", "wait_s", "disable_after", "ended_at", "not_before")
    return Run(
        id=7, job="flow", by_hand=True, foreground=False, dry_run=False, options={}, locks=(), created_at=NOW,
        started_at=NOW, stop_reason="", stop_force=False, exit_code=None, decided_by=None, decided_at=None,
        status=status, **fields, **numbers, **dict.fromkeys(none),
    )  # fmt: skip


def rows_of(steps: list[StepRow], *, every: bool = False) -> list[tuple[str, ...]]:
    page = workflow_page(run(), steps, every=every)
    (table,) = [part for part in page.parts if isinstance(part, Table)]
    return [tuple(row) for row in table.rows]


def test_a_thousand_steps_are_a_page_and_what_went_wrong_has_its_own_line() -> None:
    steps = [StepRow(f"s{n}", n, "filter", "succeeded", began_at=1.0, ended_at=2.0, rows=2) for n in range(1, 1001)]
    steps[499] = StepRow("s500", 500, "http", "failed", "no answer", began_at=1.0, ended_at=2.0)
    steps[700:] = [StepRow(f"s{n}", n, "gate", "skipped", "jumped over by s700") for n in range(701, 1001)]
    assert rows_of(steps) == [
        ("s1 ... s499", "filter", "succeeded", "998", "8m19s", "499 steps"),
        ("s500", "http", "failed", "", "1.0 s", ""),
        ("s501 ... s700", "filter", "succeeded", "400", "3m20s", "200 steps"),
        ("s701 ... s1000", "gate", "skipped", "", "", "300 steps; jumped over by s700"),
    ]
    assert len(rows_of(steps, every=True)) == 1000


def test_steps_within_steps_stand_below_them() -> None:
    steps = [
        StepRow("both", 1, "parallel", "succeeded"),
        StepRow("last", 4, "gate", "succeeded"),
        StepRow("both/left/2", 3, "gate", "skipped", "not reached: 1 ended it"),
        StepRow("both/left/1", 2, "gate", "succeeded"),
    ]
    assert [row[0] for row in rows_of(steps)] == ["both", "  left/1", "  left/2", "last"]


def test_a_step_at_which_nobody_goes_on_was_interrupted() -> None:
    page = workflow_page(run("cancelled"), [StepRow("pause", 1, "wait", "running", began_at=1.0)])
    assert page.data["workflow"][0]["status"] == "interrupted"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    folder = tmp_path / "steps"
    write_json(tmp_path / "input.json", {"since": "2026-12-01"})
    for name in ("asked", "found", "later"):
        (folder / name).mkdir(parents=True)
    output = {"status": 200, "headers": {"authorization": "Bearer abc", "token": 5}, "json": [{"password": "pw"}] * 50}
    write_note(folder / "asked", Note("succeeded", output={**output, "text": "x" * 5000}))
    with spooling(folder / "found/rows.spool") as spool:
        spool.add_all([{"ID": str(n)} for n in range(500)])
    write_note(folder / "found", Note("succeeded", rows="steps/found/rows.spool"))
    write_note(folder / "later", Note("failed", reason="no answer"))
    return tmp_path


STEPS = [StepRow("asked", 1, "http", "succeeded"), StepRow("found", 2, "query", "succeeded")]
LATER = StepRow("later", 3, "http", "failed")


def test_the_data_after_a_step_are_bounded_and_without_secrets(directory: Path) -> None:
    data = step_data(run(), [*STEPS, LATER], directory, "found").data["data"]
    assert list(data) == ["input", "asked", "found"]
    assert data["asked"]["headers"] == {"authorization": "***", "token": 5}
    assert data["asked"]["json"][0] == {"password": "***"}
    assert data["asked"]["json"][-1] == "... 30 more"
    assert data["asked"]["text"].endswith("... 3,000 more characters")
    assert (data["found"]["rows"], len(data["found"]["first"])) == (500, 20)
    assert data["found"]["file"] == str(directory / "steps/found/rows.spool")


def test_a_step_that_failed_says_so_and_one_that_there_is_not_is_told(directory: Path) -> None:
    later = step_data(run(), [*STEPS, LATER], directory, "later").data["data"]["later"]
    assert later == {"status": "failed", "reason": "no answer"}
    with pytest.raises(InputError, match="run 7 has no step 'fuond'"):
        step_data(run(), [*STEPS, LATER], directory, "fuond")
    with pytest.raises(InputError, match="no longer kept"):
        step_data(run(), STEPS, directory / "gone", "found")


def test_a_secret_that_an_answer_echoes_is_kept_for_later_steps_and_shown_to_nobody(tmp_path: Path) -> None:
    token = Secret("echoed-canary")
    given = {"json": {"seen": [f"Bearer {token.reveal()}"]}}
    folder = tmp_path / "steps/got"
    folder.mkdir(parents=True)
    write_note(folder, Note(**facts_of(StepResult(given), tmp_path)))
    kept = read_note(folder)
    assert kept is not None
    assert (kept.output, kept.shown) == (given, {"json": {"seen": ["Bearer ***"]}})
    told = step_data(run(), [StepRow("got", 1, "http", "succeeded")], tmp_path, "got")
    assert told.data["data"]["got"] == {"json": {"seen": ["Bearer ***"]}}


def test_an_output_without_a_secret_is_kept_once(tmp_path: Path) -> None:
    assert facts_of(StepResult({"rows": [1, "a", None, True]}), tmp_path)["shown"] is None
