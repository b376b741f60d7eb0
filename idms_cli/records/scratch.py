"""SQLite files for what only the planning of one run needs: on disk, so that memory stays flat, and never kept."""

import sqlite3
from pathlib import Path


class Scratch:
    """A new, empty file with its tables. Nothing in it survives a crash, so nothing waits for the disk."""

    def __init__(self, path: Path, tables: str, *, cache_mb: int = 8) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        path.chmod(0o600)
        self.connection.execute("PRAGMA journal_mode=OFF")
        self.connection.execute("PRAGMA synchronous=OFF")
        self.connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # no file lock to take for each look
        self.connection.execute(f"PRAGMA cache_size=-{cache_mb * 1000}")
        self.connection.executescript(tables)

    def close(self) -> None:
        """Remove it: a copy of the site's data has no business lying about."""
        self.connection.close()
        self._path.unlink(missing_ok=True)
