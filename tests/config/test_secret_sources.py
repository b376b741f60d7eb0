"""A secret comes from where the file says it is kept; what is unsafe there is refused, and nothing is ever repeated."""

import os
import sys
import time
from pathlib import Path

import pytest

from idms_cli.config.checked import Section, check
from idms_cli.config.documents import parse_document
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.secret_sources import SecretSource, resolve
from idms_cli.config.secrets import mask
from idms_cli.errors import InputError

PYTHON = sys.executable


class Login(Section):
    password: SecretSource


def source_of(written: str) -> SecretSource:
    return check(Login, parse_document(f"password: {written}\n".encode(), "idms.yaml")).password


def secret_file(folder: Path, content: bytes = b"hunter2\n", mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def refusal(source: SecretSource, base: Path, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        resolve(source, base, **options)  # type: ignore[arg-type]
    assert caught.value.hint
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    return str(caught.value)


def test_a_secret_comes_from_the_environment(tmp_path: Path) -> None:
    secret = resolve(source_of("{env: IDMS_PW}"), tmp_path, environ={"IDMS_PW": "hunter2"})
    assert secret.reveal() == "hunter2"


@pytest.mark.parametrize("environ", [{}, {"IDMS_PW": ""}], ids=["unset", "empty"])
def test_an_unset_variable_is_said(environ: dict[str, str], tmp_path: Path) -> None:
    message = refusal(source_of("{env: IDMS_PW}"), tmp_path, environ=environ)
    assert message == "the environment variable IDMS_PW is not set"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"hunter2", "hunter2"),
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b"hunter2\n\n", "hunter2\n"),
        (b" hunter2 \n", " hunter2 "),
        ("wörd\n".encode(), "wörd"),
    ],
)
def test_a_secret_comes_from_a_file_without_its_line_end(content: bytes, value: str, tmp_path: Path) -> None:
    secret_file(tmp_path, content)
    assert resolve(source_of("{file: secret}"), tmp_path).reveal() == value


@pytest.mark.parametrize("mode", [0o600, 0o400], ids=oct)
def test_a_private_file_is_read(mode: int, tmp_path: Path) -> None:
    path = secret_file(tmp_path, mode=mode)
    assert resolve(source_of(f"{{file: {path}}}"), Path("/")).reveal() == "hunter2"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o620, 0o700, 0o4600], ids=oct)
def test_a_file_that_others_may_use_is_refused(mode: int, tmp_path: Path) -> None:
    path = secret_file(tmp_path, mode=mode)
    assert f"has mode {mode:04o}" in refusal(source_of(f"{{file: {path}}}"), tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_account_is_refused(tmp_path: Path) -> None:
    path = secret_file(tmp_path)
    os.chown(path, 4711, 4711)
    assert "belongs to another account (uid 4711)" in refusal(source_of(f"{{file: {path}}}"), tmp_path)


def test_a_link_to_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(secret_file(tmp_path))
    assert "it is a symbolic link" in refusal(source_of("{file: link}"), tmp_path)


def test_a_directory_a_fifo_and_nothing_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    (tmp_path / "folder").mkdir()
    assert "is not a regular file" in refusal(source_of("{file: fifo}"), tmp_path)
    assert "Is a directory" in refusal(source_of("{file: folder}"), tmp_path)
    assert "No such file" in refusal(source_of("{file: nothing}"), tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"hunter2\xff", "is not UTF-8 text"),
        (b"x" * 70_000, "is larger than 64 KiB"),
    ],
    ids=["empty", "blank", "bytes", "large"],
)
def test_a_file_without_a_usable_secret_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    secret_file(tmp_path, content)
    assert reason in refusal(source_of("{file: secret}"), tmp_path)


def test_a_secret_comes_from_systemd_credentials(tmp_path: Path) -> None:
    secret_file(tmp_path, mode=0o440)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert resolve(source_of("{credential: secret}"), Path("/"), environ=environ).reveal() == "hunter2"


def test_outside_of_systemd_a_credential_is_refused_with_a_hint(tmp_path: Path) -> None:
    assert "there are no credentials here" in refusal(source_of("{credential: imis}"), tmp_path, environ={})


def test_a_secret_comes_from_a_program(tmp_path: Path) -> None:
    source = SecretSource(command=(PYTHON, "-c", "print('hunter2')"))
    assert resolve(source, tmp_path).reveal() == "hunter2"


def test_a_program_gets_its_arguments_as_they_are_without_a_shell(tmp_path: Path) -> None:
    source = SecretSource(command=(PYTHON, "-c", "import sys; print(sys.argv[1:])", "$HOME; $(id) *", "b c"))
    assert resolve(source, tmp_path).reveal() == "['$HOME; $(id) *', 'b c']"


def test_a_program_starts_in_the_directory_of_the_settings(tmp_path: Path) -> None:
    source = SecretSource(command=(PYTHON, "-c", "import os; print(os.getcwd())"))
    assert resolve(source, tmp_path).reveal() == str(tmp_path.resolve())


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        pytest.param((PYTHON, "-c", "import sys; sys.exit('hunter2')"), "failed with status 1", id="fails"),
        pytest.param((PYTHON, "-c", "pass"), "is empty", id="says-nothing"),
        pytest.param((PYTHON, "-c", "print('x' * 70000)"), "is larger than 64 KiB", id="says-too-much"),
        pytest.param(("/no/such/program",), "cannot be started: No such file or directory", id="is-not-there"),
        pytest.param(("a\0b",), "cannot be started", id="no-name"),
    ],
)
def test_a_program_that_tells_no_secret_is_refused(command: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    assert reason in refusal(SecretSource(command=command), tmp_path)


def test_what_a_program_says_on_stderr_is_shown_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = "import sys; print('hunter2', file=sys.stderr); sys.exit(3)"
    refusal(SecretSource(command=(PYTHON, "-c", program)), tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_program_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    source = SecretSource(command=("/bin/sh", "-c", "sleep 600 & echo $! > pid; wait"))
    assert "took longer than 2 s" in refusal(source, tmp_path, timeout_s=2.0)
    child = int((tmp_path / "pid").read_text())
    assert gone_within(child, seconds=10)


def gone_within(pid: int, *, seconds: float) -> bool:
    """Does the process end, or become a zombie that nobody has collected, in that time?"""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
    return False


def test_a_secret_that_was_fetched_is_masked_in_every_text(tmp_path: Path) -> None:
    resolve(source_of("{env: IDMS_PW}"), tmp_path, environ={"IDMS_PW": "fetched-canary"})
    assert mask("login with fetched-canary failed") == "login with *** failed"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("hunter2", "a secret cannot stand here itself"),
        ("[hunter2]", "a secret cannot stand here itself"),
        ("5", "a secret cannot stand here itself"),
        ("", "the place of a secret is missing"),
        ("{}", "exactly one place for the secret is wanted here"),
        ("{env: A, file: hunter2}", "exactly one place for the secret is wanted here"),
        ("{value: hunter2}", "this key is not known here"),
        ("{env: hunter2-}", "this is not the name of an environment variable"),
        ("{credential: ../hunter2}", "this is not the name of a credential"),
        ("{credential: .hunter2}", "this is not the name of a credential"),
        ("{command: pass show hunter2}", "a list is wanted here"),
        ("{command: []}", "this must not be empty"),
        ("{command: [hunter2, 5]}", "text is wanted here"),
        ("{file: 5}", "a path is wanted here"),
    ],
)
def test_a_secret_in_the_file_itself_is_refused_and_not_shown(written: str, message: str) -> None:
    with pytest.raises(ProblemsFound) as caught:
        source_of(written)
    assert [(problem.message, problem.value) for problem in caught.value.problems] == [(message, "")]
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.__context__)


def test_the_hint_names_the_four_places() -> None:
    with pytest.raises(ProblemsFound) as caught:
        source_of("hunter2")
    assert caught.value.problems[0].hint == (
        "say where it is kept: {env: NAME}, {file: PATH}, {credential: NAME} or {command: [PROGRAM, ...]}"
    )
