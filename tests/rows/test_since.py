"""Only rows at or after the highest value that was delivered."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from idms_cli.errors import InputError
from idms_cli.files.writers import Cells
from idms_cli.rows.memory import open_memory
from idms_cli.rows.since import Since, SinceOptions
from tests.delivery.cargo import ListRows

MORNING: Sequence[Cells] = (("101", "2026-11-30T08:00:00"), ("102", "2026-11-30T09:30:00"), ("103", None))
COLUMN = SinceOptions(column="Name")
HOUR = SinceOptions.model_validate({"column": "Name", "overlap": "1h"})


def since(tmp_path: Path, run: int, options: SinceOptions = COLUMN) -> Since:
    directory = tmp_path / f"run-{run}"
    directory.mkdir(exist_ok=True)
    return Since(tmp_path, "feed", options, directory)


def delivered(tmp_path: Path, run: int, cells: Sequence[Cells], options: SinceOptions = COLUMN) -> list[str]:
    one = since(tmp_path, run, options)
    one.begin()
    rows = one.narrow(ListRows(cells=cells))
    assert one.remember(run, at=run)
    return [str(key) for key, _ in rows]


def test_the_second_run_begins_at_the_highest_value_and_rows_without_one_always_come(tmp_path: Path) -> None:
    assert delivered(tmp_path, 1, MORNING) == ["101", "102", "103"]
    assert since(tmp_path, 2).begin() == "2026-11-30T09:30:00"
    assert delivered(tmp_path, 2, [*MORNING, ("104", "2026-11-30T10:00:00")]) == ["102", "103", "104"]


def test_an_overlap_reaches_back_and_the_watermark_does_not_go_back(tmp_path: Path) -> None:
    options = HOUR
    delivered(tmp_path, 1, MORNING, options)
    assert since(tmp_path, 2, options).begin() == "2026-11-30T08:30:00"
    assert delivered(tmp_path, 2, [("105", "2026-11-30T08:45:00")], options) == ["105"]
    assert since(tmp_path, 3, options).begin() == "2026-11-30T08:30:00"


def test_numbers_have_a_watermark_too(tmp_path: Path) -> None:
    options = SinceOptions(column="Name", overlap=2)
    delivered(tmp_path, 1, [("a", 9), ("b", 10)], options)
    assert since(tmp_path, 2, options).begin() == "8"
    assert delivered(tmp_path, 2, [("a", 7), ("b", 8), ("c", 100)], options) == ["b", "c"]


def test_a_run_that_was_not_delivered_moves_nothing_and_goes_on_from_where_it_began(tmp_path: Path) -> None:
    one = since(tmp_path, 1, SinceOptions(column="Name", start="2026-11-30T09:00:00"))
    assert [key for key, _ in one.narrow(ListRows(cells=MORNING))] == ["102", "103"]
    with open_memory(tmp_path, "feed") as memory:
        assert memory.about("watermark") is None
    again = since(tmp_path, 1)
    assert again.begin() == "2026-11-30T09:00:00"
    assert [key for key, _ in again.narrow(ListRows(cells=()))] == ["102", "103"]


@pytest.mark.parametrize(
    ("options", "cells", "message"),
    [
        pytest.param(SinceOptions(column="Nam"), MORNING, "there is no column 'Nam'", id="no column"),
        pytest.param(COLUMN, [("1", "soon")], "'soon' in Name is neither a time nor a number", id="neither"),
        pytest.param(COLUMN, [("1", "2026-11-30"), ("2", 5)], "has '2026-11-30T00:00:00' as well as '5'", id="mixed"),
    ],
)
def test_a_column_that_cannot_serve_is_told(
    tmp_path: Path, options: SinceOptions, cells: Sequence[Cells], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        since(tmp_path, 1, options).narrow(ListRows(cells=cells))


def test_an_overlap_of_the_wrong_kind_is_told(tmp_path: Path) -> None:
    delivered(tmp_path, 1, [("a", 9)])
    with pytest.raises(InputError, match="holds a number, and the overlap is none"):
        since(tmp_path, 2, HOUR).begin()
