"""Dates of cells: written as the job says, or as their own file has them."""

from idms_cli.records.forms import by_form
from idms_cli.templates.dates import DateReader, NotAFormat, read_iso, reader_of

__all__ = ["DateReader", "NotAFormat", "date_reader"]


def date_reader(date_format: str | None = None) -> DateReader:
    """Reads dates in one format, else `2026-01-31`, `2026-01-31T08:30` and `2026-01-31 08:30:15`.

    Raises `NotAFormat`. A cell that is a date in its file is one whatever the format; for one that was mended see
    `by_form`.
    """
    return read_iso if date_format is None else by_form(reader_of(date_format), read_iso)
