"""The text around a list of rows in a JSON document."""

import json
from functools import lru_cache

from idms_cli.config.problems import BadValue
from idms_cli.errors import InputError
from idms_cli.files.writers import Cells, Occasion, Rows
from idms_cli.files.writers.documents import document_text, values_of
from idms_cli.templates.moments import sample_occasion
from idms_cli.templates.texts import Text, Unrendered
from idms_cli.templates.values import Hole

_HINT = '{"count": {{ count }}, "run": {{ run.id|json }}, "members": {{ rows }}}'
_HOLE = Hole("\0rows\0")  # no template that makes JSON has a NUL


class _NoRows:
    """To try an envelope with."""

    columns: tuple[str, ...] = ("ID",)
    count = 0

    def __iter__(self) -> "_NoRows":
        return self

    def __next__(self) -> Cells:
        raise StopIteration


class _NotJson(ValueError):
    """The message says why, as a sentence without its end."""


def checked_envelope(source: str) -> str:
    """The envelope itself. Raises `BadValue` for one that cannot be right."""
    text = document_text(source)
    try:
        _around(text, _NoRows(), Occasion({**sample_occasion(), "batch": 1}))
    except (Unrendered, _NotJson) as error:
        raise BadValue(f"this makes no JSON document: {error}", hint=f"write it as in {_HINT}") from None
    return source


def around(source: str, rows: Rows, occasion: Occasion) -> tuple[str, str]:
    """What stands before the list of rows and behind it. Raises `InputError` for what makes no JSON."""
    try:
        return _around(_read(source), rows, occasion)
    except (Unrendered, _NotJson) as error:
        raise InputError(
            f"The envelope of the JSON document makes none: {error}.",
            hint="Put |json after values that are text: {{ job|json }}",
        ) from None


def _around(text: Text, rows: Rows, occasion: Occasion) -> tuple[str, str]:
    made = text.render(values_of(rows, occasion, _HOLE))
    parts = made.split(_HOLE.mark)
    if len(parts) != 2:
        raise _NotJson("{{ rows }} has to be in it once")
    before, after = parts
    try:
        json.loads(f"{before}[]{after}".encode())
    except (ValueError, RecursionError) as error:
        place = f", in line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise _NotJson(f"it cannot be read{place}") from None
    try:
        json.loads(f'{before}["\\""]{after}')
    except ValueError:
        raise _NotJson("{{ rows }} stands inside quotes") from None
    return before, after


_read = lru_cache(maxsize=16)(document_text)
