"""The contact that a row is about, where the file knows it by e-mail address or name rather than by its ID."""

import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, replace

from idms_cli.errors import IdmsError
from idms_cli.files.places import in_words
from idms_cli.imis.kinds import Kind
from idms_cli.records.canonical import pack, texts_of
from idms_cli.records.faults import Fault
from idms_cli.records.mapping import BoundMapping
from idms_cli.records.matching import Rules, Values, match_in_words, match_names

REMEMBERED = 10_000
"""Contacts that are kept in memory, the last used ones: a file often has many rows of one contact."""


@dataclass(frozen=True)
class Sought:
    """What the job says of the contact of a row."""

    mapping: BoundMapping
    """`find:`, bound to the columns of the file and the properties of contacts."""
    target: str
    """The property of the record that holds the contact's ID."""


class ContactFinder:
    """Finds contacts by what rows say of them, each once for all rows that say the same. May be used by threads."""

    def __init__(self, kind: Kind, sought: Sought, rules: Rules) -> None:
        self.target = sought.target
        self._kind = kind
        self._mapping = sought.mapping
        self._rules = replace(rules, match=sought.mapping.properties)
        self.words = len(self._rules.match)
        self._known: OrderedDict[str, Future[tuple[str, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def wanted(self, cells: tuple[str, ...]) -> Values | tuple[Fault, ...]:
        """What a row says of its contact; what is wrong with that. Makes no call."""
        mapped = self._mapping.values(cells)
        if mapped.faults:
            return mapped.faults
        names = match_names(mapped.values, self._rules, what="contact", of="find")
        return (names,) if isinstance(names, Fault) else {name: mapped.values[name] for name in names}

    def ids(self, line: int, wanted: Values) -> tuple[str, ...] | Fault:
        """The IDs of the contacts to which the row in this line adds; or why it adds to none.

        Raises what `Kind.find` raises, and `IdmsError` when `on_multiple: error` meets several contacts.
        """
        found = self._found(wanted)
        if not found:
            return Fault("match", ", ".join(wanted), "no-contact", f"no contact has {match_in_words(wanted)}")
        if len(found) == 1 or self._rules.on_multiple == "all":
            return found
        message = f"{len(found)} contacts have {match_in_words(wanted)}: {', '.join(found[:5])}"
        message += ", ..." if len(found) > 5 else ""
        if self._rules.on_multiple == "error":
            hint = "Find contacts by more, or let such rows be rejected with `on_multiple: skip`."
            raise IdmsError(f"{in_words(line)}: {message}", hint=hint)
        return Fault("match", ", ".join(wanted), "many-contacts", message)

    def _found(self, wanted: Values) -> tuple[str, ...]:
        key = pack(texts_of(wanted, self._rules.match))
        with self._lock:
            known = self._known.get(key)
            future = self._known.setdefault(key, Future())
            self._known.move_to_end(key)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        if known is not None:
            return known.result()
        try:
            records = self._kind.find(wanted, every=self._rules.on_multiple == "all")
        except BaseException as error:
            with self._lock:
                self._known.pop(key, None)  # the next row asks again
            future.set_exception(error)
            raise
        future.set_result(tuple(record.key[0] for record in records))
        return future.result()
