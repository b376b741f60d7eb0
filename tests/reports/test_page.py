"""A page as plain text and as JSON: nothing is cut, and nothing that text from outside says is obeyed."""

import io
import json

from idms_cli.reports.page import Line, Page, Table, show

HOSTILE = "a\x1b]0;owned\x07b\x9b31m\r\nc\u202ed[red]e[/path]\ud800"
HARMLESS = "a\\x1b]0;owned\\x07b\\x9b31m\\r\\nc\\u202ed[red]e[/path]\\ud800"


def _plain(*parts: Line | Table) -> str:
    out = io.StringIO()
    show(Page({}, parts), file=out)
    return out.getvalue()


def test_columns_are_as_wide_as_their_widest_cell_and_lines_have_no_blanks_at_their_end() -> None:
    table = Table(("job", "rows", "result"), [("a", "7", "fine"), ("longer", "1,200", "")], frozenset({"rows"}))
    assert _plain(table) == ("JOB      ROWS  RESULT\na           7  fine\nlonger  1,200\n")


def test_a_table_without_names_has_no_line_of_names() -> None:
    assert _plain(Table(("", ""), [("took", "3.0 s"), ("calls", "2")])) == "took   3.0 s\ncalls  2\n"


def test_a_table_without_rows_is_its_names() -> None:
    assert _plain(Table(("job", "state"), [])) == "JOB  STATE\n"


def test_long_text_is_not_cut() -> None:
    assert _plain(Line("x" * 500), Table(("a", "b"), [("y" * 300, "z" * 300)])).count("z") == 300


def test_text_from_outside_is_shown_but_not_obeyed() -> None:
    told = _plain(Line(HOSTILE), Table(("job", "text"), [("j", HOSTILE)]))
    assert told == f"{HARMLESS}\nJOB  TEXT\nj    {HARMLESS}\n"


def test_json_has_a_version_and_is_safe_on_a_terminal() -> None:
    out = io.StringIO()
    show(Page({"name": HOSTILE, "city": "Zürich"}, []), as_json=True, file=out)
    assert out.getvalue().isascii()
    assert [character for character in out.getvalue() if character < " "] == ["\n"] * 5
    assert json.loads(out.getvalue()) == {"version": 1, "name": HOSTILE, "city": "Zürich"}
