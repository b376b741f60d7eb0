"""A file is moved whole, to a free name, onto any file system; it is never lost and never overwrites another."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from idms_cli.files.moving import finish, move
from idms_cli.files.origins import NameTaken

SHM = Path("/dev/shm")


@pytest.fixture(params=["same file system", "another file system"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder to move files into."""
    if request.param == "same file system":
        (tmp_path / "archive").mkdir()
        yield tmp_path / "archive"
        return
    if not SHM.is_dir() or SHM.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one file system here")
    with TemporaryDirectory(dir=SHM) as folder:
        yield Path(folder)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n")
    os.utime(path, ns=(10**18, 10**18 + 123_456_789))
    return path


def test_a_file_is_moved_with_its_content_and_time(archive: Path, source: Path) -> None:
    assert move(source, archive / "12-x.csv")
    assert (archive / "12-x.csv").read_text() == "a\n1\n"
    assert (archive / "12-x.csv").stat().st_mtime_ns == 10**18 + 123_456_789
    assert not source.exists()
    assert [path.name for path in archive.iterdir()] == ["12-x.csv"]
    assert [path.name for path in source.parent.iterdir() if path.is_file()] == []


def test_a_name_that_is_taken_is_left_alone(archive: Path, source: Path) -> None:
    (archive / "12-x.csv").write_text("another one")
    with pytest.raises(NameTaken):
        move(source, archive / "12-x.csv")
    assert (archive / "12-x.csv").read_text() == "another one"
    assert source.read_text() == "a\n1\n"


def test_an_empty_file_that_held_the_name_when_the_machine_stopped_is_no_hindrance(archive: Path, source: Path) -> None:
    (archive / "12-x.csv").touch()
    assert move(source, archive / "12-x.csv")
    assert (archive / "12-x.csv").read_text() == "a\n1\n"


def test_the_empty_file_that_holds_the_name_goes_when_there_is_nothing_to_move(archive: Path, source: Path) -> None:
    source.unlink()
    with pytest.raises(FileNotFoundError):
        move(source, archive / "12-x.csv")
    assert list(archive.iterdir()) == []


def test_an_empty_file_is_moved_as_well(archive: Path, source: Path) -> None:
    source.write_text("")
    assert move(source, archive / "12-x.csv")
    assert (archive / "12-x.csv").read_text() == ""
    assert not source.exists()


def test_of_many_that_replace_a_file_while_it_is_moved_none_is_lost(archive: Path, source: Path) -> None:
    """Its sender may put the next one in its place at any moment: each content is somewhere afterwards."""
    written = ["a\n1\n"]
    stop = threading.Event()

    def send() -> None:
        number = 0
        while not stop.is_set():
            if not source.exists():
                number += 1
                beside = source.with_name("beside")
                beside.write_text(f"a\n{'x' * number}\n")
                os.link(beside, source)
                beside.unlink()
                written.append(f"a\n{'x' * number}\n")

    sender = threading.Thread(target=send)
    sender.start()
    moved = 0
    for number in range(200):
        try:
            moved += move(source, archive / f"{number}-x.csv")
        except FileNotFoundError:
            continue
    stop.set()
    sender.join()
    kept = [path.read_text() for path in archive.iterdir()]
    if source.exists():
        kept.append(source.read_text())
    assert sorted(kept) == sorted(written)
    assert moved > 0


@pytest.mark.parametrize("gone", ["source", "aside"])
def test_a_copy_that_was_cut_off_before_the_original_was_removed_is_finished(
    archive: Path, source: Path, gone: str
) -> None:
    target = archive / "12-x.csv"
    target.write_text("a\n1\n")
    os.utime(target, ns=(10**18, 10**18 + 123_456_789))
    if gone == "aside":
        source.rename(source.with_name(".12-x.csv.going"))
    finish(source, target)
    assert [path.name for path in source.parent.iterdir() if path.is_file()] == []
    assert target.read_text() == "a\n1\n"


def test_what_is_not_in_the_archive_is_never_removed(archive: Path, source: Path) -> None:
    target = archive / "12-x.csv"
    target.write_text("b\n2\n")
    os.utime(target, ns=(10**18, 10**18 + 123_456_789))
    finish(source, target)
    assert source.read_text() == "a\n1\n"
