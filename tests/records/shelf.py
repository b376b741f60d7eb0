"""A kind of record in memory: it does what a site does, and fails where a test says so."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any

from idms_cli.errors import RecordRefused
from idms_cli.imis.kinds import Key, Record
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.values import same
from idms_cli.records.matching import Rules

PROPERTIES = {
    "ID": Property("ID", key=True, required=True),
    "Name": Property("Name", max_length=10),
    "Note": Property("Note"),
    "Number": Property("Number", type="Integer"),
    "Seq": Property("Seq", type="Integer", key=False, read_only=True),
}
COLUMNS = ("id", "name", "note", "number")
MAP = {"ID": "id", "Name": "name"}


def rules(**changes: Any) -> Rules:
    """An upsert by ID."""
    return Rules(**{"action": "upsert", "match": ("ID",), "properties": PROPERTIES, **changes})


class Shelf:
    """Records by ID; a `Kind`."""

    entity = "Shelf"

    def __init__(self, *records: Mapping[str, Value]) -> None:
        self.records: dict[str, dict[str, Value]] = {str(one["ID"]): dict(one) for one in records}
        self.calls: list[str] = []
        self.fails: defaultdict[str, deque[Exception | None]] = defaultdict(deque)
        """Verb -> what its next calls raise; None for one that works."""
        self.always: dict[str, Exception] = {}
        """Verb -> what it raises once `fails` has nothing more to say."""
        self.stores_though = False
        """Whether a write that fails is carried out all the same."""
        self.on_call: Callable[[str, object], None] = lambda verb, what: None
        self._lock = threading.Lock()

    def properties(self) -> Mapping[str, Property]:
        return PROPERTIES

    def find(self, match: Mapping[str, Value]) -> list[Record]:
        self._call("find", match.get("ID"))
        rows = list(self.records.values())
        return [_record(row) for row in rows if all(same(value, row.get(name)) for name, value in match.items())]

    def read(self, key: Key) -> Record | None:
        self._call("read", key[0])
        row = self.records.get(key[0])
        return None if row is None else _record(row)

    def insert(self, values: Mapping[str, Value]) -> Key:
        key = str(values["ID"])

        def store() -> None:
            if key in self.records:
                raise RecordRefused([f"{key} exists already."], status=400, code="validation")
            self.records[key] = dict(values)

        self._write("insert", key, store)
        return (key,)

    def update(self, record: Record, changes: Mapping[str, Value]) -> None:
        key = record.key[0]
        self._write("update", key, lambda: self.records[key].update(changes))

    def delete(self, record: Record) -> None:
        key = record.key[0]
        self._write("delete", key, lambda: self.records.pop(key))

    def count(self, verb: str) -> int:
        return sum(1 for call in self.calls if call.startswith(verb))

    def _write(self, verb: str, key: str, store: Any) -> None:
        try:
            self._call(verb, key)
        except Exception:
            if self.stores_though:
                store()
            raise
        store()

    def _call(self, verb: str, what: object) -> None:
        with self._lock:
            self.calls.append(f"{verb} {what}")
            script = self.fails[verb]
            error = script.popleft() if script else self.always.get(verb)
        self.on_call(verb, what)
        if error is not None:
            raise error


def _record(row: Mapping[str, Value]) -> Record:
    return Record((str(row["ID"]),), dict(row), dict(row))
