"""The command line itself: usage, help, what is loaded, and readers who leave early."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from idms_cli import __version__
from idms_cli.cli import COMMANDS
from tests.commands.conftest import GOOD, Desk, Told

HEAVY = {"pydantic", "httpx", "rich", "croniter", "sqlite_utils", "yaml"}
VISIBLE = [name for name, entry in COMMANDS.items() if not entry.hidden]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("statsu", "Error: no command 'statsu': did you mean 'status'?"),
        ("xyzzy", "Error: no command 'xyzzy'"),
        ("--jsn", "Error: No such option '--jsn'."),
        ("status --jsn", "Error: No such option '--jsn'. Did you mean '--json'?"),
        ("run", "Error: Missing argument 'JOB'."),
        ("run good other", "Error: Got unexpected extra argument (other)"),
        ("run good --limit 0", "Error: Invalid value for '--limit': 0 is not in the range 1<=x<=1000000000."),
        ("show", "Error: Missing argument 'RUN'."),
        ("show first", "Error: Invalid value for 'RUN': 'first' is not a valid integer."),
        ("history --limit 0", "Error: Invalid value for '--limit': 0 is not in the range 1<=x<=100000."),
        ("history --status done", "Error: Invalid value for '--status': 'done' is not one of 'pending',"),
        (
            "history --since yesterday",
            "Error: Invalid value for --since: 'yesterday' is neither a duration (2d) nor a date (2026-11-01)",
        ),
        ("run-due --at noon", "Error: Invalid value for --at: 'noon' is no time; write it like 2026-12-01 02:15"),
        ("run-due --at 9999-12-31", "Error: Invalid value for --at: '9999-12-31' is not in the years 1970 to 2999"),
    ],
    ids=lambda value: value if not value.startswith("Error") else "",
)
def test_a_line_that_cannot_be_meant_is_told_with_usage(desk: Desk, line: str, told: str) -> None:
    result = desk.idms(*line.split())
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: idms ")
    assert f"\n{told}" in result.err
    assert not desk.state.exists()


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("run goof", "there is no job 'goof'", "did you mean 'good'?"),
        ("run xyzzy", "there is no job 'xyzzy'", "Jobs: good."),
        ("check good goof", "there is no job 'goof'", "did you mean 'good'?"),
        ("history goof", "there is no job 'goof'", "did you mean 'good'?"),
        ("show 0", "there is no run 0", "`idms history` lists the runs."),
        ("show 99", "there is no run 99", "`idms history` lists the runs."),
        ("show 99999999999999999999", "there is no run 99999999999999999999", "`idms history` lists the runs."),
        ("run a\x1b[2Jb", "there is no job 'a\\x1b[2Jb'", "Jobs: good."),
    ],
    ids=["run near", "run far", "check", "history", "show none", "show", "show beyond all numbers", "terminal codes"],
)
def test_what_is_not_there_is_told_with_what_is(desk: Desk, line: str, message: str, hint: str) -> None:
    result = desk.idms(*line.split(" "))
    assert (result.code, result.out, result.err) == (2, "", f"idms: {message}\nhint: {hint}\n")


def test_of_many_jobs_a_dozen_are_named_and_the_rest_counted(desk: Desk) -> None:
    for number in range(14):
        desk.job(f"other{number:02}", GOOD)
    hint = desk.idms("run", "xyzzy").err.splitlines()[1]
    assert hint.startswith("hint: Jobs: good, other00, ")
    assert hint.endswith(", other10 and 3 more.")


def test_no_command_at_all_shows_what_there_is(idms: Callable[[list[str]], Told]) -> None:
    told = idms([])
    assert told.code == 2
    assert [name for name in VISIBLE if f"\n  {name} " not in told.text] == []


@pytest.mark.parametrize("name", VISIBLE)
def test_each_command_explains_itself_in_80_columns(idms: Callable[[list[str]], Told], name: str) -> None:
    told = idms([name, "--help"])
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith(f"Usage: idms {name} ")
    assert max(map(len, told.out.splitlines())) <= 80
    options = re.findall(r"^  (?:-\w, )?--[\w-]+.*?(?=^  -|\Z)", told.out, re.MULTILINE | re.DOTALL)
    assert [option for option in options if not re.search(r"[A-Z].*\.", option, re.DOTALL)] == []


def test_help_and_version_load_no_heavy_library() -> None:
    for option in ("--help", "--version"):
        told = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "idms_cli", option], capture_output=True, text=True, check=True
        )
        loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in told.stderr.splitlines()}
        assert "click" in loaded
        assert loaded & HEAVY == set()


def test_the_version_is_told(idms: Callable[[list[str]], Told]) -> None:
    assert idms(["--version"]) == Told(0, f"idms, version {__version__}\n", "")


def _run(desk: Desk, *arguments: str, **streams: object) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "idms_cli", "--config", str(desk.directory / "idms.yaml"), *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, timeout=60, check=False, **streams)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    ("line", "code"),
    [("check", 2), ("check good", 0), ("jobs --json", 0), ("run-due", 2), ("--help", 0), ("run-due --help", 0)],
)
def test_a_reader_who_leaves_early_is_no_error_and_changes_no_exit_code(desk: Desk, line: str, code: int) -> None:
    desk.job("bad", "module: [")
    reader, writer = os.pipe()
    os.close(reader)
    told = _run(desk, *line.split(), stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert told.returncode == code
    assert b"rror" not in told.stderr


@pytest.mark.parametrize("closed", [">&-", "<&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("line", ["status", "run-due"])
def test_without_some_of_its_streams_the_work_is_done_and_no_file_is_taken_for_one(
    desk: Desk, closed: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    command = [sys.executable, "-m", "idms_cli", "--config", str(desk.directory / "idms.yaml"), line]
    told = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *command], capture_output=True, timeout=60, check=False
    )
    assert (told.returncode, told.stderr) == (0, b"")
    assert (desk.state / "history.lock").read_bytes() == b""


def test_a_full_disk_below_stdout_is_told(desk: Desk) -> None:
    with Path("/dev/full").open("wb") as full:
        told = _run(desk, "check", stdout=full, stderr=subprocess.PIPE)
    assert told.returncode == 1
    assert told.stderr.startswith(b"idms: No space left on device\n")
    assert b"Traceback" not in told.stderr


def test_a_locale_without_accents_is_no_reason_to_fail(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    desk.job("good", (desk.jobs / "good.yaml").read_text().replace("Scores\n", "Prüfung\n", 1))
    told = _run(desk, "jobs", capture_output=True)
    assert told.returncode == 0
    assert b"Pr\\xfcfung" in told.stdout
