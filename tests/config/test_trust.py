"""A file that somebody else could have written does not decide what idms does."""

import os
from pathlib import Path

import pytest

from idms_cli.config.trust import untrusted_reason

ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
STRANGER = 4711


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "jobs.d"
    folder.mkdir(mode=0o755)
    path = folder / "job.yaml"
    path.write_text("module: import\n")
    path.chmod(0o644)
    return path


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o400, 0o755], ids=oct)
def test_a_file_that_only_its_owner_writes_is_trusted(mode: int, job: Path) -> None:
    job.chmod(mode)
    assert untrusted_reason(job) is None


@pytest.mark.parametrize("mode", [0o666, 0o646, 0o602], ids=oct)
def test_a_file_that_anybody_writes_is_not(mode: int, job: Path) -> None:
    job.chmod(mode)
    assert untrusted_reason(job) == f"may be written by anybody (mode {mode:04o})"


@ONLY_ROOT
def test_a_file_that_a_group_writes_is_not(job: Path) -> None:
    os.chown(job, -1, STRANGER)
    job.chmod(0o664)
    assert untrusted_reason(job) == "may be written by a group (mode 0664)"


@ONLY_ROOT
def test_the_private_group_of_the_account_may_write(job: Path) -> None:
    os.chown(job, 0, 0)
    job.chmod(0o664)
    assert untrusted_reason(job) is None


@ONLY_ROOT
def test_a_file_of_another_account_is_not(job: Path) -> None:
    os.chown(job, STRANGER, -1)
    reason = untrusted_reason(job)
    assert reason == "belongs to another account (uid 4711), not to root or the account that runs idms"


def test_a_directory_a_fifo_and_nothing_are_not(job: Path) -> None:
    os.mkfifo(job.parent / "fifo")
    assert untrusted_reason(job.parent) == "is not a regular file"
    assert untrusted_reason(job.parent / "fifo") == "is not a regular file"
    assert untrusted_reason(job.parent / "none") == "cannot be looked at: No such file or directory"


def test_a_file_in_a_directory_that_anybody_writes_is_not(job: Path) -> None:
    job.parent.chmod(0o777)
    assert untrusted_reason(job) == f"is in the directory {job.parent}, which may be written by anybody (mode 0777)"


def test_a_sticky_directory_like_tmp_is_fine(job: Path) -> None:
    job.parent.chmod(0o1777)
    assert untrusted_reason(job) is None


@ONLY_ROOT
def test_a_file_in_the_directory_of_another_account_is_not(job: Path) -> None:
    os.chown(job.parent, STRANGER, -1)
    assert f"is in the directory {job.parent}, which belongs to another account" in str(untrusted_reason(job))


def test_a_directory_further_up_that_anybody_writes_is_told(job: Path) -> None:
    above = job.parent.parent
    above.chmod(0o777)
    assert untrusted_reason(job) == (
        f"is in the directory {job.parent}, which can be replaced by anybody: {above} has mode 0777"
    )


def test_a_link_to_a_trusted_file_is_trusted(job: Path, tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to(job)
    (tmp_path / "relative.yaml").symlink_to("jobs.d/job.yaml")
    (tmp_path / "twice.yaml").symlink_to("relative.yaml")
    for name in ("link.yaml", "relative.yaml", "twice.yaml"):
        assert untrusted_reason(tmp_path / name) is None


def test_a_link_is_as_trusted_as_its_target(job: Path, tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to(job)
    job.chmod(0o666)
    assert untrusted_reason(tmp_path / "link.yaml") == "may be written by anybody (mode 0666)"


def test_a_link_that_goes_through_an_open_directory_is_not_trusted(job: Path, tmp_path: Path) -> None:
    opened = tmp_path / "open"
    opened.mkdir()
    (opened / "middle.yaml").symlink_to(job)
    opened.chmod(0o777)
    (tmp_path / "link.yaml").symlink_to(opened / "middle.yaml")
    assert f"is in the directory {opened}, which may be written by anybody" in str(
        untrusted_reason(tmp_path / "link.yaml")
    )


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("b.yaml")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    assert untrusted_reason(tmp_path / "a.yaml") == "is a symbolic link that leads through too many others"
