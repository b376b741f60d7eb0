"""Inserts whose answer was lost: looked for before one is sent again; and whether there is anything to look by."""

import time
from collections.abc import Mapping

from idms_cli.errors import RecordRefused
from idms_cli.imis.kinds import Key, Kind, Record
from idms_cli.imis.properties import Value
from idms_cli.imis.values import same
from idms_cli.records.entry import Entry
from idms_cli.records.matching import Rules, searchable


class LostInserts:
    """Looks for what may have been stored."""

    def __init__(self, kind: Kind, rules: Rules, *, settle_s: float) -> None:
        self._kind = kind
        self._keys = [name for name, one in rules.properties.items() if one.key]
        self._settle_s = settle_s

    def can_be_found(self, entry: Entry) -> bool:
        """Whether there is something to look for it by: what the job matches on, or else its whole key."""
        return bool(entry.match or self._key_of(entry))

    def settle(self, sent_at: float) -> None:
        """Wait until the site is no longer at work on what it was sent then; looking at once would not see it.

        By the wall clock, since monotonic time does not outlive a reboot.
        """
        waited = time.time() - sent_at
        time.sleep(min(self._settle_s, max(0.0, self._settle_s - waited)))

    def find(self, entry: Entry) -> Key | None:
        """The record of an insert, if it is there. Raises as `Kind.find`."""
        if not entry.match:
            return self._find_by_key(entry)
        found = self._kind.find(entry.match) or self._find_by_all(entry)
        return found[0].key if found else None

    def _find_by_key(self, entry: Entry) -> Key | None:
        """Nobody looked before it was sent, so that only a record which says the same can be the one."""
        found = [one for one in self._kind.find(self._key_of(entry)) if _says(entry.values, one)]
        return found[0].key if found else None

    def _find_by_all(self, entry: Entry) -> list[Record]:
        """Asked in other words than the plan's, to which a cache may answer as it did then."""
        sent = searchable(entry.values)
        if sent.keys() <= entry.match.keys():
            return []
        try:
            return self._kind.find({**sent, **entry.match})
        except RecordRefused:
            return []  # the site cannot search by one of them; that there is none by the match must do

    def _key_of(self, entry: Entry) -> Mapping[str, Value]:
        """Its whole key, where it is not the site that gives it."""
        known = {name: entry.values[name] for name in self._keys if entry.values.get(name) not in (None, "")}
        return known if len(known) == len(self._keys) else {}


def _says(values: Mapping[str, Value], record: Record) -> bool:
    """Whether the record has all of these values, as far as the site tells them."""
    return all(same(value, record.values[name]) for name, value in values.items() if name in record.values)
