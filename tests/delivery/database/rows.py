"""Rows for tests, delivered through the seam, and what became of them."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from idms_cli.delivery import Receipt
from idms_cli.errors import IdmsError
from idms_cli.files.writers import Cells
from tests.delivery.cargo import ListRows, SampleCargo, delivery, destination
from tests.delivery.database.postgres import PASSWORD, Database

TWO = ListRows(("ID", "Name"), (("101", "Zoë"), ("102", "Ann")))
MEMBERS = "CREATE TABLE members (id text PRIMARY KEY, name text, paid numeric(10,2), joined date)"


@dataclass(frozen=True)
class Numbered:
    """As many rows as wanted, made when they are read; `at` is called with each number."""

    count: int
    at: Callable[[int], object] = lambda _: None
    columns: tuple[str, ...] = ("ID", "Name")

    def __iter__(self) -> Iterator[Cells]:
        for number in range(self.count):
            self.at(number)
            yield (f"M{number}", f"a member with a name of some length, number {number}")


def rows(columns: str, *cells: Cells) -> ListRows:
    return ListRows(tuple(columns.split()), cells)


def deliver(
    step: str,
    given: "ListRows | Numbered",
    directory: Path,
    *,
    stopping: Callable[[], bool] = lambda: False,
    told: list[str] | None = None,
) -> Receipt:
    """In the same directory it goes on with the delivery before."""
    return destination(step, directory).deliver(
        SampleCargo(rows=given), delivery(directory, stopping=stopping, told=told)
    )


def refused(
    step: str, given: "ListRows | Numbered", directory: Path, *, stopping: Callable[[], bool] = lambda: False
) -> IdmsError:
    """What is raised. The password is nowhere in it."""
    with pytest.raises(IdmsError) as caught:
        deliver(step, given, directory, stopping=stopping)
    assert PASSWORD not in f"{caught.value} {caught.value.hint}"
    return caught.value


def table(db: Database, sql: str = "SELECT * FROM members ORDER BY 1") -> Sequence[Sequence[str]]:
    """What psql shows; nothing is <null>."""
    told = db.psql(sql, "--csv", "-t", "-P", "null=<null>")
    return [tuple(row) for row in csv.reader(io.StringIO(told, newline=""))]


def count(db: Database, name: str = "members") -> int:
    return int(db.psql(f"SELECT count(*) FROM {name}"))
