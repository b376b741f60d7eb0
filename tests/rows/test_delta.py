"""Only new and changed rows, and the keys of those that vanished."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from idms_cli.errors import InputError
from idms_cli.files.writers import Cells
from idms_cli.rows.delta import Compared, Delta, DeltaCounts, DeltaOptions
from idms_cli.rows.memory import memory_path, open_memory
from tests.delivery.cargo import ListRows

BOTH: Sequence[Cells] = (("101", "Zoë"), ("102", "Ann"))
KEY = DeltaOptions(key="ID")
WITH_VANISHED = DeltaOptions(key="ID", vanished=True)


def compared(tmp_path: Path, run: int, cells: Sequence[Cells], options: DeltaOptions = KEY) -> tuple[Delta, Compared]:
    directory = tmp_path / f"run-{run}"
    directory.mkdir(exist_ok=True)
    delta = Delta(tmp_path, "feed", options, directory)
    return delta, delta.compare(ListRows(cells=cells))


def delivered(tmp_path: Path, run: int, cells: Sequence[Cells], options: DeltaOptions = KEY) -> Compared:
    delta, found = compared(tmp_path, run, cells, options)
    assert delta.remember(run, at=1_000 + run)
    return found


def test_the_first_run_delivers_all_and_the_second_what_is_new_or_changed(tmp_path: Path) -> None:
    assert list(delivered(tmp_path, 1, BOTH).rows) == list(BOTH)
    found = delivered(tmp_path, 2, [("103", "Eve"), ("101", "Zoe"), ("102", "Ann")])
    assert list(found.rows) == [("103", "Eve"), ("101", "Zoe")]
    assert found.counts == DeltaCounts(new=1, changed=1, unchanged=1, remembered=2)
    assert list(delivered(tmp_path, 3, [("103", "Eve"), ("101", "Zoe"), ("102", "Ann")]).rows) == []


def test_what_was_not_delivered_is_sent_again(tmp_path: Path) -> None:
    compared(tmp_path, 1, BOTH)
    _, again = compared(tmp_path, 2, BOTH)
    assert list(again.rows) == list(BOTH)


def test_vanished_rows_come_once_with_their_key_and_again_when_they_are_back(tmp_path: Path) -> None:
    delivered(tmp_path, 1, BOTH, WITH_VANISHED)
    gone = delivered(tmp_path, 2, [("101", "Zoë")], WITH_VANISHED)
    assert gone.rows.columns == ("ID", "Name", "change")
    assert list(gone.rows) == [("102", None, "vanished")]
    assert gone.counts == DeltaCounts(unchanged=1, vanished=1, remembered=2)
    assert list(delivered(tmp_path, 3, [("101", "Zoë")], WITH_VANISHED).rows) == []
    back = delivered(tmp_path, 4, BOTH, WITH_VANISHED)
    assert list(back.rows) == [("102", "Ann", "new")]


def test_a_source_without_rows_lets_all_vanish(tmp_path: Path) -> None:
    delivered(tmp_path, 1, BOTH, WITH_VANISHED)
    directory = tmp_path / "empty"
    directory.mkdir()
    found = Delta(tmp_path, "feed", WITH_VANISHED, directory).compare(ListRows(columns=(), cells=()))
    assert found.rows.columns == ("ID", "change")
    assert list(found.rows) == [("101", "vanished"), ("102", "vanished")]


def test_a_run_that_goes_on_delivers_what_it_found_at_first(tmp_path: Path) -> None:
    delivered(tmp_path, 1, BOTH)
    delta, first = compared(tmp_path, 2, [("101", "Zoe"), ("102", "Ann")])
    _, second = compared(tmp_path, 2, [("101", "someone else"), ("102", "too")])
    assert list(first.rows) == list(second.rows) == [("101", "Zoe")]
    assert delta.remember(2, at=5)
    assert delta.remember(2, at=6)
    assert list(compared(tmp_path, 3, [("101", "Zoe"), ("102", "Ann")])[1].rows) == []


def test_other_columns_deliver_all_rows_anew(tmp_path: Path) -> None:
    delivered(tmp_path, 1, BOTH)
    directory = tmp_path / "other"
    directory.mkdir()
    renamed = Delta(tmp_path, "feed", KEY, directory).compare(ListRows(columns=("ID", "FullName"), cells=BOTH))
    assert renamed.counts == DeltaCounts(changed=2, remembered=2)


def test_a_reset_during_a_run_means_that_nothing_of_it_is_remembered(tmp_path: Path) -> None:
    delta, _ = compared(tmp_path, 1, BOTH)
    with open_memory(tmp_path, "feed") as memory:
        assert memory.reset() == 0
    assert not delta.remember(1, at=5)
    assert list(compared(tmp_path, 2, BOTH)[1].rows) == list(BOTH)


def test_a_key_that_is_dropped_is_delivered_again_also_when_that_was_during_a_run(tmp_path: Path) -> None:
    delivered(tmp_path, 1, BOTH)
    with open_memory(tmp_path, "feed") as memory:
        assert memory.drop(["101", "999"]) == 1
    delta, found = compared(tmp_path, 2, BOTH)
    assert list(found.rows) == [("101", "Zoë")]
    with open_memory(tmp_path, "feed") as memory:
        memory.drop(["101"])
    assert delta.remember(2, at=5)
    assert list(compared(tmp_path, 3, BOTH)[1].rows) == [("101", "Zoë")]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        pytest.param([("101", "a"), (" ", "b")], "row 2 has no ID", id="blank key"),
        pytest.param([("101", "a"), (None, "b")], "row 2 has no ID", id="no key"),
        pytest.param([("101", "a"), ("101", "b")], "rows 1 and 2 differ, and both have ID '101'", id="key twice"),
    ],
)
def test_rows_that_the_key_does_not_tell_apart_are_refused(
    tmp_path: Path, cells: Sequence[Cells], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        compared(tmp_path, 1, cells)


def test_a_row_that_comes_twice_is_delivered_once(tmp_path: Path) -> None:
    assert list(delivered(tmp_path, 1, [*BOTH, BOTH[0]]).rows) == list(BOTH)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(DeltaOptions(key="Id"), "there is no column 'Id'", id="key"),
        pytest.param(DeltaOptions(key="ID", mark="Name"), "there is a column 'Name' already", id="mark"),
    ],
)
def test_columns_that_do_not_fit_are_told(tmp_path: Path, options: DeltaOptions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compared(tmp_path, 1, BOTH, options)


def test_the_memory_holds_no_values_of_rows_and_is_private(tmp_path: Path) -> None:
    delivered(tmp_path, 1, [("101", "Zoë Very Secret"), ("102", "Ann")])
    path = memory_path(tmp_path, "feed")
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"Very Secret" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_a_process_killed_while_it_remembers_remembers_all_or_nothing(tmp_path: Path) -> None:
    many = [(str(number), "x" * 50) for number in range(20_000)]
    delta, _ = compared(tmp_path, 1, many)
    program = (
        "import sys; from pathlib import Path; from idms_cli.rows.delta import Delta, DeltaOptions\n"
        "d = Delta(Path(sys.argv[1]), 'feed', DeltaOptions(key='ID'), Path(sys.argv[2]))\n"
        "print('go', flush=True); d.remember(1, at=5)"
    )
    counts = set()
    for line_delay in range(6):
        arguments = [sys.executable, "-c", program, str(tmp_path), str(delta.directory)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            for _ in range(line_delay * 2_000):
                os.getpid()
            process.send_signal(signal.SIGKILL)
        with open_memory(tmp_path, "feed") as memory:
            counts.add(memory.count)
    assert counts <= {0, 20_000}
    assert delta.remember(1, at=6)
    with sqlite3.connect(memory_path(tmp_path, "feed")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (20_000,)
    connection.close()
