"""For rows that are appended without a ledger: what the step's own directory knows of the commit."""

from pathlib import Path

from idms_cli.config.replacing import replace_file, sync_folder

_NAME = "commit"
_ASKED, _DONE = b"asked", b"done"


class CommitMark:
    """Durable: written before the commit is asked for, and after its answer."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME

    @property
    def is_done(self) -> bool:
        """Whether an earlier attempt got the answer that the rows are there."""
        return self._read() == _DONE

    @property
    def is_unknown(self) -> bool:
        """Whether an earlier attempt asked for the commit, and got no answer."""
        return self._read() == _ASKED

    def asked(self) -> None:
        replace_file(self._path, _ASKED)

    def done(self) -> None:
        replace_file(self._path, _DONE)

    def refused(self) -> None:
        """The answer was no: nothing was committed."""
        self._path.unlink(missing_ok=True)
        sync_folder(self._path.parent)

    def _read(self) -> bytes:
        return self._path.read_bytes() if self._path.exists() else b""
