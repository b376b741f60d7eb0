"""An idms.yaml that is wrong: all its mistakes at once, by every command, and never a secret."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from idms_cli.config.settings import SYSTEM_FILE
from tests.commands.conftest import SETTINGS, Desk, Told

COMMANDS = ["check", "jobs", "status", "run-due", "run good", "history", "show 1"]
EVERY = pytest.mark.parametrize("command", COMMANDS)

WRONG = """\
timezone: Europe/Zürich
jbos: jobs.d
connections:
  live:
    url: http://members.example.org
    username: idms
    password: hunter2-secret
    rate: 5
  other: {url: "https://me:hunter3-secret@x.example.org", username: idms, password: {envv: hunter4-secret}}
  third: {url: "https://x.example.org", username: idms, password: [hunter5-secret]}
defaults: {connection: lvie, timeout: 0s}
max_parallel: 0
naming: {pattern: "[a-z", description: maybe}
"""
ALL_THAT_IS_WRONG = """\
{file}:1:11: there is no time zone 'Europe/Zürich'
    hint: did you mean 'Europe/Zurich'?
{file}:2:1: the key 'jbos' is not known here
    hint: did you mean 'jobs'?
{file}:5:10: http:// sends passwords in the open; it is for this machine only
    value: http://members.example.org
    hint: write https://
{file}:7:15: a secret cannot stand here itself
    hint: say where it is kept: {{env: NAME}}, {{file: PATH}}, {{credential: NAME}} or {{command: [PROGRAM, ...]}}
{file}:8:11: a rate is wanted here
    value: 5
    hint: write how many per second, minute or hour: 5/s, 300/m, 1000/h
{file}:9:16: user name and password do not belong in the address
    hint: use the keys username and password
{file}:9:86: this key is not known here
    hint: did you mean 'env'?
{file}:10:57: a secret cannot stand here itself
    hint: say where it is kept: {{env: NAME}}, {{file: PATH}}, {{credential: NAME}} or {{command: [PROGRAM, ...]}}
{file}:11:24: there is no connection 'lvie'
    hint: did you mean 'live'?
{file}:11:39: the duration must be longer than 0s
    value: 0s
{file}:12:15: the number must be at least 1
    value: 0
{file}:13:19: this is not a regular expression: unterminated character set at position 0
    value: [a-z
    hint: put it in single quotes: '[a-z-]+'
{file}:13:40: 'maybe' is not one of: required, optional
"""


@EVERY
def test_all_mistakes_are_told_by_every_command_and_no_secret(desk: Desk, command: str) -> None:
    path = desk.settings(WRONG)
    told = desk.idms(*command.split())
    assert (told.code, told.out) == (2, "")
    assert told.err == ALL_THAT_IS_WRONG.format(file=path)
    assert "secret" not in told.err.replace("a secret cannot stand here", "")
    assert not desk.state.exists()


def _a_directory(path: Path) -> str:
    path.mkdir()
    return "{file}:1:1: this is not a regular file\n    hint: name a YAML file\n"


def _a_fifo(path: Path) -> str:
    os.mkfifo(path)
    return "{file}:1:1: this is not a regular file\n    hint: name a YAML file\n"


def _nothing(path: Path) -> str:
    del path
    return "{file}:1:1: there is no such file\n    hint: check the path\n"


def _writable_by_anybody(path: Path) -> str:
    path.write_text(SETTINGS)
    path.chmod(0o606)
    hint = "idms.yaml and jobs run with your rights: give them to root or to your account, and chmod go-w"
    return f"{{file}}:1:1: the file may be written by anybody (mode 0606)\n    hint: {hint}\n"


def _not_yaml(path: Path) -> str:
    path.write_text("connections: [\n")
    return (
        "{file}:2:1: a value is missing here, or a bracket is not closed\n"
        "    hint: check the brackets [ ] and { } before this place\n"
    )


@pytest.mark.timeout(20)
@EVERY
@pytest.mark.parametrize("put", [_a_directory, _a_fifo, _nothing, _writable_by_anybody, _not_yaml])
def test_settings_that_cannot_be_read_are_told_by_every_command(desk: Desk, command: str, put: object) -> None:
    path = desk.directory / "idms.yaml"
    path.unlink()
    assert callable(put)
    expected = put(path).replace("{file}", str(path))
    told = desk.idms(*command.split())
    assert (told.code, told.out, told.err) == (2, "", expected)


@pytest.mark.skipif(SYSTEM_FILE.exists(), reason="this machine has an idms.yaml of its own")
def test_where_settings_were_looked_for_is_told(
    idms: Callable[[list[str]], Told], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = idms(["status"])
    assert (told.code, told.out) == (2, "")
    assert told.err == (
        "idms: there is no idms.yaml\n"
        f"hint: looked for --config FILE, $IDMS_CONFIG, {tmp_path}/idms.yaml and /etc/idms/idms.yaml\n"
    )


def test_settings_are_found_by_environment_or_directory(
    desk: Desk,
    idms: Callable[[list[str]], Told],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(desk.directory)
    assert "good: ok" in idms(["check"]).out
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setenv("IDMS_CONFIG", str(desk.directory / "idms.yaml"))
    assert "good: ok" in idms(["check"]).out
