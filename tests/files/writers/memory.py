"""What a writer keeps in memory for a file of many rows."""

import io
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from idms_cli.files.writers import Cells, Occasion, load_writer
from tests.files.writers.writing import VALUES, options


@dataclass(frozen=True)
class ManyRows:
    """Rows that nobody keeps."""

    count: int
    columns: tuple[str, ...] = ("ID", "Name", "Paid", "Fee", "Note")

    def __iter__(self) -> Iterator[Cells]:
        for number in range(self.count):
            yield number, f"Zoë {number}", True, Decimal("1.10"), None


class _Nowhere(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        assert isinstance(data, bytes | bytearray | memoryview)
        return len(data)


def peak_mb(name: str, count: int, text: str = "{}") -> float:
    """Most memory that Python had at a time, in MB."""
    writer, chosen = load_writer(name), options(name, text)
    tracemalloc.start()
    try:
        writer.write(ManyRows(count), io.BufferedWriter(_Nowhere()), chosen, Occasion(VALUES))
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
