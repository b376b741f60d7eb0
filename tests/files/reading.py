"""Files for tests of formats: written, read to the end, refused."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from idms_cli.errors import InputError
from idms_cli.files import BrokenRow, Row, open_table
from idms_cli.files.options import FileOptions


class Read(NamedTuple):
    """All that a file gave."""

    columns: tuple[str, ...]
    rows: list[Row | BrokenRow]
    notes: tuple[str, ...]

    @property
    def cells(self) -> list[tuple[str, ...]]:
        """Of the rows, none of which may be broken."""
        assert [row for row in self.rows if isinstance(row, BrokenRow)] == []
        return [row.cells for row in self.rows]

    @property
    def broken(self) -> list[tuple[int, str, str]]:
        """Line, code and message of the broken rows."""
        return [(row.line, row.code, row.message) for row in self.rows if isinstance(row, BrokenRow)]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path, **options: Any) -> Read:
    with open_table(path, FileOptions(**options)) as table:
        rows = list(table.rows())
        assert list(table.rows()) == rows  # every time it is asked
        return Read(table.columns, rows, table.notes)


def refusal(path: Path, **options: Any) -> str:
    """What is said of a file that is refused, without its path; there is a hint, too."""
    with pytest.raises(InputError) as caught:
        read(path, **options)
    message, hint = str(caught.value), caught.value.hint
    assert message.startswith(str(path))
    assert hint
    return f"{message.removeprefix(str(path)).lstrip(': ')} | {hint}"
