"""`idms connection`, and which runs a connection keeps waiting."""

import json
import time
from contextlib import closing
from dataclasses import replace

from idms_cli.config.settings import read_settings
from idms_cli.dispatch.connections import outage_file, why_wait
from idms_cli.errors import LoginRefused, Unreachable
from idms_cli.history.store import Store
from tests.commands.conftest import Desk, Past

LOCKS = ({"resource": "imis:test/Activity", "write": True},)


def test_connections_that_work_are_a_line_each(desk: Desk) -> None:
    told = desk.idms("connection")
    assert told.code == 0
    assert told.out == (
        "CONNECTION  STATE  USER             SITE\ntest        ok     idms-background  http://127.0.0.1:9\n"
    )


def test_a_connection_that_is_down_says_since_when_why_and_what_waits(desk: Desk, past: Past) -> None:
    waiting = past.pending(locks=LOCKS)
    now = time.time()
    outage_file(read_settings(desk.directory / "idms.yaml"), "test").failed(Unreachable("No connection."), now)
    told = desk.idms("connection").out
    assert "test        down   idms-background  http://127.0.0.1:9\n" in told
    assert "; 1 run waits, next probe " in told
    assert told.endswith(". No connection.\n")
    (data,) = json.loads(desk.idms("connection", "--json").out)["connections"]
    assert (data["state"], data["tries"], data["waiting"]) == ("down", 1, [waiting])


def test_a_connection_that_is_down_and_that_nothing_waits_for_promises_no_probe(desk: Desk) -> None:
    outage_file(read_settings(desk.directory / "idms.yaml"), "test").failed(Unreachable("No connection."), 1000)
    told = desk.idms("connection").out
    assert "; no run waits for it, so nobody asks it. No connection.\n" in told


def test_status_names_the_connection_once_and_each_waiting_job_shortly(desk: Desk, past: Past) -> None:
    past.tick(1)
    waiting = past.pending(locks=LOCKS)
    past.wait(waiting, "waits for connection test, login refused since 02:15; until its secret changes")
    error = LoginRefused("The site refuses the login of idms.", hint="Change the secret.")
    outage_file(read_settings(desk.directory / "idms.yaml"), "test").failed(error, time.time())
    first, *rows = desk.idms("status").out.splitlines()
    assert first.startswith("connection test: login refused since ")
    assert first.endswith("; 1 run waits. The site refuses the login of idms. Change the secret.")
    assert rows[0] == "waiting: 1"
    assert rows[2].endswith(": waits for connection test")


def test_after_an_outage_one_run_starts_and_every_fifteen_seconds_one_more_beside_it(desk: Desk, past: Past) -> None:
    settings = read_settings(desk.directory / "idms.yaml")
    past.running(locks=LOCKS)
    with closing(Store(desk.state)) as store:
        waiting = store.runs.one(past.pending(locks=LOCKS))
        assert waiting is not None
        file = outage_file(settings, "test")
        file.failed(Unreachable("down"), 1000)
        assert why_wait(store, settings, waiting, 1010) == (
            "waits for connection test, down since 00:16; next probe 00:17"
        )
        file.works(2000)
        assert why_wait(store, settings, waiting, 2001) == (
            "waits for connection test, back since 00:33: its runs start one after another"
        )
        assert why_wait(store, settings, waiting, 2015) == ""
        assert why_wait(store, settings, replace(waiting, locks=()), 2001) == ""
