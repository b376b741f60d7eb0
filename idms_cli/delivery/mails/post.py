"""Which recipients have a mail: one small file in the step's folder, on disk before the word that sends the mail."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from idms_cli.config.replacing import replace_file
from idms_cli.delivery.mails.letter import Stamp
from idms_cli.errors import IdmsError

FILE_NAME = "mail.json"

State = Literal["pending", "sent", "done", "refused", "unknown"]
"""As of a request: `sent` is what was on its way when the process died."""


@dataclass
class Post:
    """A mail's stamp, the same at each attempt, and its recipients."""

    path: Path
    stamp: Stamp
    run: int
    states: dict[str, State]
    reasons: dict[str, str] = field(default_factory=dict)

    def of(self, *states: State) -> list[str]:
        """The recipients in one of these states."""
        return [address for address, state in self.states.items() if state in states]

    def settle(self, state: State, people: Sequence[str], reasons: Mapping[str, str] | None = None) -> None:
        """Note what became of some. `keep` makes it last."""
        for address in people:
            self.states[address] = state
            self.reasons.pop(address, None)
        self.reasons |= dict(reasons or {})

    def keep(self) -> None:
        """On disk when this returns. Raises `IdmsError`."""
        content = {
            "message_id": self.stamp.name,
            "date": self.stamp.date.isoformat(),
            "run": self.run,
            "recipients": {
                address: {"state": state, "reason": self.reasons.get(address, "")}
                for address, state in self.states.items()
            },
        }
        try:
            replace_file(self.path, json.dumps(content, indent=1).encode())
        except OSError as error:
            raise _unusable(self.path, error) from error


def open_post(folder: Path, stamp: Stamp, run: int, people: Sequence[str]) -> Post:
    """What earlier attempts left, or a new one. Raises `IdmsError`.

    Where another run does the rest of the one that began, those who were refused are tried again: a person wants it.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Post(path, stamp, run, dict.fromkeys(people, "pending"))
    except (OSError, ValueError) as error:
        raise _unusable(path, error) from error
    known = content["recipients"]
    post = Post(
        path,
        Stamp(content["message_id"], datetime.fromisoformat(content["date"])),
        run,
        {address: known[address]["state"] if address in known else "pending" for address in people},
        {address: known[address]["reason"] for address in people if address in known and known[address]["reason"]},
    )
    post.settle("unknown", post.of("sent"))
    if content["run"] != run:
        post.settle("pending", post.of("refused"))
    return post


def _unusable(path: Path, error: Exception) -> IdmsError:
    return IdmsError(
        f"{path}: what is known of the mail cannot be used: {getattr(error, 'strerror', None) or 'it makes no sense'}.",
        hint="Look at the disk, and at the rights of the state directory.",
    )
