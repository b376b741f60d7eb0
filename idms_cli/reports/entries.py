"""One record of a run as table rows and as data: its action, its key, its fields before and after."""

from collections.abc import Iterator

from idms_cli.files.places import split
from idms_cli.imis.kinds import key_in_words
from idms_cli.imis.properties import Value
from idms_cli.records.conversions import show as show_value
from idms_cli.records.entry import Entry


def change_rows(entry: Entry, *first: str) -> Iterator[tuple[str, ...]]:
    """Action, record, property and change, after the cells of `first`; what repeats from row to row is left out."""
    head: tuple[str, ...] = (*first, entry.action, key_in_words(entry.key) if entry.key else "new")
    for name, (old, new) in entry.changes.items():
        yield (*head, name, _change(entry.action, old, new))
        head = ("",) * len(head)
    if not entry.changes:
        yield (*head, "", "")


def _change(action: str, old: Value, new: Value) -> str:
    """Of an insert what is new, of a delete what is lost."""
    if action in ("insert", "delete"):
        return shown(new if action == "insert" else old)
    return f"{shown(old)} -> {shown(new)}"


def shown(value: Value) -> str:
    """A value for people; nothing is `(blank)`."""
    return show_value(value) or "(blank)"


def entry_data(entry: Entry) -> dict[str, object]:
    """A record as JSON."""
    changes = {name: {"old": show_value(old), "new": show_value(new)} for name, (old, new) in entry.changes.items()}
    number, line = split(entry.line)
    where = {"file": number, "line": line} if number else {"line": line}
    return {**where, "part": entry.part, "action": entry.action, "key": entry.key, "changes": changes}
