"""The job files of a folder: their names, and marks that change with them."""

import os
from pathlib import Path

from idms_cli.jobs.folder import list_jobs, list_marks


def _marks(folder: Path) -> dict[str, str]:
    return {name: mark for name, (_, mark) in list_jobs(str(folder), "salt").items()}


def test_the_short_listing_of_an_idle_tick_tells_the_same_as_the_long_one(tmp_path: Path) -> None:
    for name in (
        "a.yaml",
        "b.yml",
        "c.d.yaml",
        ".hidden.yaml",
        ".yaml",
        ".yml",
        "notes.txt",
        "yaml",
        "ä.yaml",
        "x.YAML",
    ):
        (tmp_path / name).write_text(name)
    (tmp_path / "gone.yaml").symlink_to("nowhere")
    (tmp_path / os.fsdecode(b"\xff.yaml")).write_text("not UTF-8")
    assert list_marks(str(tmp_path), "salt") == _marks(tmp_path)
    assert sorted(_marks(tmp_path)) == ["\\udcff", "a", "b", "c.d", "gone", "ä"]


def test_both_listings_see_two_files_of_one_job_and_a_change_of_either(tmp_path: Path) -> None:
    for name in ("a.yml", "a.yaml", "b.yaml"):
        (tmp_path / name).write_text("one")
    before = list_marks(str(tmp_path), "salt")
    assert before == _marks(tmp_path)
    (tmp_path / "a.yml").write_text("another")
    after = list_marks(str(tmp_path), "salt")
    assert after == _marks(tmp_path)
    assert (before["a"] != after["a"], before["b"] != after["b"]) == (True, False)
