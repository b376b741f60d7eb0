"""The sandbox's records in a JSON file: read when it starts, written when it ends."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from idms_cli.errors import InputError
from idms_cli.sandbox.exchange import Json
from idms_cli.sandbox.parties import Parties
from idms_cli.sandbox.tables import Table

FORMAT = 1


def save(path: Path, tables: Mapping[str, Table], parties: Parties) -> None:
    """Write all records; the file is whole or the old one stays. Raises `InputError` when it cannot be written."""
    content = {
        "format": FORMAT,
        "parties": parties.all(),
        "tables": {name: {"highest": t.highest, "rows": list(t.rows.values())} for name, t in tables.items()},
    }
    temporary = path.with_name(path.name + ".new")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"The sandbox cannot save to {path}: {error.strerror}.") from error


def load(path: Path, tables: Mapping[str, Table], parties: Parties) -> None:
    """Fill empty tables from the file. Raises `InputError` when it is not a sandbox's file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] == FORMAT:
            _fill(content, tables, parties)
            return
        problem = f"format {content['format']!r}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = str(error)
    raise InputError(
        f"{path} does not hold a sandbox's records: {problem}.", hint="Name another file, or move this one away."
    )


def _fill(content: Json, tables: Mapping[str, Table], parties: Parties) -> None:
    for party in content["parties"]:
        parties.put(party)
    for name, table in tables.items():
        saved = content["tables"].get(name, {"highest": {}, "rows": []})
        for row in saved["rows"]:
            table.put({**table.empty_row(), **row})
        table.highest.update(saved["highest"])
