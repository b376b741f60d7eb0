"""An entry as a row of the journal, and back."""

import sqlite3
from collections.abc import Iterable
from dataclasses import astuple, replace
from typing import Any

from idms_cli.imis.kinds import key_in_words
from idms_cli.records.coding import decode, encode
from idms_cli.records.entry import Entry, place_of
from idms_cli.records.faults import Fault


def columns(entry: Entry) -> tuple[object, ...]:
    """What an INSERT is given: place, action, state, key, match, values, changes, faults."""
    return (
        place_of(entry.line, entry.part),
        entry.action,
        entry.state,
        text_of(entry.key),
        text_of(entry.match or None),
        text_of(entry.values or None),
        text_of(entry.changes or None),
        fault_text(entry.faults),
    )


def text_of(data: object) -> str | None:
    """JSON; None stays NULL."""
    return None if data is None else encode(data)


def fault_text(faults: Iterable[Fault] | None) -> str | None:
    """JSON; NULL where nothing is wrong."""
    return encode([astuple(fault) for fault in faults]) if faults else None


def entry_of(row: sqlite3.Row) -> Entry:
    """The entry in a whole row."""

    def read(name: str) -> Any:
        return decode(row[name]) if row[name] else {}

    return Entry(
        line=row["line"],
        state=row["state"],
        action=row["action"],
        key=tuple(decode(row["key"])) if row["key"] else None,
        match=read("match"),
        values=read("values"),
        changes={name: (old, new) for name, (old, new) in read("changes").items()},
        faults=faults_of(row["faults"]),
        sent_at=row["sent_at"],
        part=row["part"],
    )


def named_faults(row: sqlite3.Row) -> tuple[Fault, ...]:
    """The faults of one record, which is named when its row acts on several."""
    faults = faults_of(row["faults"])
    if not row["many"] or not row["key"]:
        return faults
    name = key_in_words(decode(row["key"]))
    return tuple(replace(fault, message=f"record {name}: {fault.message}") for fault in faults)


def faults_of(text: str | None) -> tuple[Fault, ...]:
    """What `fault_text` was given."""
    return tuple(Fault(*fields) for fields in decode(text)) if text else ()
