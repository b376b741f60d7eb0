"""What the exit code of `idms run` says, and what a person reads beside it: with real processes and a real site."""

import os
import socket
import subprocess
from collections.abc import Callable

import pytest

from tests.conftest import Place


def _completed(place: Place) -> str:
    place.scores("scores", 2)
    return "run 1 of scores: completed; 2 read = 2 inserted"


def _nothing_to_read(place: Place) -> str:
    place.scores("scores", 0)
    return "run 1 of scores: completed; 0 read"


def _partial(place: Place) -> str:
    place.write("scores.csv", "member,course,grade\n101,Cooking,A\n102,Cooking\n")
    return "run 1 of scores: partial; 1 of 2 rows rejected; 2 read = 1 inserted + 1 rejected"


def _all_rejected(place: Place) -> str:
    place.write("scores.csv", "member,course,grade\n102,Cooking\n")
    return "run 1 of scores: failed; 1 of 1 rows rejected; 1 read = 1 rejected"


def _no_file(place: Place) -> str:
    return f"run 1 of scores: failed; missing: {place.directory}/scores.csv: there is no such file."


def _login_refused(place: Place) -> str:
    place.scores("scores", 2)
    place.environment["IDMS_TEST_PASSWORD"] = "wrong"
    return "run 1 of scores: failed; Connection test: the site refuses the login of idms-background: "


def _no_password(place: Place) -> str:
    place.scores("scores", 2)
    del place.environment["IDMS_TEST_PASSWORD"]
    return "run 1 of scores: failed; the environment variable IDMS_TEST_PASSWORD is not set"


def _out_of_reach(place: Place) -> str:
    place.scores("scores", 2)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
        place.settings(f"http://{host}")
    return f"run 1 of scores: failed; POST /token: no connection to {host}: "


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (_completed, 0),
        (_nothing_to_read, 0),
        (_partial, 1),
        (_all_rejected, 1),
        (_no_file, 5),
        (_no_password, 2),
        (_login_refused, 4),
        (_out_of_reach, 5),
    ],
)
def test_the_exit_code_of_a_run_tells_its_result(place: Place, prepare: Callable[[Place], str], code: int) -> None:
    place.job("scores")
    first_line = prepare(place)
    told = place.idms("run", "scores")
    assert told.returncode == code
    assert told.stdout.startswith(first_line)
    assert told.stderr == ""
    (run,) = place.runs()
    assert run.exit_code in (code, None if code == 0 else code)
    assert place.idms("show", "1").stdout.startswith(first_line)


@pytest.mark.parametrize("prepare", [_completed, _partial])
@pytest.mark.parametrize("streams", [("stdout",), ("stdout", "stderr")], ids=["stdout", "both"])
def test_nobody_who_reads_it_changes_neither_the_run_nor_its_code(
    place: Place, prepare: Callable[[Place], str], streams: tuple[str, ...]
) -> None:
    place.job("scores")
    prepare(place)
    reader, writer = os.pipe()
    os.close(reader)
    told = subprocess.run(
        place.command("run", "scores"), env=place.environment, check=False, timeout=90, **dict.fromkeys(streams, writer)
    )
    os.close(writer)
    (run,) = place.runs()
    assert (told.returncode, run.status) == ((0, "completed") if prepare is _completed else (1, "partial"))


def test_a_journal_that_cannot_be_read_is_told_as_that_and_not_as_the_history(place: Place) -> None:
    place.job("scores")
    place.scores("scores", 1)
    place.idms("run", "scores")
    journal = place.state / "runs/1/journal.db"
    journal.write_bytes(b"x" * 4096)
    told = place.idms("show", "1")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == (
        f"idms: {journal}: the journal of the run cannot be used: file is not a database.\n"
        "hint: Look at the disk, and at the rights of the state directory.\n"
    )
