"""Dates of cells: written as the job says, or as their own file or site has them."""

import re
from datetime import datetime

from idms_cli.files import Plain
from idms_cli.records.forms import Mended, by_form
from idms_cli.templates.dates import DateReader, NotAFormat, read_iso, reader_of

__all__ = ["DateReader", "NotAFormat", "date_reader"]

# The site's own form may have seven digits, and an offset that says nothing (A12).
_OF_SITE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,6})?)[0-9]*(?:Z|[+-][0-9]{2}:[0-9]{2})?")


def date_reader(date_format: str | None = None) -> DateReader:
    """Reads dates in one format, else `2026-01-31`, `2026-01-31T08:30` and `2026-01-31 08:30:15`.

    Raises `NotAFormat`. A cell that is a date in its file is one whatever the format, and may have more digits and an
    offset, as sites write it; for one that was mended see `by_form`.
    """
    return _read_iso if date_format is None else by_form(reader_of(date_format), _read_iso)


def _read_iso(text: str) -> datetime | None:
    found = read_iso(text)
    of_site = _OF_SITE.fullmatch(text.strip()) if found is None and isinstance(text, Plain | Mended) else None
    return read_iso(of_site[1]) if of_site else found
