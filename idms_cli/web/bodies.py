"""What a request carries: bytes, or a file read piece by piece; and whether all of it has left."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from idms_cli.errors import IdmsError

_CHUNK = 1 << 16


class Body:
    """For one request. Raises `IdmsError` when its file cannot be read."""

    def __init__(self, content: bytes | Path | None) -> None:
        self.left = False
        """The last byte was handed over. Before that no server can take the request for whole (RFC 9112, section 8)."""
        self._content = content
        self._file: BinaryIO | None = None
        self.size = len(content) if isinstance(content, bytes) else 0
        if isinstance(content, Path):
            with _said_clearly(content):
                self._file = content.open("rb")
                self.size = os.fstat(self._file.fileno()).st_size

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self._content, bytes) and self._content:
            yield self._content
        if isinstance(self._content, Path) and self._file is not None:
            while piece := self._piece(self._content, self._file):
                yield piece
        self.left = True

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _piece(self, path: Path, file: BinaryIO) -> bytes:
        with _said_clearly(path):
            return file.read(_CHUNK)


@contextmanager
def _said_clearly(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise IdmsError(
            f"{path} cannot be read: {error.strerror or error}.", hint="Look at the disk of the state directory."
        ) from error
