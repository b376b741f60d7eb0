"""What templates of documents see: the run's values, and the rows, one at a time."""

from collections.abc import Iterator, Mapping
from typing import Any

from idms_cli.config.problems import BadValue
from idms_cli.files.writers import Cell, Occasion, Rows
from idms_cli.templates.moments import OCCASION
from idms_cli.templates.texts import NotAText, Text, parse_text

NAMES = (*OCCASION, "batch", "rows", "count", "columns")
"""What a document's template may name."""


class Records:
    """Rows as templates loop over them: each a mapping from column to value."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows.count

    def records(self) -> Iterator[Mapping[str, Cell]]:
        """All rows from the first one."""
        columns = self._rows.columns
        return (dict(zip(columns, row, strict=True)) for row in self._rows)


def values_of(rows: Rows, occasion: Occasion, shown: object) -> dict[str, Any]:
    """The values of a document, with `rows` shown in one way or another."""
    return {**occasion.values, "count": rows.count, "columns": list(rows.columns), "rows": shown}


def document_text(source: str) -> Text:
    """A template of a document. Raises `BadValue` for what it may not have or nobody knows."""
    try:
        text = parse_text(source)
        text.refuse_unknown(NAMES)
    except NotAText as error:
        raise BadValue(str(error), hint=error.hint) from None
    return text
