"""What runs wrote, field by field: all of one run, or all that was ever done to one record."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from idms_cli.files.places import briefly
from idms_cli.history.rows import Run, moment
from idms_cli.history.store import Store
from idms_cli.imis.kinds import Key, key_in_words
from idms_cli.modules.workplaces import workplaces
from idms_cli.records.entry import Entry
from idms_cli.records.journal import FILE_NAME, open_journal
from idms_cli.reports.entries import change_rows, entry_data
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import Clock, some


class Written(NamedTuple):
    """One record that a run wrote."""

    run: Run
    entry: Entry

    @property
    def at(self) -> datetime | None:
        """When the write left; for a run whose journal does not tell, when it started."""
        return moment(self.entry.sent_at) or self.run.started_at


def run_changes_page(run: Run, directory: Path, limit: int) -> Page:
    """The first `limit` records that a run wrote, by line."""
    found, more = _first(_written(run, directory, None), limit)
    rows = [row for each in found for row in change_rows(each.entry, briefly(each.entry.line))]
    data = {"run": run.id, "changes": [_data(each) for each in found]}
    if not rows:
        return Page(data, [Line(_none(run))])
    table = Table(("line", "action", "record", "property", "change"), rows, frozenset({"line"}))
    return Page(data, [table, *_more(more)])


def record_changes_page(store: Store, entity: str, key: Key, clock: Clock, limit: int) -> Page:
    """What was done to one record, or to those whose key begins with `key`, newest first; as far as journals reach."""
    runs = store.runs.that_wrote(entity, store.kept_runs())
    found, more = _first((each for run in runs for each in _newest_first(store, run, key)), limit)
    record = f"{entity}/{key_in_words(key)}"
    data = {"record": record, "changes": [_data(each) for each in found]}
    if not found:
        return Page(data, [Line(f"No run that still has its journal wrote {record}.")])
    rows = [row for each in found for row in change_rows(each.entry, clock.moment(each.at), _who(each.run))]
    table = Table(("when", "run", "action", "record", "property", "change"), rows)
    return Page(data, [table, *_more(more), Line(f"Times are in {clock.zone}.", "dim")])


def _none(run: Run) -> str:
    written = sum(run.counts.get(word, 0) for word in ("inserted", "updated", "deleted"))
    if written and not run.is_open:
        return f"Run {run.id} of {run.job} wrote {some(written, 'record')}; its journal is gone."
    return f"Run {run.id} of {run.job} changed nothing{' so far' if run.is_open else ''}."


def _written(run: Run, directory: Path, key: Key | None) -> Iterator[Written]:
    for _, place in workplaces(directory):
        if not (place / FILE_NAME).exists():
            continue
        with open_journal(place) as journal:
            if journal.is_planned:
                yield from (Written(run, entry) for entry in journal.written(key))


def _newest_first(store: Store, run: Run, key: Key) -> Iterator[Written]:
    return reversed(list(_written(run, store.run_directory(run.id), key)))


def _first(found: Iterable[Written], limit: int) -> tuple[list[Written], bool]:
    """At most `limit`, and whether there are more."""
    first = list(islice(found, limit + 1))
    return first[:limit], len(first) > limit


def _more(more: bool) -> list[Line]:
    return [Line("... and more: see --limit", "dim")] if more else []


def _who(run: Run) -> str:
    kind = "" if run.intent == "run" else f" ({run.intent})"
    return f"{run.id} {run.job}{kind}" + (", by hand" if run.by_hand else "")


def _data(each: Written) -> dict[str, Any]:
    at = each.at.isoformat() if each.at else None
    return {"run": each.run.id, "job": each.run.job, "at": at, **entry_data(each.entry)}
