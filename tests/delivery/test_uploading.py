"""Uploads end at every moment, by a kill or by a lost line, and are done again: each file comes once, whole."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from idms_cli.delivery.marks import mark_of
from idms_cli.delivery.placing import Placing
from idms_cli.delivery.uploads.uploading import NameTaken, Overwrite, upload
from idms_cli.errors import DeliveryRefused, Unreachable
from tests.delivery.cargo import SampleCargo, delivery

OLD = "yesterday's"
NEW = {"a.csv": "new a", "b.csv": "new b"}


class Killed(BaseException):
    """No code of ours runs after it."""


class Moments:
    """Counts what is done, and ends it at one of the moments: before or after an operation."""

    def __init__(self) -> None:
        self.left = 0
        self.fault: type[BaseException] | None = None
        self.is_gone = False

    def arm(self, moment: int, fault: type[BaseException]) -> None:
        self.left, self.fault, self.is_gone = moment, fault, False

    def heal(self) -> None:
        self.fault, self.is_gone = None, False

    def pass_one(self, *, remote: bool = True) -> None:
        if self.fault is Unreachable and not remote:
            return
        self.left -= 1
        if self.left == 0 and self.fault is Killed:
            raise Killed
        self.is_gone |= self.left == 0 and self.fault is Unreachable
        if self.is_gone:
            raise Unreachable("gone", hint="wait")


class Shelf:
    """See `RemoteFolder`: a folder here that behaves as one on a server."""

    def __init__(self, path: Path, moments: Moments, *, replaces: bool) -> None:
        self._path = path
        self._moments = moments
        self._replaces = replaces

    def address(self, name: str = "") -> str:
        return f"there/{name}"

    def make_ready(self, *, create: bool) -> None:
        """It is."""

    def size(self, name: str) -> int | None:
        self._moments.pass_one()
        path = self._path / name
        return path.stat().st_size if path.exists() else None

    def send(self, path: Path, name: str, told: Callable[[int], None]) -> None:
        content = path.read_bytes()
        for size in (0, len(content) // 2, len(content)):
            self._moments.pass_one()
            (self._path / name).write_bytes(content[:size])
        self._moments.pass_one()

    def rename(self, name: str, free: str) -> None:
        self._moments.pass_one()
        if (self._path / free).exists():
            raise NameTaken
        self._do(lambda: (self._path / name).rename(self._path / free))

    def replace(self, name: str, final: str) -> None:
        if not self._replaces:
            self.rename(name, final)
            return
        self._moments.pass_one()
        self._do(lambda: (self._path / name).rename(self._path / final))

    def remove(self, name: str) -> None:
        self._moments.pass_one()
        self._do(lambda: (self._path / name).unlink(missing_ok=True))

    def _do(self, work: Callable[[], object]) -> None:
        work()
        self._moments.pass_one()


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    """The note on disk is a moment as well."""
    found = Moments()
    write = Placing._write

    def counted(self: Placing) -> None:
        found.pass_one(remote=False)
        write(self)
        found.pass_one(remote=False)

    monkeypatch.setattr(Placing, "_write", counted)
    monkeypatch.setattr("os.fsync", lambda _: None)  # no disk dies here
    return found


def fresh(directory: Path, *, old: bool) -> SampleCargo:
    for name in ("there", "step", "made"):
        folder = directory / name
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
    for name, content in NEW.items():
        (directory / "made" / name).write_text(content)
        if old:
            (directory / "there" / name).write_text(OLD)
    return SampleCargo(sorted((directory / "made").iterdir()))


def whole(directory: Path) -> Iterator[Path]:
    """What is new under names that anybody sees. Nothing there is half."""
    for path in (directory / "there").iterdir():
        if not path.name.startswith("."):
            content = path.read_text()
            assert content in (OLD, *NEW.values()), f"{path.name} is half: {content}"
            if content != OLD:
                yield path


@pytest.mark.parametrize("fault", [Killed, Unreachable])
@pytest.mark.parametrize("replaces", [True, False], ids=["replaces", "plain"])
@pytest.mark.parametrize(
    ("overwrite", "old"),
    [("replace", True), ("replace", False), ("refuse", False), ("number", True), ("number", False)],
)
def test_ended_at_any_moment_and_done_again_each_file_comes_once(
    tmp_path: Path, moments: Moments, overwrite: Overwrite, *, old: bool, replaces: bool, fault: type[BaseException]
) -> None:
    shelf = Shelf(tmp_path / "there", moments, replaces=replaces)
    for moment in range(1, 200):
        cargo = fresh(tmp_path, old=old)
        moments.arm(moment, fault)
        ended = False
        try:
            upload(cargo.parcels(), shelf, delivery(tmp_path), overwrite)
        except fault:
            ended = True
        kept = [path.name for path in (tmp_path / "there").iterdir() if path.read_text() == OLD]
        taken = [path.read_text() for path in whole(tmp_path)]
        if old and overwrite == "replace":
            assert len(kept) + len(taken) >= 2, "what was there before is lost"
        for path in list(whole(tmp_path)):
            path.unlink()  # whoever it was for has fetched it
        moments.heal()
        upload(cargo.parcels(), shelf, delivery(tmp_path), overwrite)
        came = sorted([*taken, *(path.read_text() for path in whole(tmp_path))])
        assert came == sorted(NEW.values()), moment
        assert not [path.name for path in (tmp_path / "there").iterdir() if path.name.startswith(".")], moment
        if not ended:
            assert moment > 15
            return
    raise AssertionError("it never came to its end")


def test_a_swap_that_is_refused_brings_back_what_was_there(tmp_path: Path, moments: Moments) -> None:
    class Stubborn(Shelf):
        def rename(self, name: str, free: str) -> None:
            if name.endswith(".part") and free == "a.csv" and not (tmp_path / "there/a.csv").exists():
                raise DeliveryRefused("not that name", hint="another one")
            super().rename(name, free)

    cargo = fresh(tmp_path, old=True)
    with pytest.raises(DeliveryRefused, match="not that name"):
        upload(cargo.parcels(), Stubborn(tmp_path / "there", moments, replaces=False), delivery(tmp_path), "replace")
    assert {path.name: path.read_text() for path in (tmp_path / "there").iterdir()} == {"a.csv": OLD, "b.csv": OLD}


def test_what_cannot_be_brought_back_is_told_by_name(tmp_path: Path, moments: Moments) -> None:
    class Broken(Shelf):
        def rename(self, name: str, free: str) -> None:
            if free == "a.csv" and not (tmp_path / "there/a.csv").exists():
                raise DeliveryRefused("not that name", hint="another one")
            super().rename(name, free)

    cargo = fresh(tmp_path, old=True)
    with pytest.raises(DeliveryRefused) as caught:
        upload(cargo.parcels(), Broken(tmp_path / "there", moments, replaces=False), delivery(tmp_path), "replace")
    mark = mark_of(delivery(tmp_path))
    assert caught.value.hint == f"What was there before is kept beside it as .idms-{mark}-1.old: rename it there."
    assert (tmp_path / f"there/.idms-{mark}-1.old").read_text() == OLD


def test_a_run_that_takes_over_a_steps_folder_goes_on_with_its_file(tmp_path: Path, moments: Moments) -> None:
    """As `idms retry` does; the number of the run is then another one."""
    shelf = Shelf(tmp_path / "there", moments, replaces=True)
    cargo = fresh(tmp_path, old=True)
    moments.arm(11, Killed)  # right before the first file is renamed
    with pytest.raises(Killed):
        upload(cargo.parcels(), shelf, delivery(tmp_path), "replace")
    assert Placing(tmp_path / "step").intent
    assert (tmp_path / "there/a.csv").read_text() == OLD
    moments.heal()
    upload(cargo.parcels(), shelf, replace(delivery(tmp_path), run_id=8), "replace")
    assert {path.name: path.read_text() for path in (tmp_path / "there").iterdir()} == NEW


def test_two_steps_never_share_a_temporary_name(tmp_path: Path) -> None:
    one, two = (replace(delivery(tmp_path), folder=tmp_path / name) for name in ("one", "two"))
    one.folder.mkdir()
    two.folder.mkdir()
    assert mark_of(one) == mark_of(one)
    assert mark_of(one) != mark_of(two)
