"""A model refuses with all its problems at once, in our words, each at its place; unions tell only the branch meant."""

import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, Field, PlainValidator, model_validator

from idms_cli.config.checked import Section, check
from idms_cli.config.documents import Document, parse_document
from idms_cli.config.fields import Duration, ListOf, Name
from idms_cli.config.problems import BadValue, ProblemsFound

PYDANTIC_WORDS = re.compile(
    r"Input should|valid (integer|string|number|dictionary)|pydantic|Field required|Extra inputs|errors\."
)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Source(Section):
    path: str
    newer_than: Duration | None = None


class Query(Section):
    query: str
    parameters: dict[str, str] = Field(default_factory=dict)


class Column(Section):
    column: str | None = None
    blank: Literal["keep", "clear"] = "keep"

    @model_validator(mode="after")
    def _need_column(self) -> "Column":
        if self.column is None:
            raise BadValue("a column is wanted here", hint="write column: NAME")
        return self


class Vault(Section):
    confidential: ClassVar[bool] = True
    place: str
    shelf: int = 0


def no_blanks(words: tuple[str, ...]) -> tuple[str, ...]:
    if any(" " in word for word in words):
        raise BadValue("a word has a blank in it")
    return words


class Job(Section):
    module: Literal["import", "update"]
    enabled: bool = True
    attempts: int = Field(1, ge=1, le=5)
    factor: float = 1.0
    note: str = ""
    colour: Colour | None = Field(None, strict=False)
    words: Annotated[ListOf[str], AfterValidator(no_blanks)] = ()
    source: Source | Query | None = None
    map: dict[Name, str | Column] = Field(default_factory=dict)
    steps: ListOf[str | ListOf[Source]] = ()
    key: Vault | None = None
    from_: str | None = Field(None, alias="from")


def document(text: str) -> Document:
    return parse_document(text.encode(), "f.yaml")


def told(text: str, model: type[Section] = Job) -> list[tuple[int, int, str, str]]:
    """Line, column, message and hint of all problems."""
    with pytest.raises(ProblemsFound) as caught:
        check(model, document(text))
    assert not PYDANTIC_WORDS.search(str(caught.value))
    return [(problem.line, problem.column, problem.message, problem.hint) for problem in caught.value.problems]


def told_of(text: str) -> tuple[str, str]:
    """Message and hint of the only problem of a job that is otherwise right."""
    problems = told(f"module: import\n{text}\n")
    assert len(problems) == 1
    return problems[0][2:]


def test_right_data_become_a_frozen_model() -> None:
    job = check(Job, document("module: update\nwords: [a, b]\nmap: {X: a, Y: {column: b}}\nfrom: here\nfactor: 2\n"))
    assert job.words == ("a", "b")
    assert job.map == {"X": "a", "Y": Column(column="b")}
    assert (job.from_, job.factor) == ("here", 2.0)
    with pytest.raises(ValueError, match="frozen"):
        job.module = "import"


def test_python_may_use_the_field_name_and_files_may_not() -> None:
    assert Job.model_validate({"module": "import", "from_": "here"}).from_ == "here"
    assert told_of("from_: here") == ("the key 'from_' is not known here", "did you mean 'from'?")


def test_all_problems_of_a_file_are_told_at_once_and_in_order() -> None:
    assert told("enabled: yes\natempts: 2\nfactor: fast\nsource:\n  newer_than: 5\n  path: [a]\n") == [
        (1, 1, "the key 'module' is missing", "needed here: module"),
        (1, 10, "true or false is wanted here, not the text 'yes'", "write true, without quotes"),
        (2, 1, "the key 'atempts' is not known here", "did you mean 'attempts'?"),
        (3, 9, "a number is wanted here, not the text 'fast'", "write digits, without quotes"),
        (
            5,
            15,
            "a duration is wanted here",
            "write a number and a unit: 30s, 5m, 2h, 1d, or together 1h30m",
        ),
        (6, 3, "text is wanted here, not a list", ""),
    ]


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        pytest.param("note: 5", "text is wanted here, not the number '5'", 'put it in quotes: "5"', id="number"),
        pytest.param("note: true", "text is wanted here, not true", 'put it in quotes: "true"', id="boolean"),
        pytest.param(
            "note:", "text is wanted here, but the value is empty", "write a value, or delete the key", id="nothing"
        ),
        pytest.param("note: {a: b}", "text is wanted here, not a mapping", "", id="mapping-for-text"),
        pytest.param(
            "attempts: '3'",
            "a whole number is wanted here, not the text '3'",
            "write digits, without quotes",
            id="quoted-number",
        ),
        pytest.param("attempts: 1.5", "a whole number is wanted here, not the number '1.5'", "", id="fraction"),
        pytest.param("attempts: true", "a whole number is wanted here, not true", "", id="boolean-for-number"),
        pytest.param("attempts: 9", "the number must be at most 5", "", id="too-much"),
        pytest.param("attempts: 0", "the number must be at least 1", "", id="too-little"),
        pytest.param(
            "enabled: off",
            "true or false is wanted here, not the text 'off'",
            "write false, without quotes",
            id="off",
        ),
        pytest.param(
            "enabled: 1",
            "true or false is wanted here, not the number '1'",
            "write true or false, without quotes",
            id="one",
        ),
        pytest.param("colour: rd", "'rd' is not one of: red, blue", "did you mean 'red'?", id="enum"),
        pytest.param(
            "words: a", "a list is wanted here, not the text 'a'", "write it as a list: [a]", id="text-for-list"
        ),
        pytest.param("words: [a, 7]", "text is wanted here, not the number '7'", 'put it in quotes: "7"', id="in-list"),
        pytest.param("words: [a b]", "a word has a blank in it", "", id="own-check"),
        pytest.param("map: [a]", "a mapping (key: value) is wanted here, not a list", "", id="list-for-mapping"),
    ],
)
def test_a_wrong_value_is_told_in_words(written: str, message: str, hint: str) -> None:
    assert told_of(written) == (message, hint)


def test_a_wrong_word_is_told_with_the_list_and_the_nearest() -> None:
    assert told("module: imprt\n") == [(1, 9, "'imprt' is not one of: import, update", "did you mean 'import'?")]


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        pytest.param(
            "map: {X: {colum: a}}", "the key 'colum' is not known here", "did you mean 'column'?", id="mapping"
        ),
        pytest.param(
            "map: {X: 5}", "text or a mapping (key: value) is wanted here, not the number '5'", "", id="neither"
        ),
        pytest.param(
            "map: {X: }",
            "text or a mapping (key: value) is wanted here, but the value is empty",
            "write a value, or delete the key",
            id="nothing",
        ),
        pytest.param("map: {X: {blank: keep}}", "a column is wanted here", "write column: NAME", id="own-check"),
        pytest.param(
            "map: {X: {column: a, blank: kep}}", "'kep' is not one of: keep, clear", "did you mean 'keep'?", id="word"
        ),
        pytest.param(
            "steps: [a, [{path: b, c: d}]]", "the key 'c' is not known here", "known here: path, newer_than", id="deep"
        ),
        pytest.param(
            "source: {query: q, parameters: {a: 1}}",
            "text is wanted here, not the number '1'",
            'put it in quotes: "1"',
            id="nearest-mapping",
        ),
        pytest.param(
            "source: text",
            "a mapping (key: value) is wanted here, not the text 'text'",
            "",
            id="text-for-two-mappings",
        ),
    ],
)
def test_of_a_union_only_the_branch_that_was_meant_is_told(written: str, message: str, hint: str) -> None:
    assert told_of(written) == (message, hint)


def test_a_refused_key_is_marked_at_the_key() -> None:
    assert told("module: import\nmap:\n  ../x: a\n") == [
        (
            3,
            3,
            "this cannot be a name",
            "use letters, digits, '_' and '-', at most 64, the first a letter or digit",
        )
    ]


def test_a_problem_with_a_whole_mapping_is_marked_at_its_key() -> None:
    assert told("module: import\nmap:\n  X:\n    blank: keep\n")[0][:2] == (3, 3)


def test_a_key_that_is_missing_deep_down_is_marked_at_its_mapping() -> None:
    assert told("module: import\nsteps:\n  - - newer_than: 1d\n") == [
        (3, 7, "the key 'path' is missing", "needed here: path")
    ]


@pytest.mark.parametrize(
    "written",
    [
        "key: [hunter2]",
        "key: {hunter2}",
        "key: {hunter2: x}",
        "key: {place: [hunter2]}",
        "key: {place: a, shelf: hunter2}",
        "kye: hunter2",
        "kye: {a: hunter2}",
    ],
)
def test_what_may_be_a_secret_is_never_shown(written: str) -> None:
    with pytest.raises(ProblemsFound) as caught:
        check(Job, document(f"module: import\n{written}\n"))
    assert "hunter2" not in repr(caught.value.problems)


def test_plain_text_in_place_of_a_confidential_mapping_is_not_shown() -> None:
    with pytest.raises(ProblemsFound) as caught:
        check(Job, document("module: import\nkey: hunter2\n"))
    assert [(problem.message, problem.value) for problem in caught.value.problems] == [
        ("a mapping (key: value) is wanted here", "")
    ]


def test_a_foreign_check_that_raises_plain_valueerror_is_told_as_it_is() -> None:
    def refuse(value: Any) -> str:
        raise ValueError("not today")

    class Picky(Section):
        a: Annotated[str, PlainValidator(refuse)]

    assert told("a: 1\n", Picky) == [(1, 4, "not today", "")]


def test_hostile_keys_and_values_are_shown_harmless() -> None:
    problems = told('module: "\\e[2J"\n"\\e]0;x": 1\n')
    assert [message for _, _, message, _ in problems] == [
        "'\\x1b[2J' is not one of: import, update",
        "the key '\\x1b]0;x' is not known here",
    ]


DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(0, 9) | st.sampled_from(["a", "1h", "import", "keep"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["path", "query", "column", "place", "X", "[key]", "str"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Job.model_fields, "with", "[key]"]), DATA, max_size=6))
def test_any_data_are_a_model_or_problems_in_our_words(data: Mapping[str, Any]) -> None:
    whole = parse_document(json.dumps({"a": 1, **data}).encode(), "f.yaml")
    with pytest.raises(ProblemsFound) as caught:
        check(Job, whole)
    assert not PYDANTIC_WORDS.search(str(caught.value))
    assert "does not fit here" not in str(caught.value)
