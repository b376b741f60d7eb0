"""How much work a text may be: every turn of a loop is counted, so that no template goes on without end."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from idms_cli.templates.values import Unfit, shown

STEPS = 1_000_000
"""Turns that all loops of a text may take together, beside those over rows."""

STEPS_OF_A_ROW = 200
"""Turns more for each row that a document goes through, when it does so for the first time."""


@runtime_checkable
class Streamed(Protocol):
    """Rows that are too many for a list: a template can only loop over them, and ask how many there are."""

    def __len__(self) -> int: ...

    def records(self) -> Iterator[Mapping[str, Any]]:
        """All of them from the first one, each time; memory stays flat."""


class Counted:
    """What a loop goes over, and how much that is."""

    def __init__(self, items: Iterator[Any], length: int) -> None:
        self._items = items
        self._length = length

    def __iter__(self) -> Iterator[Any]:
        return self._items

    def __len__(self) -> int:
        return self._length


class Budget:
    """The turns that are left for one rendering."""

    def __init__(self, steps: int = STEPS) -> None:
        self._left = steps
        self._furthest = 0

    def each(self, value: Any) -> Counted:
        """The items, counted. Raises `Unfit` for what cannot be looped over."""
        if isinstance(value, Streamed):
            return Counted(self._records(value), len(value))
        if isinstance(value, list | tuple | Mapping):
            return Counted(self._turns(value), len(value))
        raise Unfit(f"a loop goes over a list, not over {shown(value)}")

    def _turns(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._take()
            yield item

    def _records(self, rows: Streamed) -> Iterator[Any]:
        for number, record in enumerate(rows.records(), start=1):
            if number > self._furthest:
                self._furthest = number
                self._left += STEPS_OF_A_ROW
            self._take()
            yield record

    def _take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Unfit("its loops take more turns than any document needs")
