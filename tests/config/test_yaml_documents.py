"""A YAML file becomes plain data that knows its places; what is no such file is a problem with a place and a hint."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.config.documents import parse_document, read_document
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.tree import read_tree

LOADERS = [pytest.param(yaml.SafeLoader, id="python"), pytest.param(yaml.CSafeLoader, id="libyaml")]


def told(text: str | bytes) -> list[tuple[int, int, str]]:
    """Line, column and message of every problem of a file with this content."""
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(ProblemsFound) as caught:
        parse_document(data, "f.yaml")
    assert all(problem.file == "f.yaml" for problem in caught.value.problems)
    return [(problem.line, problem.column, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("NULL", "NULL"),
        ("on", "on"),
        ("yes", "yes"),
        ("no", "no"),
        ("0", 0),
        ("-7", -7),
        ("12345678901234567890", 12345678901234567890),
        ("0123", "0123"),
        ("+49891234", "+49891234"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("1.5e3", 1500.0),
        ("12E4", "12E4"),
        ("1.", "1."),
        (".5", ".5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1.0e999", "1.0e999"),
        ("12:30:45", "12:30:45"),
        ("2026-11-22", "2026-11-22"),
        ("=", "="),
        ("'5'", "5"),
        ('"true"', "true"),
        ("1" * 5000, "1" * 5000),
    ],
    ids=lambda part: str(part)[:12] or "empty",
)
def test_a_word_means_what_yaml_1_2_says_and_codes_stay_text(written: str, value: Any) -> None:
    data = parse_document(f"key: {written}\n".encode(), "f.yaml").data
    assert data == {"key": value}
    assert type(data["key"]) is type(value)


def test_a_document_is_nested_mappings_and_lists() -> None:
    document = parse_document(b"a:\n  - 1\n  - b: [x, {c: null}]\nd: |\n  two\n  lines\n", "f.yaml")
    assert document.data == {"a": [1, {"b": ["x", {"c": None}]}], "d": "two\nlines\n"}
    assert document.at(("a", 1, "b", 0)) == "x"
    assert document.at(("a", 7)) is None
    assert document.has(("a", 1, "b", 1, "c"))
    assert not document.has(("a", "b"))


def test_a_problem_is_placed_at_the_value_the_key_or_the_deepest_known_place() -> None:
    document = parse_document("é: {ü: [10, 20]}\nlist:\n  - x: 5\n".encode(), "f.yaml")
    at_value = document.problem(("é", "ü", 1), "m")
    assert (at_value.line, at_value.column, at_value.value) == (1, 13, "20")
    at_key = document.problem(("list", 0, "x"), "m", on_key=True)
    assert (at_key.line, at_key.column, at_key.value) == (3, 5, "5")
    through_a_tag = document.problem(("é", "Branch", "ü", 0), "m")
    assert (through_a_tag.line, through_a_tag.column, through_a_tag.value) == (1, 9, "10")
    missing = document.problem(("list", 0, "y"), "m")
    assert (missing.line, missing.column, missing.value) == (3, 5, "")
    hidden = document.problem(("list", 0, "x"), "m", value="")
    assert hidden.value == ""


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param("", [(1, 1, "the file is empty")], id="empty"),
        pytest.param("# only this\n", [(1, 1, "the file is empty")], id="only-a-comment"),
        pytest.param("---\n", [(1, 1, "the file is empty")], id="only-a-start"),
        pytest.param("- a\n", [(1, 1, "the top of the file must be keys with values")], id="a-list"),
        pytest.param("a:1\n", [(1, 1, "the top of the file must be keys with values")], id="no-space-after-colon"),
        pytest.param("a:\n\tb: 1\n", [(2, 1, "a tab is used for indentation")], id="tab"),
        pytest.param("a:\n  b: 1\n\tc: 2\n", [(3, 1, "a tab is used for indentation")], id="tab-later"),
        pytest.param("a: >\n\tx\n", [(2, 1, "a tab is used for indentation")], id="tab-in-block"),
        pytest.param("a: 1\n---\nb: 2\n", [(2, 1, "a second document starts here")], id="two-documents"),
        pytest.param(
            "a: 1\n...\nb: 2\n", [(3, 1, "the text after the end of the document ('...') is not read")], id="after-end"
        ),
        pytest.param(
            "a: 1\nb: 2\na: 3\nb: 4\nb: 5\n",
            [
                (3, 1, "the key 'a' is here twice; it stands in line 1 already"),
                (4, 1, "the key 'b' is here twice; it stands in line 2 already"),
                (5, 1, "the key 'b' is here twice; it stands in line 2 already"),
            ],
            id="double-keys",
        ),
        pytest.param(
            "a: &x 1\nb: *y\nc: !!python/object:os.system x\nd: !own y\n<<: {e: 1}\n",
            [
                (1, 4, "an anchor ('&') is not allowed here"),
                (2, 4, "an alias ('*') is not allowed here"),
                (3, 4, "a tag ('!') is not allowed here"),
                (4, 4, "a tag ('!') is not allowed here"),
                (5, 1, "the merge key '<<' is not allowed here"),
            ],
            id="labels",
        ),
        pytest.param(
            "1: a\nnull: b\ntrue: c\n[d]: e\n? {f: g}\n: h\n",
            [
                (1, 1, "the key '1' is not text"),
                (2, 1, "the key 'null' is not text"),
                (3, 1, "the key 'true' is not text"),
                (4, 1, "a key must be a plain word"),
                (5, 3, "a key must be a plain word"),
            ],
            id="keys-that-are-not-text",
        ),
        pytest.param("?\n: a\n", [(1, 2, "the key is missing before ':'")], id="no-key"),
        pytest.param("a: {{ x }}\n", [(1, 5, "a key must be a plain word")], id="template-without-quotes"),
        pytest.param(
            "x: 1\ncron: */5 * * * *\n", [(2, 7, "an unquoted value cannot start with '*' or '&'")], id="cron-star"
        ),
        pytest.param("cron: @daily\n", [(1, 7, "an unquoted value cannot start with this character")], id="cron-at"),
        pytest.param("a: 'x\nb: 2\n", [(1, 4, "the quoted text that opens here never ends")], id="open-quote"),
        pytest.param(
            "x: 1\na: [1, 2\nb: 3\n",
            [(3, 2, "the list that opens in line 2 with '[' is not closed properly")],
            id="open-list",
        ),
        pytest.param(
            "a: {x: 1\nb: 3\n",
            [(2, 2, "the mapping that opens in line 1 with '{' is not closed properly")],
            id="open-mapping",
        ),
        pytest.param("a: b: c\n", [(1, 5, "a ':' cannot stand here")], id="colon-in-value"),
        pytest.param("a: - b\n", [(1, 4, "a list item ('- ') cannot stand here")], id="item-on-the-key's-line"),
        pytest.param("a:\n  b: 1\n c: 2\n", [(3, 2, "this does not fit the lines above")], id="indentation"),
        pytest.param("a: 1\njust words\n", [(2, 1, "this is not 'key: value'")], id="no-colon"),
        pytest.param('a: "C:\\drop"\n', [(1, 7, "an unknown escape with '\\' in double quotes")], id="backslash"),
        pytest.param("é: \x07\n", [(1, 4, "a control character (U+0007) stands in the text")], id="control-character"),
        pytest.param("a: 1\nb: \x00\n", [(2, 4, "a control character (U+0000) stands in the text")], id="nul"),
        pytest.param(b"a: 1\r\nname: Zo\xeb\r\n", [(2, 9, "the byte 0xEB is not UTF-8")], id="latin-1"),
        pytest.param("a: 1\n".encode("utf-16"), [(1, 1, "the file is UTF-16 text, not UTF-8")], id="utf-16"),
        pytest.param(
            b"\0a: 1\nb: 2\n", [(1, 1, "a control character (U+0000) stands in the text")], id="stray-nul-first"
        ),
        pytest.param(
            b"a\0: 1\nb: 2\n", [(1, 2, "a control character (U+0000) stands in the text")], id="stray-nul-second"
        ),
        pytest.param("a: 1\n".encode("utf-16-be"), [(1, 1, "the file is UTF-16 text, not UTF-8")], id="utf-16-no-mark"),
        pytest.param(
            "a: 1\na: 2\nb: [\n",
            [
                (2, 1, "the key 'a' is here twice; it stands in line 1 already"),
                (4, 1, "a value is missing here, or a bracket is not closed"),
            ],
            id="double-key-and-broken",
        ),
    ],
)
def test_what_is_no_job_file_is_a_problem_with_its_place(
    text: str | bytes, problems: list[tuple[int, int, str]]
) -> None:
    assert told(text) == problems


def test_a_legacy_byte_is_explained() -> None:
    with pytest.raises(ProblemsFound) as caught:
        parse_document(b"name: Zo\xeb\n", "f.yaml")
    assert caught.value.problems[0].hint == "save the file as UTF-8; in Windows-1252 this byte is 'ë'"


def test_a_password_without_quotes_is_not_repeated_in_a_problem() -> None:
    for written in ("*hunter2", "&hunter2", "!hunter2", "!hunter2 x", "'hunter2", "[hunter2", "@hunter2", "hunter2: x"):
        with pytest.raises(ProblemsFound) as caught:
            parse_document(f"password: {written}\n".encode(), "f.yaml")
        assert "hunter2" not in str(caught.value)


def test_a_byte_order_mark_is_fine_and_moves_no_column() -> None:
    document = parse_document(b"\xef\xbb\xbfa: 1\n", "f.yaml")
    assert document.data == {"a": 1}
    assert document.problem(("a",), "m").column == 4


@pytest.mark.parametrize("loader", LOADERS)
def test_both_parsers_give_the_same_places(loader: Any) -> None:
    with pytest.raises(ProblemsFound) as caught:
        read_tree("a: 1\na: 2\nb:\n\tc: 1\n", "f.yaml", loader)
    assert [(problem.line, problem.message) for problem in caught.value.problems] == [
        (2, "the key 'a' is here twice; it stands in line 1 already"),
        (4, "a tab is used for indentation"),
    ]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("escape", ["\\ud83d", "\\UFFFFFFFF", "\\xZZ", "\\q"])
def test_an_escape_that_is_no_character_is_a_problem(escape: str, loader: Any) -> None:
    with pytest.raises(ProblemsFound):
        read_tree(f'a: "{escape}"\n', "f.yaml", loader)


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ProblemsFound, match="there is no such file"):
        read_document(tmp_path / "none.yaml")


def test_a_directory_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ProblemsFound, match="not a regular file"):
        read_document(tmp_path)


def test_a_fifo_is_a_problem_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.yaml")
    with pytest.raises(ProblemsFound, match="not a regular file"):
        read_document(tmp_path / "fifo.yaml")


def test_a_path_through_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a: 1\n")
    with pytest.raises(ProblemsFound, match="the file cannot be read"):
        read_document(tmp_path / "file" / "a.yaml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n")
    path.chmod(0)
    with pytest.raises(ProblemsFound, match="the file may not be read"):
        read_document(path)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_problems(data: bytes) -> None:
    with suppress(ProblemsFound):
        assert isinstance(parse_document(data, "f.yaml").data, dict)


YAML_PIECES = [
    *["a", "1", "null", "é", ": ", ":", "- ", "? ", "[", "]", "{", "}", ",", "'", '"', "|", ">", "#", "%", "@", "<<"],
    *["&x ", "*x", "!t ", "!!int ", "---\n", "...\n", "\\", "\\x1", "\n", "  ", "\t"],
    *["\x85", "\u2028", "\ufeff", "\r", "\x00"],
]


@pytest.mark.parametrize("loader", LOADERS)
@given(pieces=st.lists(st.sampled_from(YAML_PIECES), max_size=30))
def test_any_text_is_a_tree_or_problems(pieces: list[str], loader: Any) -> None:
    with suppress(ProblemsFound):
        assert isinstance(read_tree("".join(pieces), "f.yaml", loader).data, dict)


JSON_TEXT = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0xD7FF), max_size=8)
JSON_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | JSON_TEXT
JSON_VALUES = st.recursive(
    JSON_SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(JSON_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(JSON_TEXT, JSON_VALUES, min_size=1, max_size=5))
def test_plain_data_reads_as_with_safe_load(data: dict[str, Any]) -> None:
    text = json.dumps(data, indent=1)
    assert parse_document(text.encode(), "f.yaml").data == yaml.safe_load(text)
