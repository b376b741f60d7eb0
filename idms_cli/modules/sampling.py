"""The first rows of a file or a query, and how a drafted job names where they come from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from idms_cli.config.settings import Settings
from idms_cli.errors import InputError
from idms_cli.files import Row, open_table
from idms_cli.files.options import FileOptions
from idms_cli.files.recordpaths import found_places
from idms_cli.imis.querydefinitions import Told
from idms_cli.imis.querypages import QueryRow
from idms_cli.imis.site import Site
from idms_cli.modules.guessing import Sample
from idms_cli.modules.jobtext import quoted
from idms_cli.rows.table import cell_text

ROWS_READ = 1000
"""Rows that are looked at to tell how dates and numbers are written."""

_KEY_OF_A_SOURCE = re.compile(rf"\b(?:{'|'.join(FileOptions.model_fields)}):")

QUERY = "$/"
"""How the path of a query begins."""


@dataclass(frozen=True)
class Sampled:
    """What a draft knows of its source."""

    sample: Sample
    name: str
    """What people call it."""
    module: str
    source: str
    """`source:` as YAML."""
    doubt: str = ""
    """What somebody has to look at in it."""
    notes: Sequence[str] = ()


def of_file(path: Path, settings: Settings) -> Sampled:
    """Raises `InputError` for a file that cannot be read."""
    try:
        places = found_places(path)
        with open_table(path, FileOptions.model_validate(places)) as table:
            rows = [row.cells for row in islice(table.rows(), ROWS_READ) if isinstance(row, Row)]
            sample, notes = Sample(table.columns, rows), table.notes
    except InputError as error:
        if not _KEY_OF_A_SOURCE.search(error.hint):
            raise
        hint = f"{error.hint.rstrip('.')}. Only the `source:` of a job can say that: write this one by hand."
        raise InputError(str(error), hint=hint) from error
    where = "".join(f", {key}: {quoted(place)}" for key, place in places.items())
    shown = _relative(path, settings.directory)
    doubt = "are these the records?" if where else ""
    return Sampled(sample, path.name, "import", f"{{path: {quoted(shown)}{where}}}", doubt, notes)


def of_query(site: Site, path: str) -> Sampled:
    """Raises as reading a query does."""
    rows = list(islice(site.query(path), ROWS_READ))
    told = site.query_definition(path)
    columns = tuple(dict.fromkeys(name for row in rows for name in row)) or _defined(told)
    sample = Sample(columns, [tuple(cell_text(row.get(name)) for name in columns) for row in rows])
    key = _key(columns, rows)
    keyed = f", key: {quoted(key)}" if key else ""
    doubts = [] if key else ["which column is different in every row? key: NAME"]
    if told.definition and told.definition.prompts:
        asked = ", ".join(map(str, told.definition.prompts))
        doubts.append(f"the query asks for {asked}: parameters: {{NAME: VALUE}}")
    name = path.rpartition("/")[2]
    return Sampled(sample, name, "update", f"{{query: {quoted(path)}{keyed}}}", "; ".join(doubts))


def _defined(told: Told) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column.name for column in told.definition.columns)) if told.definition else ()


def _key(columns: Sequence[str], rows: Sequence[QueryRow]) -> str:
    """A column that is different in every row of several, the first one of those that are called an ID, if any is."""
    different = [name for name in columns if len(rows) > 1 and _is_different(name, rows)]
    named = [name for name in different if name.casefold().endswith("id")]
    return (named or different or [""])[0]


def _is_different(name: str, rows: Sequence[Mapping[str, object]]) -> bool:
    values = {row.get(name) for row in rows}
    return len(values) == len(rows) and not values & {None, ""}


def _relative(source: Path, directory: Path) -> str:
    """To the directory of idms.yaml when it lies there, so that both can be moved together."""
    return str(source.relative_to(directory) if source.is_relative_to(directory) else source)
