"""Rows for tests of formats that are written, and what becomes of them."""

import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from idms_cli.config.checked import check
from idms_cli.config.documents import parse_document
from idms_cli.config.problems import ProblemsFound
from idms_cli.errors import InputError
from idms_cli.files.writers import Cell, Cells, Occasion, load_writer
from idms_cli.templates.moments import sample_occasion
from tests.delivery.cargo import ListRows

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
SAMPLES = (
    "=1+1", "+1 555", "-5", "@x", "'=1", "007", "12345678901234567890", " x ", 'a"b', "a,b", "a\tb", "x\ry", "x\r\ny",
    "x\n", "Zoë", "\U0001f600", "true", "null", "<b>&</b>", "]]>", "_x0041_", "<r>x</r>", "<r>&</r>", "\u2028", "\x85",
)  # fmt: skip
TEXTS = st.text(CHARACTERS, max_size=12) | st.sampled_from(SAMPLES)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=3)
CELLS: st.SearchStrategy[Cell] = st.none() | st.booleans() | st.integers(-(10**25), 10**25) | NUMBERS | TEXTS


@st.composite
def tables(draw: st.DrawFn, cells: st.SearchStrategy[Cell] = CELLS) -> ListRows:
    width = draw(st.integers(1, 4))
    columns = ("ID", "Name", "Paid", "Note")[:width]
    return ListRows(columns, draw(st.lists(st.tuples(*[cells] * width), max_size=5)))


VALUES = {**sample_occasion("feed"), "batch": 1}


def rows(columns: Sequence[str], *cells: Cells) -> ListRows:
    return ListRows(tuple(columns), cells)


def text_of(cell: Cell) -> str:
    """As formats of text write a cell that says no other way."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case Decimal():
            return format(cell, "f")
    return str(cell)


def options(name: str, text: str = "{}") -> Any:
    """The options of a format, written as in a job file."""
    return check(load_writer(name).Options, parse_document(text.encode(), "job.yaml"))


def problem(name: str, text: str) -> str:
    with pytest.raises(ProblemsFound) as caught:
        options(name, text)
    (found,) = caught.value.problems
    return f"{found.message} | {found.hint}"


def made(name: str, given: ListRows, text: str = "{}", *, formulas: str = "harmless") -> bytes:
    stream = io.BytesIO()
    load_writer(name).write(given, stream, options(name, text), Occasion(VALUES, formulas=formulas))
    return stream.getvalue()


def kept(folder: Path, file: str, content: bytes) -> Path:
    path = folder / file
    path.write_bytes(content)
    return path


def refusal(name: str, given: ListRows, text: str = "{}") -> str:
    """What is said of rows that cannot be written; there is a hint, too."""
    with pytest.raises(InputError) as caught:
        made(name, given, text)
    assert caught.value.hint
    return f"{caught.value} | {caught.value.hint}"
