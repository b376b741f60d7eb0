"""The tree of errors that an operator can meet, with exit codes and hints.

IdmsError                   exit 1   what the operator sees: one sentence, and a hint what to do next
├── InputError              exit 2   a file, a flag or a job is wrong
│   └── PlanOutdated        exit 2   a record that a kept plan wants to write has been changed since
├── RunFailed               exit 1   a run that the command waited for failed or was partial
├── DeliveryRefused         exit 1   a destination does not take what a transfer delivers
├── LoginRefused            exit 4   the site refuses the account; not tried again until the secret changes
├── Unreachable             exit 5   the site or a source cannot be reached, or only answers with errors
├── Held                    exit 6   a guard stopped the run before it wrote anything; somebody has to look
│   └── Unsure              exit 6   an answer was lost and nothing finds the record again; somebody has to look
├── Interrupted             exit 130 Ctrl-C or SIGTERM; the record is clean
└── SiteError               exit 1   the site answered, but not as its contract says
    ├── RecordRefused       (row)    the site refuses this one record: reject it and go on
    └── OutcomeUnknown      (row)    a write got no clear answer: look before doing it again

Everything else that reaches the top is a bug: exit 3, one line, and a crash file.
"""

from collections.abc import Sequence

from idms_cli.codes import Code


class IdmsError(Exception):
    """Something an operator can act on. `str(error)` is the message, `hint` says what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class InputError(IdmsError):
    """A file, a flag or a job is wrong."""

    exit_code = 2


class PlanOutdated(InputError):
    """A record that a kept plan wants to write has been changed since: nothing of it is carried out."""


class RunFailed(IdmsError):
    """A run that the command waited for failed or was partial."""


class DeliveryRefused(IdmsError):
    """A destination does not take what a transfer delivers: it is full, the place is forbidden, the content is not as
    it wants. Nothing of it is there under its final name; sent again as it is, it would be refused again."""


class LoginRefused(IdmsError):
    """The site refuses the account. Trying again could lock it, so nobody does until the secret changes."""

    exit_code = 4


class Unreachable(IdmsError):
    """The site or a source cannot be reached now; later it may."""

    exit_code = 5


class Held(IdmsError):
    """A guard stopped the run before it wrote anything: it waits for somebody who approves or rejects it."""

    exit_code = 6


class Unsure(Held):
    """Whether a record was stored is not known, and nothing finds it again: the run waits for somebody who looks."""


class Interrupted(IdmsError):
    """Ctrl-C or SIGTERM ended the work between two records."""

    exit_code = 130


class SiteError(IdmsError):
    """The site answered, but not as its contract says (not JSON, a page that repeats, an unknown shape)."""


class RecordRefused(SiteError):
    """The site refuses one record. `reasons` has all it said, `status` the HTTP status, `code` a stable word."""

    def __init__(self, reasons: Sequence[str], *, status: int | None = None, code: Code = "refused") -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)
        self.status = status
        self.code = code


class OutcomeUnknown(SiteError):
    """A write was sent and got no clear answer: it may have been stored, and must not be repeated blindly.

    `status` is the HTTP status of an answer that settles nothing (500 though it may have been saved); None when no
    answer came, so that the site may even be working on it still.
    """

    def __init__(self, message: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status
