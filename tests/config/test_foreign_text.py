"""Text from outside is shown without its terminal codes, and problems are shown with place, value and hint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.config.foreign import harmless, shortened
from idms_cli.config.problems import Problem, ProblemsFound, format_problem
from idms_cli.config.spelling import did_you_mean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Zoë O'Neill, 東京", "Zoë O'Neill, 東京", id="plain"),
        pytest.param("a\x1b[2Jb", "a\\x1b[2Jb", id="escape-sequence"),
        pytest.param("a\tb\r\nc", "a\\tb\\r\\nc", id="tab-and-line-ends"),
        pytest.param("\x00\x7f\x9b", "\\x00\\x7f\\x9b", id="nul-del-c1"),
        pytest.param("user\u202egnp.exe", "user\\u202egnp.exe", id="bidi-override"),
        pytest.param("a\u2028b", "a\\u2028b", id="line-separator"),
        pytest.param("\ud800", "\\ud800", id="lone-surrogate"),
        pytest.param("[red]x[/red] :smile:", "[red]x[/red] :smile:", id="markup-is-the-report's-business"),
    ],
)
def test_control_characters_become_visible(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.text(alphabet=st.characters(codec=None)))
def test_harmless_text_is_one_printable_line_and_stays_as_it_is(text: str) -> None:
    once = harmless(text)
    assert len(once.splitlines()) <= 1
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in once)
    assert harmless(once) == once
    once.encode("utf-8")


def test_long_text_is_cut_to_60_characters() -> None:
    assert shortened("x" * 60) == "x" * 60
    assert shortened("x" * 61) == "x" * 57 + "..."
    assert len(shortened("\x1b" * 60)) == 60


def test_a_problem_reads_as_place_message_value_and_hint() -> None:
    problem = Problem("jobs.d/a.yaml", 3, 7, "a rate is wanted here", "write it as in 5/s", "5")
    assert format_problem(problem) == (
        "jobs.d/a.yaml:3:7: a rate is wanted here\n    value: 5\n    hint: write it as in 5/s"
    )


def test_a_value_that_the_message_quotes_is_not_shown_twice() -> None:
    problem = Problem("a.yaml", 1, 1, "a number is wanted here, not the text 'x'", value="x")
    assert format_problem(problem) == "a.yaml:1:1: a number is wanted here, not the text 'x'"


def test_a_hostile_file_name_cannot_forge_a_line() -> None:
    assert format_problem(Problem("a\nb.yaml", 1, 1, "m")) == "a\\nb.yaml:1:1: m"


def test_problems_are_told_in_the_order_of_their_places() -> None:
    found = ProblemsFound(
        [Problem("b.yaml", 1, 1, "third"), Problem("a.yaml", 9, 1, "two"), Problem("a.yaml", 2, 5, "one")]
    )
    assert [problem.message for problem in found.problems] == ["one", "two", "third"]
    assert str(found) == "a.yaml:2:5: one\na.yaml:9:1: two\nb.yaml:1:1: third"
    assert found.exit_code == 2


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        pytest.param("shedule", "did you mean 'schedule'?", id="typo"),
        pytest.param("SCHEDULE", "did you mean 'schedule'?", id="case"),
        pytest.param("xyzzy", "", id="nothing-near"),
    ],
)
def test_a_mistyped_word_gets_its_neighbour(word: str, answer: str) -> None:
    assert did_you_mean(word, ["module", "schedule", "timeout"]) == answer
