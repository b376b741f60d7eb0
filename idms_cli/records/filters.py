"""What a template may do with a cell: `{{ name|title }}`. A new filter is a method of `templates.filters.Filters`."""

from idms_cli.records.dates import date_reader
from idms_cli.records.forms import Unclear
from idms_cli.records.numbers import number_reader
from idms_cli.templates.filters import Filters, Readers
from idms_cli.templates.values import Unfit, number_of, written

__all__ = ["FILTERS", "LIMIT", "Unfit", "joined", "number_of", "written"]

LIMIT = 100_000
"""Most characters that a template, or a step in it, may make of one row."""

_OF_CELLS = Filters(LIMIT, Readers(number_reader, date_reader, Unclear))

FILTERS = _OF_CELLS.table()

joined = _OF_CELLS.joined
