"""What the YAML parser complains of, in plain words."""

import re
from typing import NamedTuple

import yaml

from idms_cli.config.problems import Problem

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as YAML 1.1 counts lines

_QUOTE_IT = "put the value in quotes, if that character belongs to it"


class _Words(NamedTuple):
    message: str
    hint: str = ""
    at_start: bool = False
    """The place to look at is where the construct starts, not where the parser gave up."""


# libyaml and PyYAML's own parser word their complaints differently; both are here. `{start}` is the line of the start.
_TABLE: tuple[tuple[str, _Words], ...] = (
    (
        "mapping values are not allowed",
        _Words("a ':' cannot stand here", "check the indentation; a value that contains ': ' needs quotes"),
    ),
    (
        "mapping keys are not allowed",
        _Words("a '?' cannot stand here", _QUOTE_IT),
    ),
    (
        "sequence entries are not allowed",
        _Words("a list item ('- ') cannot stand here", "start the list on a line of its own"),
    ),
    (
        "expected ',' or ']'",
        _Words("the list that opens in line {start} with '[' is not closed properly", "look for a missing ',' or ']'"),
    ),
    (
        "expected ',' or '}'",
        _Words(
            "the mapping that opens in line {start} with '{' is not closed properly",
            "look for a missing ',' or '}'; a template needs quotes: \"{{ name }}\"",
        ),
    ),
    (
        "unexpected end of stream",
        _Words("the quoted text that opens here never ends", "close the quote", at_start=True),
    ),
    (
        "unexpected document separator",
        _Words("the quoted text that opens here never ends", "close the quote", at_start=True),
    ),
    (
        "could not find expected ':'",
        _Words("this is not 'key: value'", "a ':' with a space after it is missing, or a quote", at_start=True),
    ),
    (
        "expected alphabetic or numeric character",
        _Words(
            "an unquoted value cannot start with '*' or '&'",
            'put it in quotes, a cron expression for example: "*/5 * * * *"',
            at_start=True,
        ),
    ),
    (
        "cannot start any token",
        _Words("an unquoted value cannot start with this character", "put the value in quotes"),
    ),
    (
        "expected '-' indicator",
        _Words("this does not belong to the list above", "start the line with '- ', or check the indentation"),
    ),
    (
        "expected <block end>",
        _Words("this does not fit the lines above", "check the indentation, and quotes inside the value"),
    ),
    (
        "expected key",
        _Words("this does not fit the lines above", "check the indentation, and quotes inside the value"),
    ),
    (
        "expected node content",
        _Words(
            "a value is missing here, or a bracket is not closed", "check the brackets [ ] and { } before this place"
        ),
    ),
    (
        "expected the node content",
        _Words(
            "a value is missing here, or a bracket is not closed", "check the brackets [ ] and { } before this place"
        ),
    ),
    (
        "unknown escape character",
        _Words("an unknown escape with '\\' in double quotes", "use single quotes, or write '\\\\' for a backslash"),
    ),
    (
        "hexdecimal number",
        _Words("an escape with '\\' that is no character", "use single quotes, or write '\\\\' for a backslash"),
    ),
    (
        "escape",
        _Words("an escape with '\\' that is no character", "use single quotes, or write '\\\\' for a backslash"),
    ),
    (
        "document start",
        _Words("the text after the end of the document ('...') is not read", "keep one document in one file"),
    ),
)


def is_too_deep(error: yaml.YAMLError) -> bool:
    """Whether libyaml's own limit (1,000 levels, from PyYAML 6.0.4 on) came first.

    It scans a line of brackets to its end before it tells the first of them. PyYAML's slower scanner has no such limit,
    and tells where the nesting passes ours.
    """
    return isinstance(error, yaml.MarkedYAMLError) and error.problem == "exceeded maximum nesting depth"


def yaml_fault(error: yaml.YAMLError, text: str, path: str) -> Problem:
    """The problem that the parser's `error` means, with the place in `text`."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem(path, 1, 1, "this is not YAML text")
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(path, 1, 1, f"this is not valid YAML: {error.problem}")
    complaint = error.problem or ""
    if "tab character" in complaint or _character_at(text, mark) == "\t":
        return Problem(path, mark.line + 1, mark.column + 1, "a tab is used for indentation", "use spaces, never tabs")
    words = _words(complaint)
    start = error.context_mark or mark
    place = start if words.at_start else mark
    message = words.message.replace("{start}", str(start.line + 1))
    return Problem(path, place.line + 1, place.column + 1, message, words.hint)


def _words(complaint: str) -> _Words:
    for fragment, words in _TABLE:
        if fragment in complaint:
            return words
    return _Words(f"this is not valid YAML: {complaint}", "put the value in quotes, if it is meant as text")


def _character_at(text: str, mark: yaml.Mark) -> str:
    lines = _LINE_BREAK.split(text)
    if mark.line >= len(lines):
        return ""
    return lines[mark.line][mark.column : mark.column + 1]
