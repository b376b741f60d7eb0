"""A folder as a destination: whole files or none, whatever happens to the disk or to us."""

import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.delivery import Receipt
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, Interrupted, Unreachable
from tests.delivery.cargo import SampleCargo, delivered, delivery, destination, digest, sample

CONTENT = "ID,Name\r\n101,Zoë\r\n102,Ann\r\n"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


def deliver(step: str, cargo: SampleCargo, directory: Path) -> Receipt:
    return destination(step, directory).deliver(cargo, delivery(directory))


def refused(step: str, cargo: SampleCargo, directory: Path) -> IdmsError:
    with pytest.raises(IdmsError) as caught:
        deliver(step, cargo, directory)
    assert caught.value.hint
    return caught.value


def test_a_file_arrives_whole_and_readable_by_the_group(tmp_path: Path, out: Path, made: Path) -> None:
    receipt = deliver("to: out/", sample(made), tmp_path)
    assert receipt == Receipt(str(out / "members.csv"), items=1, size=len(CONTENT.encode()))
    assert [path.name for path in out.iterdir()] == ["members.csv"]
    assert (out / "members.csv").read_bytes().decode() == CONTENT
    assert stat.S_IMODE((out / "members.csv").stat().st_mode) == 0o640


@pytest.mark.parametrize("to", ["{}", "{}/", "file://{}"], ids=["plain", "slash", "address"])
def test_a_folder_is_written_in_three_ways(tmp_path: Path, out: Path, made: Path, to: str) -> None:
    assert delivered(f'to: "{to.format(out)}"', sample(made), tmp_path) == str(out / "members.csv")


def test_the_rights_of_the_file_are_those_that_are_said(tmp_path: Path, out: Path, made: Path) -> None:
    deliver('{to: out, mode: "0604"}', sample(made), tmp_path)
    assert stat.S_IMODE((out / "members.csv").stat().st_mode) == 0o604


@pytest.mark.parametrize("mode", ["0200", "4755", "640x", "", "64"])
def test_rights_that_make_no_sense_are_a_problem(tmp_path: Path, mode: str) -> None:
    with pytest.raises(ProblemsFound):
        destination(f'{{to: out, mode: "{mode}"}}', tmp_path)


def test_a_file_of_the_same_name_is_replaced_in_one_moment(tmp_path: Path, out: Path, made: Path) -> None:
    (out / "members.csv").write_text("yesterday's")
    with (out / "members.csv").open() as reader:
        deliver("to: out", sample(made), tmp_path)
        assert reader.read() == "yesterday's"
    assert (out / "members.csv").read_bytes().decode() == CONTENT


def test_a_file_that_is_there_is_left_alone_if_that_is_wanted(tmp_path: Path, out: Path, made: Path) -> None:
    (out / "members.csv").write_text("not fetched yet")
    error = refused("{to: out, overwrite: refuse}", sample(made), tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert str(error) == f"{out}/members.csv is there already"
    assert [path.read_text() for path in out.iterdir()] == ["not fetched yet"]


def test_a_refused_file_is_delivered_once_the_other_is_gone(tmp_path: Path, out: Path, made: Path) -> None:
    (out / "members.csv").write_text("not fetched yet")
    refused("{to: out, overwrite: refuse}", sample(made), tmp_path)
    (out / "members.csv").unlink()
    deliver("{to: out, overwrite: refuse}", sample(made), tmp_path)
    assert (out / "members.csv").read_bytes().decode() == CONTENT


@pytest.mark.parametrize(
    ("name", "numbered"),
    [("members.csv", "members-3.csv"), ("members.csv.gz", "members-3.csv.gz"), ("members", "members-3")],
)
def test_a_file_takes_the_next_number(tmp_path: Path, out: Path, made: Path, name: str, numbered: str) -> None:
    for taken in (name, numbered.replace("3", "2")):
        (out / taken).write_text("not fetched yet")
    assert delivered("{to: out, overwrite: number}", sample(made, name=name), tmp_path) == str(out / numbered)
    assert sorted(path.name for path in out.iterdir()) == sorted([name, numbered.replace("3", "2"), numbered])


def test_several_files_arrive_and_are_counted(tmp_path: Path, out: Path, made: Path) -> None:
    cargo = SampleCargo([made / f"{number}.csv" for number in range(3)])
    for path in cargo.files:
        path.write_text(path.name)
    assert deliver("to: out", cargo, tmp_path) == Receipt(f"{out}/", items=3, size=15)
    assert sorted(path.read_text() for path in out.iterdir()) == ["0.csv", "1.csv", "2.csv"]


def test_a_folder_that_is_not_there_can_pass(tmp_path: Path, made: Path) -> None:
    error = refused("to: elsewhere", sample(made), tmp_path)
    assert isinstance(error, Unreachable)
    assert str(error) == f"there is no folder {tmp_path}/elsewhere"


def test_a_folder_is_made_if_that_is_wanted(tmp_path: Path, made: Path) -> None:
    deliver("{to: deep/er, create: true}", sample(made), tmp_path)
    assert (tmp_path / "deep/er/members.csv").exists()
    assert stat.S_IMODE((tmp_path / "deep/er").stat().st_mode) == 0o750


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, out: Path, made: Path) -> None:
    (tmp_path / "link").symlink_to(out)
    error = refused("to: link", sample(made), tmp_path)
    assert isinstance(error, InputError)
    assert "is a link, which may lead anywhere" in str(error)
    assert str(out) in error.hint


@pytest.mark.parametrize("overwrite", ["replace", "refuse", "number"])
def test_a_link_under_the_files_name_is_never_followed(tmp_path: Path, out: Path, made: Path, overwrite: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (out / "members.csv").symlink_to(precious)
    if overwrite == "number":
        deliver(f"{{to: out, overwrite: {overwrite}}}", sample(made), tmp_path)
    else:
        assert isinstance(refused(f"{{to: out, overwrite: {overwrite}}}", sample(made), tmp_path), DeliveryRefused)
    assert precious.read_text() == "precious"
    assert (out / "members.csv").is_symlink()


def test_a_file_is_no_folder(tmp_path: Path, made: Path) -> None:
    (tmp_path / "out.csv").write_text("")
    assert "is no folder" in str(refused("to: out.csv", sample(made), tmp_path))


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: as a quota would have it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path: Path, out: Path, made: Path) -> None:
    (out / "members.csv").write_text("yesterday's")
    cargo = sample(made, size=300_000)
    with at_most(100_000):
        error = refused("to: out", cargo, tmp_path)
    assert isinstance(error, DeliveryRefused)
    assert str(error) == f"{out}: the disk does not take it: File too large"
    assert [path.read_text() for path in out.iterdir()] == ["yesterday's"]
    deliver("to: out", cargo, tmp_path)
    assert digest(out / "members.csv") == digest(made / "members.csv")


def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, made: Path) -> None:
    """/proc takes no file from anybody, root included."""
    error = refused("to: /proc", sample(made), tmp_path)
    assert isinstance(error, DeliveryRefused | Unreachable)
    assert str(error).startswith("/proc")


def test_a_stopped_delivery_leaves_nothing_half_written(tmp_path: Path, out: Path, made: Path) -> None:
    looks = iter([False, False, True])
    cargo = sample(made, size=5_000_000)
    with pytest.raises(Interrupted):
        destination("to: out", tmp_path).deliver(cargo, delivery(tmp_path, stopping=lambda: next(looks)))
    assert list(out.iterdir()) == []


def test_a_rehearsal_says_what_would_be_done_and_does_nothing(tmp_path: Path, out: Path, made: Path) -> None:
    (out / "members.csv").write_text("yesterday's")
    told = destination("to: out", tmp_path).rehearse(sample(made), delivery(tmp_path))
    assert told == f"would put members.csv into {out}, replacing what is there"
    assert [path.read_text() for path in out.iterdir()] == ["yesterday's"]
    with pytest.raises(Unreachable):
        destination("to: elsewhere", tmp_path).rehearse(sample(made), delivery(tmp_path))


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from idms_cli.delivery import renaming
from tests.delivery.cargo import delivery, destination, sample

directory, overwrite = Path(sys.argv[1]), sys.argv[2]
made, out = directory / "made", directory / "out"
cargo = sample(made, size=1_500_000)
step = f"{{to: out, overwrite: {overwrite}}}"
CALLS = ("open", "fsync", "replace", "rename", "link", "unlink", "fchmod")


def die_at(number):
    left = [number]
    for name in CALLS:
        def counted(*arguments, real=getattr(os, name), **more):
            done = real(*arguments, **more)
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return done
        setattr(os, name, counted)
    real = renaming._renamed

    def renamed(*arguments):
        done = real(*arguments)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    renaming._renamed = renamed


for number in range(1, 500):
    for folder in (directory / "step", out):
        for path in list(folder.iterdir()) if folder.exists() else ():
            path.unlink()
    if overwrite == "number":
        (out / "members.csv").write_text("not fetched yet")
    pid = os.fork()
    if pid == 0:
        die_at(number)
        destination(step, directory).deliver(cargo, delivery(directory))
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    taken = [path for path in out.iterdir() if path.name[0] != "." and path.stat().st_size > 100]
    assert all(path.stat().st_size == 1_500_000 for path in taken), "half a file"
    for path in taken:
        path.unlink()  # whoever it was for has fetched it
    again = replace(delivery(directory), run_id=8)  # as `idms retry` has it, which takes the step's folder over
    destination(step, directory).deliver(cargo, again)
    there = sorted(path.name for path in out.iterdir() if path.stat().st_size > 100)
    came = len(taken) + len(there)
    assert came == 1, (number, taken, there)
    assert not [path for path in out.iterdir() if path.name[0] == "."], "a rest"
    if os.WIFEXITED(status):
        print(number)
        sys.exit(0)
sys.exit(1)
"""


@pytest.mark.parametrize("overwrite", ["replace", "refuse", "number"])
def test_killed_at_any_moment_and_called_again_the_file_comes_once(tmp_path: Path, overwrite: str) -> None:
    for name in ("made", "out"):
        (tmp_path / name).mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), overwrite],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
