"""`idms delta`."""

import json

import pytest

from idms_cli.rows.delta import Delta, DeltaOptions
from tests.commands.conftest import Desk
from tests.delivery.cargo import ListRows


@pytest.fixture
def remembering(desk: Desk) -> Desk:
    directory = desk.directory / "run"
    directory.mkdir()
    desk.state.mkdir(exist_ok=True)
    delta = Delta(desk.state, "good", DeltaOptions(key="ID"), directory)
    delta.compare(ListRows())
    assert delta.remember(7, at=1_764_547_200)
    return desk


def test_show_tells_how_many_rows_and_which_run_delivered(remembering: Desk) -> None:
    told = remembering.idms("delta", "show", "good")
    assert told.code == 0
    assert told.out == "good remembers 2 rows.\nRun 7 brought it up to date, 2025-12-01 00:00.\n"
    data = json.loads(remembering.idms("delta", "show", "good", "--json").out)["delta"]
    assert (data["rows"], data["run"], data["watermark"]) == (2, 7, None)


def test_show_tells_of_one_row_whether_it_is_remembered(remembering: Desk) -> None:
    assert "good delivered 101 as it is remembered in run 7" in remembering.idms("delta", "show", "good", "101").out
    assert "good remembers no row 999" in remembering.idms("delta", "show", "good", "999").out


def test_drop_forgets_rows_and_names_those_that_were_not_remembered(remembering: Desk) -> None:
    told = remembering.idms("delta", "drop", "good", "101", "999")
    assert told.code == 0
    assert "1 row of good forgotten" in told.out
    assert "Not remembered anyway: 999." in told.out
    assert "good remembers 1 row." in remembering.idms("delta", "show", "good").out


def test_reset_forgets_all_but_not_without_being_told_to(remembering: Desk) -> None:
    asked = remembering.idms("delta", "reset", "good")
    assert asked.code == 2
    assert "nobody is here to be asked" in asked.err
    assert "good has forgotten 2 rows" in remembering.idms("delta", "reset", "good", "--yes").out
    assert "good remembers 0 rows." in remembering.idms("delta", "show", "good").out


def test_a_job_that_remembers_nothing_says_so(desk: Desk) -> None:
    told = desk.idms("delta", "show", "good")
    assert told.code == 2
    assert "good remembers nothing" in told.err
    assert "there is no job 'god'" in desk.idms("delta", "show", "god").err
