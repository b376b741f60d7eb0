"""What a site says of a query before a job runs it: that it may not, and what makes its rows unsafe to page through."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError, SiteError
from idms_cli.files.origins.options import Misfit
from idms_cli.imis.querydefinitions import QueryDefinition
from idms_cli.imis.querypages import QueryRow
from idms_cli.modules.source import Said
from idms_cli.rows.query import FIRST_ROWS, QueryOptions, answers

if TYPE_CHECKING:
    from idms_cli.imis.site import Site

SORT = "Sort it in iMIS, on the tab Sorting, by a column that is different in every row: pages follow each other then."


def look_at(site: "Site", options: QueryOptions) -> Said:
    """What is wrong with a query, and what is unsafe. Reads its first rows. Raises `Unreachable` and `LoginRefused`."""
    try:
        sent = answers(site, options)
    except InputError as error:
        return Said((Misfit(("parameters",), str(error).rstrip("."), error.hint),))
    try:
        rows = list(islice(site.query(options.query, sent), FIRST_ROWS))
    except (InputError, SiteError) as error:
        return Said((Misfit(("query",), str(error).rstrip("."), error.hint),))
    definition = site.query_definition(options.query).definition
    columns = _columns(rows, definition)
    problems = tuple(_of_key(options, columns))
    return Said(problems, tuple(_doubts(options, rows, definition, len(sent))), columns)


def _columns(rows: Sequence[QueryRow], definition: QueryDefinition | None) -> tuple[str, ...] | None:
    """The columns that its rows have or may have; None when nobody knows all of them.

    Where there is no definition, rows that hold a null show that the site leaves no column out.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    known = {name.casefold() for name in names}
    if definition is not None:
        for column in definition.columns:
            if known.isdisjoint(column.spellings):
                names[column.name] = None
    is_sure = definition is not None or any(value is None for row in rows for value in row.values())
    return tuple(names) or None if is_sure else None


def _of_key(options: QueryOptions, columns: tuple[str, ...] | None) -> Iterator[Misfit]:
    if options.key and columns and options.key.casefold() not in map(str.casefold, columns):
        hint = did_you_mean(options.key, columns) or f"Its columns: {', '.join(map(shortened, columns[:12]))}."
        yield Misfit(("key",), f"the query has no column '{shortened(options.key)}'", hint)


def _doubts(
    options: QueryOptions, rows: Sequence[QueryRow], definition: QueryDefinition | None, sent: int
) -> Iterator[Misfit]:
    if options.key is None:
        message = "without `key:`, rows that come twice while the data changes are taken twice"
        yield Misfit(("query",), message, "Name a column that is different in every row: key: ID.")
    if not _looks_sorted(rows):
        yield Misfit(("query",), "its rows are in the order of none of its columns, so it seems not to be sorted", SORT)
    if definition is None:
        return
    for name in definition.twice:
        message = f"several columns have the alias '{shortened(name)}'; in the rows they have numbers, as in {name}5"
        yield Misfit(("query",), message, "Give each column an alias of its own, on the tab Display.")
    prompts = len(definition.prompts)
    if isinstance(options.parameters, tuple) and sent != prompts:
        values = "1 value" if prompts == 1 else f"{prompts} values"
        asked = f"the query asks for {values} ({', '.join(map(str, definition.prompts))})"
        message = f"{asked if prompts else 'the query asks for nothing'}, and {sent} are given"
        yield Misfit(("parameters",) if sent else ("query",), message, "Write one for each, '' for none.")


def _looks_sorted(rows: Sequence[QueryRow]) -> bool:
    """Whether the rows are in the order of some column, which shows only where it has different values."""
    names = dict.fromkeys(name for row in rows for name in row)
    told = False
    for name in names:
        values = [row.get(name) for row in rows]
        if all(value == values[0] for value in values):
            continue
        told = True
        if any(_in_order(values, form) for form in _FORMS):
            return True
    return not told


def _in_order(values: Sequence[Any], form: Callable[[Any], Any]) -> bool:
    try:
        keys = [(value is not None, form(value) if value is not None else 0) for value in values]
        return all(one <= other for one, other in pairwise(keys)) or all(one >= other for one, other in pairwise(keys))
    except (TypeError, ValueError):
        return False


def _letters(value: Any) -> str:
    """Without accents and punctuation, which no two databases sort alike."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", value))).casefold()


_FORMS: tuple[Callable[[Any], Any], ...] = (lambda value: value, str.casefold, int, _letters)
"""In which of these forms a site compares its values nobody knows."""
