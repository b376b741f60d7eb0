"""What is kept of the one call that a step makes: noted before it leaves and when it is settled, to be made once.

`new` -> `sent` (on disk before the call leaves) -> `done`, `unknown`, or `new` again when it was certainly not carried
out. A call that is found in `sent` was on its way when the process died. One that may have been carried out, and that
somebody wants to be made all the same, is in `again`.
"""

import shutil
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from secrets import token_hex
from typing import Any, Literal

import msgspec

from idms_cli.config.replacing import replace_file
from idms_cli.errors import OutcomeUnknown

FILE_NAME = "call.json"

DIED = "the run died while it was on its way; it may have been carried out"

State = Literal["new", "sent", "unknown", "again", "done"]

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
_DECODE = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass
class Once:
    """See the module. One for each step's folder; used from one thread."""

    folder: Path
    state: State = "new"
    reason: str = ""
    """Why nobody knows what became of it."""
    given: Any = None
    """What it gave, once it is done."""
    key: str = field(default_factory=lambda: token_hex(16))
    """By which the other side knows it when it comes again, also from another run that does what is left."""

    @classmethod
    def of(cls, folder: Path) -> "Once":
        """As an earlier attempt left it. Raises `OSError`."""
        try:
            told = _DECODE((folder / FILE_NAME).read_bytes())
        except FileNotFoundError:
            return cls(folder)
        return cls(folder, told["state"], told["reason"], told["given"], told["key"])

    def may_have_been_done(self, what: str, *, repeatable: bool, hint: str) -> bool:
        """Whether an earlier attempt may have carried it out. Raises `OutcomeUnknown` for what must not come twice."""
        if self.state not in ("sent", "unknown", "again"):
            return False
        if repeatable or self.state == "again":
            return True
        if self.state == "sent":
            self.lost(DIED)
        raise OutcomeUnknown(f"{what}: {self.reason}.", hint=hint)

    def leaves(self) -> None:
        """It is about to leave. On disk when this returns, as of all below."""
        self._keep("sent")

    def came_back(self) -> None:
        """It was certainly not carried out."""
        self._keep("new")

    def lost(self, reason: str) -> None:
        """It may have been carried out."""
        self._keep("unknown", reason)

    def done(self, given: Any) -> None:
        """It was carried out, and gave this JSON value."""
        self.given = given
        self._keep("done")

    def done_in_vain(self, reason: str) -> None:
        """It was carried out, and what it gave is of no use."""
        self.given = None
        self._keep("done", reason)

    def _keep(self, state: State, reason: str = "") -> None:
        self.state, self.reason = state, reason
        told = {"state": state, "reason": reason, "given": self.given, "key": self.key}
        replace_file(self.folder / FILE_NAME, _ENCODE(told))


def begin_anew(folder: Path) -> None:
    """Empty the folder of a step that somebody wants done again. Of its call stays by which key the other side knows
    it, and whether it may have been carried out; what was done is not done again."""
    is_there = (folder / FILE_NAME).exists()
    once = Once.of(folder)
    shutil.rmtree(folder)
    if is_there:
        folder.mkdir(mode=0o700)
        once._keep("again" if once.state in ("sent", "unknown", "again") else once.state)
