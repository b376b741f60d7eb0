"""What a run asks that stopped in the middle: which records may or may not be on the site, and how to answer."""

from datetime import UTC, datetime

from idms_cli.files.places import briefly
from idms_cli.history.rows import Run
from idms_cli.records.entry import Entry
from idms_cli.records.journal import Journal
from idms_cli.reports.entries import entry_data, shown
from idms_cli.reports.page import Line, Page, Table
from idms_cli.reports.wording import some


def questions_page(run: Run, journal: Journal) -> Page:
    """The records in question, numbered as `idms approve` wants them, with all that was sent of each."""
    asked = journal.in_question()
    rows = [row for number, entry in enumerate(asked, start=1) for row in _rows(number, entry)]
    left = sum(journal.planned_counts().values())
    then = f"; {some(left, 'record')} more to write after that" if left else ""
    parts: list[Line | Table] = [
        Line(""),
        Line(f"Are these on the site? They were sent, no answer came, and nothing finds them again{then}.", "bold"),
        Line(f"idms approve {run.id} --stored NUMBERS --not-stored NUMBERS   (or: all)"),
        Table(("number", "line", "sent", "property", "value"), rows, frozenset({"number", "line"})),
    ]
    data = [
        {"number": number, "sent": _sent(entry), **entry_data(entry)} for number, entry in enumerate(asked, start=1)
    ]
    return Page({"questions": data}, parts)


def _rows(number: int, entry: Entry) -> list[tuple[str, ...]]:
    head: tuple[str, ...] = (str(number), briefly(entry.line), _sent(entry))
    rows = []
    for name, value in entry.values.items():
        rows.append((*head, name, shown(value)))
        head = ("",) * len(head)
    return rows


def _sent(entry: Entry) -> str:
    moment = datetime.fromtimestamp(entry.sent_at or 0, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
