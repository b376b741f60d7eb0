"""What no command foresaw: one line, a crash file that can be sent, exit code 3; and no secret anywhere."""

import sqlite3
import stat
import subprocess
import sys

import pytest

from idms_cli.config.secrets import Secret
from tests.commands.conftest import Desk

SECRET = 'Gänse"füß\\chen%20'


class _OddError(Exception):
    pass


def _fail_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        password = Secret(SECRET)
        raise error from ValueError(f"the login {password.reveal()} is odd")

    monkeypatch.setattr("idms_cli.dispatch.reading._check", fail)


def test_a_bug_is_one_line_and_a_crash_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_with(_OddError(f"odd: {SECRET}"), monkeypatch)
    told = desk.idms("check")
    (crash,) = (desk.state / "crash").iterdir()
    assert (told.code, told.out) == (3, "")
    assert told.err == f"idms: a bug: _OddError\nhint: Please report it with {crash}\n"
    assert stat.S_IMODE(crash.stat().st_mode) == 0o600
    assert stat.S_IMODE(crash.parent.stat().st_mode) == 0o700


def test_a_crash_file_says_where_it_was_and_no_secret(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_with(_OddError(f"odd: {SECRET}"), monkeypatch)
    desk.idms("check")
    (crash,) = (desk.state / "crash").iterdir()
    text = crash.read_text(encoding="utf-8")
    assert text.startswith("idms 0.")
    assert "ValueError: the login *** is odd\n" in text
    assert "_OddError: odd: ***\n" in text
    assert "reading.py" in text
    assert "Gänse" not in text


def test_a_masked_traceback_is_what_debug_adds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_with(_OddError(f"odd: {SECRET}"), monkeypatch)
    assert "Traceback" not in desk.idms("check").text
    told = desk.debug("check")
    assert (told.code, told.out) == (3, "")
    assert "Traceback (most recent call last):" in told.err
    assert "_OddError: odd: ***\n" in told.err
    assert "Gänse" not in told.err


def test_with_debug_a_mistake_of_the_operator_shows_where_it_was_found(desk: Desk) -> None:
    told = desk.debug("run", "goof")
    assert told.code == 2
    assert told.err.startswith("idms: there is no job 'goof'\nhint: did you mean 'good'?\nTraceback")


def test_a_bug_in_reading_the_settings_leaves_its_crash_file_here(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise _OddError

    monkeypatch.setattr("idms_cli.commands.read_settings", fail)
    monkeypatch.chdir(desk.directory)
    told = desk.idms("check")
    (crash,) = (desk.directory / ".idms/crash").iterdir()
    assert told.err.endswith(f"hint: Please report it with {crash}\n")


def test_a_crash_file_that_cannot_be_written_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_with(_OddError(), monkeypatch)
    desk.state.write_text("")
    told = desk.idms("check")
    assert told.code == 3
    assert told.err.startswith("idms: a bug: _OddError\nhint: A crash file could not be written: ")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (sqlite3.OperationalError("database is locked"), "the history cannot be used: database is locked"),
        (sqlite3.OperationalError("database or disk is full"), "the history cannot be used: database or disk is full"),
        (
            sqlite3.OperationalError("attempt to write a readonly database"),
            "the history cannot be used: attempt to write a readonly database",
        ),
        (OSError(28, "No space left on device", "/srv/x"), "/srv/x: No space left on device"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
    ],
    ids=["locked", "full", "read-only", "no space", "no right"],
)
def test_what_the_machine_refuses_is_no_bug(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    _fail_with(error, monkeypatch)
    told = desk.idms("check")
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith(f"idms: {message}\nhint: Check the disk, and the rights of the ")
    assert not (desk.state / "crash").exists()


def test_a_state_that_is_no_directory_is_told(desk: Desk) -> None:
    desk.state.write_text("")
    for command in ("status", "history", "run-due", "run good", "show 1"):
        told = desk.idms(*command.split())
        assert (told.code, told.out) == (1, "")
        assert told.err == (
            f"idms: {desk.state}: the history cannot be opened: this is not a directory\n"
            "hint: `state:` in idms.yaml must be a directory on a local disk that this account may write to.\n"
        )


def test_checking_and_listing_needs_no_state(desk: Desk) -> None:
    desk.state.write_text("")
    assert desk.idms("check").code == 0
    assert desk.idms("jobs").code == 0


def test_ctrl_c_while_it_is_still_loading_is_no_traceback() -> None:
    loading = """
import builtins
import_it = builtins.__import__
def interrupted(name, *rest):
    if name == "idms_cli.cli":
        raise KeyboardInterrupt
    return import_it(name, *rest)
builtins.__import__ = interrupted
from idms_cli.__main__ import main
main()
"""
    told = subprocess.run([sys.executable, "-c", loading], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (130, "", "idms: interrupted\n")
