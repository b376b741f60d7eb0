"""Rows in memory, found by key or by any property that is asked for often."""

from collections.abc import Collection, Sequence
from typing import Any

from idms_cli.sandbox.definitions import Entity
from idms_cli.sandbox.filters import Condition, comparable
from idms_cli.sandbox.values import Row

Key = tuple[str, ...]


class Table:
    """The rows of one entity, in the order they came.

    The first filter for equality on a property builds an index on it, so that finding one contact's rows among
    100,000 takes as long as among ten. Not thread-safe: the site holds its lock.
    """

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.rows: dict[Key, Row] = {}
        self.numbered_by = next((each.name for each in entity.properties if each.assigned), "")
        self.highest: dict[str, int] = {}
        """The highest number given so far, for each series that is numbered."""
        self._key_names = tuple(each.name for each in entity.keys)
        self._indexes: dict[str, dict[Any, dict[Key, None]]] = {}

    def empty_row(self) -> Row:
        """A row of nulls."""
        return {kind.name: None for kind in self.entity.properties}

    def key_of(self, row: Row) -> Key:
        """A row's identity, all strings."""
        return tuple(str(row[name]) for name in self._key_names)

    def put(self, row: Row) -> Key:
        """Store a row in place of the one with its key, if there is one."""
        key = self.key_of(row)
        old = self.rows.get(key)
        for name, index in self._indexes.items():
            value = comparable(row.get(name))
            if old is not None and comparable(old.get(name)) == value:
                continue  # the row keeps its place among its equals
            if old is not None:
                index[comparable(old.get(name))].pop(key, None)
            index.setdefault(value, {})[key] = None
        self.rows[key] = row
        if self.numbered_by:
            series = self._series(row)
            self.highest[series] = max(self.highest.get(series, 0), int(row[self.numbered_by] or 0))
        return key

    def remove(self, key: Key) -> None:
        """Forget a row that is there."""
        row = self.rows.pop(key)
        for name, index in self._indexes.items():
            index[comparable(row.get(name))].pop(key, None)

    def find(self, conditions: Sequence[Condition] = ()) -> Collection[Row]:
        """The rows that meet all conditions, in order."""
        if not conditions:
            return self.rows.values()
        candidates: list[Collection[Key]] = [self._lookup(each) for each in conditions if each.test == "equal"]
        keys: Collection[Key] = min(candidates, key=len) if candidates else self.rows
        return [row for row in map(self.rows.__getitem__, keys) if all(each.holds(row) for each in conditions)]

    def number(self, row: Row) -> None:
        """Give a row its Ordinal or SEQN, if it has one: one more than the highest ever given (assumption A21).

        An Ordinal counts within its contact, where there is one; everything else within the table.
        """
        if self.numbered_by:
            row[self.numbered_by] = self.highest.get(self._series(row), 0) + 1

    def _series(self, row: Row) -> str:
        per_contact = self.numbered_by == "Ordinal" and self.entity.parent_property
        return str(row[self.entity.parent_property]) if per_contact else ""

    def _lookup(self, condition: Condition) -> dict[Key, None]:
        index = self._indexes.get(condition.property)
        if index is None:
            index = self._indexes[condition.property] = {}
            for key, row in self.rows.items():
                index.setdefault(comparable(row.get(condition.property)), {})[key] = None
        return index.get(condition.wanted[0], {})
