"""`kill -9` in the middle of an upload to a real SSH server, and the same once more: the file comes once, whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.cargo import SampleCargo, delivery, destination, digest, sample
from tests.delivery.killing import killed_when
from tests.delivery.sshserver import Faults, Partner, partner

OLD = "yesterday's"


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[Partner]:
    with partner(tmp_path / "partner") as made:
        yield made


@pytest.fixture
def cargo(tmp_path: Path) -> SampleCargo:
    (tmp_path / "made").mkdir()
    return sample(tmp_path / "made", size=2_000_000)


def heal(ssh: Partner) -> None:
    for name, value in vars(Faults()).items():
        setattr(ssh.faults, name, value)


def finish(ssh: Partner, cargo: SampleCargo, directory: Path, more: str = "") -> list[str]:
    """Deliver once more; what the log says."""
    told: list[str] = []
    heal(ssh)
    destination(ssh.step(directory, more), directory).deliver(cargo, delivery(directory, told=told))
    return told


def test_killed_in_the_middle(tmp_path: Path, ssh: Partner, cargo: SampleCargo) -> None:
    (ssh.inbox / "members.csv").write_text(OLD)
    ssh.faults.stands_still_after = 1_000_000
    killed_when(lambda: "still" in ssh.reached, ssh.step(tmp_path), cargo.files[0], tmp_path)
    assert (ssh.inbox / "members.csv").read_text() == OLD
    assert len(ssh.names()) == 2
    finish(ssh, cargo, tmp_path)
    assert ssh.names() == ["members.csv"]
    assert digest(ssh.inbox / "members.csv") == digest(cargo.files[0])


@pytest.mark.parametrize(
    ("moment", "overwrite"), [("before", "replace"), ("before", "number"), ("after", "replace"), ("after", "refuse")]
)
def test_killed_while_the_server_renames(
    tmp_path: Path, ssh: Partner, cargo: SampleCargo, moment: str, overwrite: str
) -> None:
    setattr(ssh.faults, f"hangs_{moment}", "rename")
    more = f"overwrite: {overwrite}"
    killed_when(lambda: "rename" in ssh.reached, ssh.step(tmp_path, more), cargo.files[0], tmp_path)
    if moment == "after":
        (ssh.inbox / "members.csv").unlink()  # whoever it was for has fetched it
    told = finish(ssh, cargo, tmp_path, more)
    if moment == "after":
        assert told == [f"{ssh.server.url('in/members.csv')}: the attempt that was cut off had put it there."]
        assert ssh.names() == []
    else:
        assert ssh.names() == ["members.csv"]
        assert digest(ssh.inbox / "members.csv") == digest(cargo.files[0])
    assert ssh.reached.count("fsync") == 1  # and it was sent only once


@pytest.mark.parametrize(("name", "moment"), [(".old", "after"), ("members.csv", "before")], ids=["aside", "final"])
def test_killed_while_a_plain_server_swaps(
    tmp_path: Path, ssh: Partner, cargo: SampleCargo, name: str, moment: str
) -> None:
    (ssh.inbox / "members.csv").write_text(OLD)
    ssh.faults.replaces = False
    ssh.faults.mute = lambda path: path.endswith(name)
    setattr(ssh.faults, f"hangs_{moment}", "rename")
    wanted = 2 if name == "members.csv" else 1
    killed_when(lambda: ssh.reached.count("rename") >= wanted, ssh.step(tmp_path), cargo.files[0], tmp_path)
    heal(ssh)
    ssh.faults.replaces = False
    destination(ssh.step(tmp_path), tmp_path).deliver(cargo, delivery(tmp_path))
    assert ssh.names() == ["members.csv"]
    assert digest(ssh.inbox / "members.csv") == digest(cargo.files[0])
