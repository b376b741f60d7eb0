"""A text of the job's own: any form, of any length."""

from decimal import Decimal
from pathlib import Path

import pytest

from idms_cli.errors import InputError
from idms_cli.files.writers import Occasion, examine, load_writer
from tests.delivery.cargo import ListRows
from tests.files.writers.memory import peak_mb
from tests.files.writers.writing import kept, made, options, problem, refusal, rows

TABLE = rows(["ID", "First name", "Fee"], (1, "Zoë", Decimal("1.10")), (2, None, None))
CARDS = (
    "HDR {{ today }} {{ count }}\\n"
    "{% for row in rows %}\\n{{ row.ID|right(4, '0') }}|{{ row['First name'] }}|{{ row.Fee|default(0)|money }}\\n"
    "{% endfor %}\\nEND {{ columns|join(',') }}\\n"
)


def test_a_template_goes_through_the_rows() -> None:
    assert made("text", TABLE, f'{{template: "{CARDS}"}}').decode() == (
        "HDR 2026-12-31 2\n0001|Zoë|1.10\n0002||0.00\nEND ID,First name,Fee\n"
    )


def test_a_template_may_be_in_a_file(tmp_path: Path) -> None:
    kept(tmp_path, "card.j2", b"{% for row in rows %}{{ row.ID }};{% endfor %}")
    chosen = options("text", "{file: card.j2, encoding: utf-16}")
    examine("text", chosen, tmp_path)
    with (tmp_path / "out").open("wb") as stream:
        load_writer("text").write(TABLE, stream, chosen, Occasion(directory=tmp_path))
    assert (tmp_path / "out").read_text(encoding="utf-16") == "1;2;"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "this template cannot be read: No such file or directory."),
        (b"\xe9", "this template is not UTF-8 text."),
        (b"x\n{{ rows|nope }}", "line 2: there is no filter 'nope' here"),
    ],
)
def test_a_template_in_a_file_that_cannot_be_used_is_told(tmp_path: Path, content: bytes | None, told: str) -> None:
    if content is not None:
        kept(tmp_path, "card.j2", content)
    with pytest.raises(InputError) as caught:
        examine("text", options("text", "{file: card.j2}"), tmp_path)
    assert str(caught.value) == f"{tmp_path / 'card.j2'}: {told}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "a text has either `template:` or `file:` | keep one of them"),
        ("{template: x, file: y}", "a text has either `template:` or `file:` | keep one of them"),
        ("{template: '{{ row.ID }}'}", "there is no 'row' here | did you mean 'rows'?"),
        ("{template: '{% for %}'}", "this cannot be read: Expected an expression, got 'end of statement block' | "),
    ],
)
def test_options_that_cannot_be_are_told(text: str, told: str) -> None:
    assert problem("text", text) == told


def test_a_column_that_is_not_there_is_told_with_the_nearest() -> None:
    assert refusal("text", TABLE, "{template: '{% for row in rows %}{{ row.Id }}{% endfor %}'}").startswith(
        "The template of the text does not fit the rows: there is no 'Id' in it (did you mean 'ID'?). | "
    )
    lost = ListRows(("ID",), [("Ł",)])
    text = "{encoding: cp1252, template: '{% for row in rows %}{{ row.ID }}{% endfor %}'}"
    assert refusal("text", lost, text).startswith("The text has Ł (U+0141), which cp1252 does not have.")


def test_a_file_of_any_length_takes_little_memory() -> None:
    text = "{template: '{% for row in rows %}{{ row.ID }}{{ row.Name }}{% if loop.last %}!{% endif %}{% endfor %}'}"
    assert peak_mb("text", 20_000, text) - peak_mb("text", 4_000, text) < 2
