"""A part of a document, such as a job's `with:`, is checked with the places of the whole document."""

import pytest

from idms_cli.config.checked import Section, check
from idms_cli.config.documents import Document, parse_document
from idms_cli.config.problems import ProblemsFound


class Source(Section):
    path: str


def document(text: str) -> Document:
    return parse_document(text.encode(), "f.yaml")


def test_a_part_of_a_document_is_checked_with_places_of_the_whole() -> None:
    whole = document("module: import\nwith:\n  pth: a\n")
    with pytest.raises(ProblemsFound) as caught:
        check(Source, whole, at=("with",))
    assert [(problem.line, problem.column, problem.message) for problem in caught.value.problems] == [
        (2, 1, "the key 'path' is missing"),
        (3, 3, "the key 'pth' is not known here"),
    ]


def test_a_part_that_is_not_there_is_empty_or_missing() -> None:
    class Loose(Section):
        limit: int = 3

    whole = document("module: import\n")
    assert check(Loose, whole, at=("with",)).limit == 3
    with pytest.raises(ProblemsFound) as caught:
        check(Source, whole, at=("with",))
    assert [(problem.line, problem.message, problem.hint) for problem in caught.value.problems] == [
        (1, "the key 'with' is missing", "needed in it: path")
    ]
