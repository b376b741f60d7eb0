"""Lookup tables of a map that are kept in a file: two of its columns, read whole."""

from collections.abc import Mapping
from pathlib import Path

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.files import BrokenRow, Table, open_table
from idms_cli.files.options import FileOptions
from idms_cli.records.rules import LookupFile, MapFault, MapRefused, Rule

MOST_ROWS = 1_000_000


def read_lookups(rules: Mapping[str, str | Rule], directory: Path) -> dict[str, dict[str, str]]:
    """The tables of all rules that name a file, by the rule's word in the map, for `mapping.bind`.

    Relative paths start from `directory`. Raises `MapRefused` with everything that is wrong with the files.
    """
    found: dict[str, dict[str, str]] = {}
    faults: list[MapFault] = []
    for word, rule in rules.items():
        lookup = rule.lookup_file if isinstance(rule, Rule) else None
        if lookup is None:
            continue
        try:
            found[word] = read_lookup(lookup, directory)
        except InputError as error:
            faults.append(MapFault(word, "lookup", f"the lookup cannot be used: {str(error).rstrip('.')}", error.hint))
    if faults:
        raise MapRefused(faults)
    return found


def read_lookup(lookup: LookupFile, directory: Path) -> dict[str, str]:
    """Key -> value, without the space around them. Raises `InputError` for a file, column or key that is wrong."""
    path = directory / lookup.file
    with open_table(path, FileOptions()) as table:
        return _entries(table, path, _place(table, lookup.key, path), _place(table, lookup.value, path))


def _place(table: Table, column: str, path: Path) -> int:
    if column in table.columns:
        return table.columns.index(column)
    hint = did_you_mean(column, table.columns) or f"Its columns: {', '.join(map(shortened, table.columns))}."
    raise InputError(f"{path} has no column '{shortened(column)}'", hint=hint)


def _entries(table: Table, path: Path, key_at: int, value_at: int) -> dict[str, str]:
    entries: dict[str, str] = {}
    for row in table.rows():
        if isinstance(row, BrokenRow):
            raise InputError(f"{path}:{row.line}: {row.message}", hint="Mend the line: a lookup is used as a whole.")
        key, value = row.cells[key_at].strip(), row.cells[value_at].strip()
        if not key:
            raise InputError(f"{path}:{row.line}: the key is blank", hint="default: says what a blank cell becomes.")
        if entries.setdefault(key, value) != value:
            message = f"{path}:{row.line}: '{shortened(key)}' stands for two things"
            raise InputError(message, hint="Leave one line for each key.")
        if len(entries) > MOST_ROWS:
            raise InputError(f"{path}: a lookup of more than {MOST_ROWS:,} rows", hint="Make it shorter.")
    if not entries:
        raise InputError(f"{path}: the lookup has no rows", hint="Is it the right file?")
    return entries
