"""Rows as templates see them: they stay on disk, and look like a list of mappings."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from idms_cli.errors import IdmsError
from idms_cli.files.writers import Cells, Rows
from idms_cli.templates.values import Unfit, is_whole

FARTHEST = 10_000
"""A row by its number is looked for from the first one on: no further than this, so that a loop over numbers ends."""


class NotKnown(IdmsError):
    """A value that only a real run would have: what was sent nowhere got no answer."""


class RowsView:
    """See the module. As `Streamed`: loops go through all of them, `|length` counts them, `rows[0].ID` is one cell."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return self.rows.count

    def records(self) -> Iterator[Mapping[str, Any]]:
        """All of them from the first one, each time."""
        columns = self.rows.columns
        return (dict(zip(columns, cells, strict=True)) for cells in self.rows)

    def __getitem__(self, place: Any) -> Mapping[str, Any]:
        """The row at a place from 0. Raises `KeyError` for none, and `Unfit` for one that is too far."""
        if not is_whole(place):
            raise KeyError(place)
        index = int(place) + (self.rows.count if place < 0 else 0)
        if not 0 <= index < self.rows.count:
            raise KeyError(place)
        if index > FARTHEST:
            raise Unfit(f"a row by its number is one of the first {FARTHEST:,}: let a loop or a filter step find it")
        found: Cells = next(islice(iter(self.rows), index, None))
        return dict(zip(self.rows.columns, found, strict=True))


class Unanswered:
    """The output of a step that a dry run did not really do: whoever looks at it is told so."""

    def __init__(self, step: str) -> None:
        self.step = step

    def _refuse(self, *_: Any) -> Any:
        raise NotKnown(f"what step {self.step} would give is not known in a dry run")

    __getitem__ = __len__ = __iter__ = __bool__ = __str__ = _refuse
    __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __contains__ = _refuse
    __hash__ = object.__hash__


def refuse_unanswered(value: Any) -> Any:
    """The value itself. Raises `NotKnown` when something in it is not known."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Unanswered):
            one._refuse()
        waiting.extend(one.values() if isinstance(one, Mapping) else one if isinstance(one, list | tuple) else ())
    return value
