"""`idms prune` and `idms db`."""

import json
import re
import shutil
import sqlite3
from contextlib import closing

from idms_cli.history.database import Database
from tests.commands.conftest import Desk, Past


def test_prune_says_what_it_let_go_and_what_is_kept(desk: Desk, past: Past) -> None:
    past.ended("completed")
    told = desk.idms("prune")
    assert told.code == 0
    assert told.out == (
        "Gone: 0 runs of the history, 0 run folders (0.0 KB).\nKept are runs for 400d, their directories for 90d.\n"
    )
    assert desk.idms("prune", "--dry-run").out.startswith("Would go: ")


def test_a_retention_that_cannot_be_meant_is_told_with_its_place(desk: Desk) -> None:
    desk.settings("retention: {runs: 0d, count: 3}\n")
    told = desk.idms("prune")
    assert told.code == 2
    assert "idms.yaml:1:19: the duration must be longer than 0s" in told.err
    assert "idms.yaml:1:30: " in told.err


def test_show_says_when_the_directory_of_a_run_is_no_longer_kept(desk: Desk, past: Past) -> None:
    run = past.ended("completed")
    shutil.rmtree(desk.state / "runs" / str(run))
    assert "Its directory is no longer kept" in desk.idms("show", str(run)).out


def test_a_backup_is_a_whole_history_and_overwrites_nothing(desk: Desk, past: Past) -> None:
    past.ended("completed")
    target = desk.directory / "copy.db"
    assert desk.idms("db", "backup", str(target)).code == 0
    assert target.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT count(*) FROM run").fetchone() == (1,)
    again = desk.idms("db", "backup", str(target))
    assert again.code == 2
    assert "is there already" in again.err
    assert "cannot be written" in desk.idms("db", "backup", str(desk.directory / "no" / "copy.db")).err


def test_check_finds_a_sound_history_sound_and_a_damaged_one_not(desk: Desk, past: Past) -> None:
    for _ in range(50):
        past.ended("completed")
    assert desk.idms("db", "check").out == f"{desk.state / 'history.db'} is sound.\n"
    with closing(Database(str(desk.state))) as database:
        database.connection.execute("PRAGMA foreign_keys=OFF")
        with database.write() as connection:
            connection.execute("UPDATE run SET definition = 'gone' WHERE id = 1")
    told = desk.idms("db", "check")
    assert told.code == 1
    assert "row 1 of run leads to a row of definition that is not there" in told.out


def test_vacuum_gives_room_back_and_stats_tell_it(desk: Desk, past: Past) -> None:
    for _ in range(50):
        past.ended("completed", reason="x" * 2000)
    with closing(Database(str(desk.state))) as database, database.write() as connection:
        connection.execute("DELETE FROM run")
    data = json.loads(desk.idms("db", "vacuum", "--json").out)
    assert data["after"] < data["before"]
    stats = json.loads(desk.idms("db", "stats", "--json").out)
    assert stats.keys() == {"version", "tables", "bytes", "schema", "whole_since", "tidied_next"}
    assert stats["tables"]["run"] == 0
    assert stats["bytes"]["history.db"] > 0
    assert re.search(r"^run +0$", desk.idms("db", "stats").out, re.MULTILINE)
