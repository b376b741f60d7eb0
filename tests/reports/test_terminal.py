"""A page on a terminal: it fits, colours come from us alone, and nothing that text from outside says is obeyed."""

import io
import os
import pty
import re
import select

import pytest
from rich.cells import cell_len

from idms_cli.reports.page import Line, Page, Table, aligned, show

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = "a\x1b]0;owned\x07b\x9b31m\r\nc\u202ed[red]e[/path]"
HARMLESS = "a\\x1b]0;owned\\x07b\\x9b31m\\r\\nc\\u202ed[red]e[/path]"
SENTENCE = "162 read = 144 inserted + 5 skipped + 13 rejected"
JOBS = Table(
    ("job", "state", "next run", "last run"),
    [
        ("lms-completions", "partial", "Wed 2 Dec 02:15", SENTENCE),
        ("donations-backfill", "disabled", "-", "-"),
    ],
)


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")


def _on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, *parts: Line | Table) -> str:
    """What a terminal of that width receives."""
    monkeypatch.setenv("COLUMNS", str(columns))
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        show(Page({}, parts), file=terminal)
        received = b""
        while select.select([ours], [], [], 0)[0]:
            received += os.read(ours, 65536)
    os.close(ours)
    return received.decode().replace("\r\n", "\n")


def _text(told: str) -> str:
    return "\n".join(line.rstrip() for line in COLOUR.sub("", told).split("\n"))


def test_a_wide_terminal_shows_a_row_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _text(_on_terminal(monkeypatch, 120, JOBS)) == (
        "job                 state     next run         last run\n"
        "lms-completions     partial   Wed 2 Dec 02:15  162 read = 144 inserted + 5 skipped + 13 rejected\n"
        "donations-backfill  disabled  -                -\n"
    )


def test_a_terminal_of_80_columns_shows_sentences_below_their_row(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _text(_on_terminal(monkeypatch, 80, JOBS)) == (
        "job                 state     next run\n"
        "lms-completions     partial   Wed 2 Dec 02:15\n"
        "    162 read = 144 inserted + 5 skipped + 13 rejected\n"
        "donations-backfill  disabled  -\n"
    )


def test_a_narrow_terminal_shows_each_row_as_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _text(_on_terminal(monkeypatch, 40, JOBS)) == (
        "job       lms-completions\n"
        "state     partial\n"
        "next run  Wed 2 Dec 02:15\n"
        "last run  162 read = 144 inserted + 5\n"
        "          skipped + 13 rejected\n"
        "\n"
        "job       donations-backfill\n"
        "state     disabled\n"
        "next run  -\n"
        "last run  -\n"
    )


def test_a_sentence_with_half_of_the_line_wraps_beside_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(("rows", "code", "example"), [("4", "ragged", SENTENCE)], frozenset({"rows"}))
    assert _text(_on_terminal(monkeypatch, 40, table)) == (
        "rows  code    example\n   4  ragged  162 read = 144 inserted +\n              5 skipped + 13 rejected\n"
    )


def test_sentences_wrap_between_words_and_keep_their_indent(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _on_terminal(
        monkeypatch, 40, Line("    hint: write the number of rows, or a percentage"), Line(""), Line("end")
    )
    assert _text(told) == "    hint: write the number of rows, or a\n    percentage\n\nend\n"


def test_a_path_is_left_whole_so_that_it_can_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/var/lib/idms/" + "deep/" * 20 + "rejects.csv"
    assert f"\n{path}\n" in _text(_on_terminal(monkeypatch, 40, Line(f"Rejected rows: {path}")))


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_nothing_but_a_path_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    facts = Table(("", ""), [("started", "2026-11-23 11:40:38 EST (due 2026-12-01 02:15:00 EST)"), ("took", "7.0 s")])
    wide = Table(("job", "text"), [("東京" * 5, "データ" * 30), ("j", "é" * 90)])
    told = _text(_on_terminal(monkeypatch, columns, JOBS, facts, wide, Line(SENTENCE)))
    assert max(map(cell_len, told.split("\n"))) <= columns


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_text_from_outside_is_shown_but_not_obeyed(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    table = Table(("job", "state", "text"), [("j", HOSTILE, HOSTILE), (HOSTILE, "failed", "")])
    told = _on_terminal(monkeypatch, columns, Line(HOSTILE, "bold"), table)
    text = COLOUR.sub("", told)
    assert [character for character in text if character < " " and character != "\n"] == []
    assert not set("\x7f\x9b\u202e") & set(text)
    assert HARMLESS in "".join(text.replace("\n", "").split())


def test_states_are_coloured_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _on_terminal(monkeypatch, 120, Table(("state", "x"), [("failed", ""), ("completed", "")]))
    assert re.search(r"\x1b\[31mfailed +\x1b\[0m", told)
    assert re.search(r"\x1b\[32mcompleted\x1b\[0m", told)


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    told = _on_terminal(monkeypatch, 120, Table(("state", "x"), [("failed", "")]), Line("bad", "red"))
    assert re.findall(r"\x1b\[[0-9;]*3\d[0-9;]*m", told) == []
    assert "failed" in told


def test_json_and_pipes_are_never_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as pipe:
        show(Page({}, [JOBS]), file=pipe)
    with os.fdopen(reader) as received:
        assert "\x1b" not in received.read()


STATUS = Table(
    ("job", "state", "rows", "took", "told"),
    [("lms-completions", "partial", "1234567890", "0987654321", "13 of 162 rows rejected in all")],
    extra=("rows", "took"),
)


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (120, ["job", "state", "rows", "took", "told"]),
        (50, ["job", "state", "rows", "took"]),
        (40, ["job", "state", "took"]),
        (30, ["job", "state"]),
        (20, ["job", "lms-completio"]),
    ],
)
def test_a_narrow_terminal_goes_without_the_columns_that_are_not_needed(
    monkeypatch: pytest.MonkeyPatch, columns: int, names: list[str]
) -> None:
    told = _text(_on_terminal(monkeypatch, columns, STATUS))
    assert "13 of" in told
    assert told.split("\n")[0].split() == names
    assert ("1234567890" in told) == (columns in (120, 50, 20))  # each cell of a list has a line of its own
    assert max(map(cell_len, told.split("\n"))) <= columns


def test_tables_below_each_other_are_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = aligned([Table(("job", "x"), [("a", "1")]), Table(("job", "x"), [("a-long-name", "22")])])
    expected = "job          x\na            1\njob          x\na-long-name  22\n"
    assert _text(_on_terminal(monkeypatch, 60, short, long)) == expected
    out = io.StringIO()
    show(Page({}, [short, long]), file=out)
    assert out.getvalue() == expected.replace("job", "JOB").replace("x\n", "X\n")
