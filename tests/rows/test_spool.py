"""Rows in the run's directory."""

from decimal import Decimal
from pathlib import Path

import pytest

from idms_cli.rows.spool import AT_A_TIME, Spooled, is_spooled, spooling


def test_rows_come_back_as_they_were_each_time(tmp_path: Path) -> None:
    first = {"ID": "101", "Name": 'Zoë \U0001f600\n"x"', "Paid": True, "Fee": Decimal("1.10"), "Note": None}
    with spooling(tmp_path / "rows") as spool:
        spool.add(first)
        spool.add({**first, "ID": "102", "Fee": Decimal("12345678901234567890.12")})
    rows = Spooled(tmp_path / "rows")
    assert rows.columns == ("ID", "Name", "Paid", "Fee", "Note")
    assert rows.count == 2
    expected = [
        ("101", 'Zoë \U0001f600\n"x"', True, Decimal("1.10"), None),
        ("102", 'Zoë \U0001f600\n"x"', True, Decimal("12345678901234567890.12"), None),
    ]
    assert list(rows) == expected
    assert list(rows) == expected


def test_a_column_that_comes_late_is_empty_in_the_rows_before(tmp_path: Path) -> None:
    with spooling(tmp_path / "rows") as spool:
        for number in range(AT_A_TIME + 1):
            spool.add({"ID": number})
        spool.add({"Late": "yes"})
    rows = Spooled(tmp_path / "rows")
    assert rows.columns == ("ID", "Late")
    cells = list(rows)
    assert len(cells) == rows.count == AT_A_TIME + 2
    assert cells[0] == (0, None)
    assert cells[-1] == (None, "yes")


def test_a_spool_that_was_not_finished_is_none(tmp_path: Path) -> None:
    def cut_off() -> None:
        with spooling(tmp_path / "rows") as spool:
            spool.add({"ID": 1})
            raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"):
        cut_off()
    assert not is_spooled(tmp_path / "rows")
    with pytest.raises(FileNotFoundError):
        Spooled(tmp_path / "rows")


def test_a_spool_without_rows_keeps_the_columns_that_were_named(tmp_path: Path) -> None:
    with spooling(tmp_path / "rows") as spool:
        spool.name(("ID", "Name"))
    assert Spooled(tmp_path / "rows").columns == ("ID", "Name")
    assert list(Spooled(tmp_path / "rows")) == []
