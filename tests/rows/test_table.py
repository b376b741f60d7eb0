"""Rows of a site as a table: what the cells are, and what no cell can be; and one digest of all rows."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from idms_cli.files import BrokenRow, Plain, Row
from idms_cli.files.writers import Cell
from idms_cli.rows.digest import digest_of
from idms_cli.rows.spool import Spooled, spooling
from idms_cli.rows.table import RowsTable, cell_text


def spooled(path: Path, *rows: dict[str, Cell], columns: tuple[str, ...] = ()) -> Spooled:
    with spooling(path) as spool:
        spool.name(columns)
        spool.add_all(rows)
    return Spooled(path)


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        ("Zoë", "Zoë", str),
        ("2026-01-31", "2026-01-31", str),
        ("04/03/2026", "04/03/2026", str),
        ("2026-01-31T08:30:00", "2026-01-31T08:30:00", Plain),
        ("2026-01-31T08:30:00.1234567+01:00", "2026-01-31T08:30:00.1234567+01:00", Plain),
        ("2026-01-31T late", "2026-01-31T late", str),
        ("1.5", "1.5", str),
        (7, "7", Plain),
        (Decimal("1.50"), "1.50", Plain),
        (Decimal("100.00"), "100", Plain),
        (Decimal("1E+3"), "1000", Plain),
        (Decimal("1E+400"), "1E+400", Plain),
        (Decimal("12345678901234567.8901"), "12345678901234567.8901", Plain),
        (True, "true", Plain),
        (False, "false", Plain),
        (None, "", str),
    ],
    ids=str,
)
def test_a_value_becomes_the_cell_that_a_file_would_have(value: Cell, text: str, kind: type[str]) -> None:
    cell = cell_text(value)
    assert (cell, type(cell)) == (text, kind)


def test_rows_are_numbered_and_come_again(tmp_path: Path) -> None:
    table = RowsTable(spooled(tmp_path / "rows", {"ID": "101", "No": 1}, {"ID": "102", "No": None}))
    expected = [Row(1, ("101", "1")), Row(2, ("102", ""))]
    assert (list(table.rows()), list(table.rows())) == (expected, expected)


def test_a_text_with_nul_is_a_broken_row_that_keeps_it(tmp_path: Path) -> None:
    table = RowsTable(spooled(tmp_path / "rows", {"ID": "101", "Name": "A\0n"}))
    (row,) = table.rows()
    assert isinstance(row, BrokenRow)
    assert (row.line, row.code) == (1, "nul")
    assert row.raw == '["101","A\\u0000n"]'


def test_columns_that_nobody_could_tell_are_those_that_are_asked_for(tmp_path: Path) -> None:
    assert RowsTable(spooled(tmp_path / "none"), also=["ID", "Grade"]).columns == ("ID", "Grade")
    assert RowsTable(spooled(tmp_path / "some", columns=("id",)), also=["ID", "Grade"]).columns == ("id", "Grade")
    assert RowsTable(spooled(tmp_path / "rows", {"ID": "1"}), also=["ID", "Grade"]).columns == ("ID",)


ROWS: list[dict[str, Any]] = [{"ID": "1", "Fee": Decimal("1.10")}, {"ID": "2", "Fee": None}, {"ID": "2", "Fee": None}]


def test_a_digest_is_the_same_whatever_the_order_of_rows_and_columns(tmp_path: Path) -> None:
    digest = digest_of(spooled(tmp_path / "a", *ROWS))
    turned = [{"Fee": row["Fee"], "ID": row["ID"]} for row in reversed(ROWS)]
    assert digest_of(spooled(tmp_path / "b", *turned)) == digest
    assert digest_of(spooled(tmp_path / "c", *ROWS, columns=("Empty",))) == digest
    assert len(digest) == 64


@pytest.mark.parametrize(
    "rows",
    [
        ROWS[:2],
        [*ROWS, ROWS[0]],
        [{**ROWS[0], "Fee": Decimal("1.11")}, *ROWS[1:]],
        [{"Id": row["ID"], "Fee": row["Fee"]} for row in ROWS],
        [{**ROWS[0], "Fee": "1.10"}, *ROWS[1:]],
        [],
    ],
    ids=["one less", "one more", "another value", "another name", "text", "none"],
)
def test_a_digest_is_another_one_when_anything_has_changed(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    assert digest_of(spooled(tmp_path / "b", *rows)) != digest_of(spooled(tmp_path / "a", *ROWS))
