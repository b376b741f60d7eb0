"""A message for a program of the site's own: JSON on its stdin, no shell, a time limit, no secrets around it."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress

from idms_cli.config.foreign import shortened
from idms_cli.errors import DeliveryRefused, InputError, OutcomeUnknown
from idms_cli.notify import Message, Site
from idms_cli.notify.bodies import values_of

KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
"""Of our environment; what else is there may be a secret of a connection."""


class Program:
    """The channel."""

    def __init__(self, command: Sequence[str], site: Site) -> None:
        self._command = command
        self._site = site

    def send(self, message: Message, handed: Callable[[], None]) -> None:
        """Exit code 0 means that it was sent, any other that it was not."""
        shown = shortened(self._command[0])
        content = json.dumps(values_of(message), ensure_ascii=False).encode()
        handed()
        process = self._started(shown)
        try:
            _, said = process.communicate(content, timeout=self._site.limit_s)
        except subprocess.TimeoutExpired:
            raise OutcomeUnknown(
                f"the program {shown} took longer than {self._site.limit_s:g} s, and was ended",
                hint="Give the channel a longer `limit:`, or let the program do its work in the background.",
            ) from None
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        if process.returncode:
            words = shortened(" ".join(said.decode("utf-8", "replace").split()), 200)
            raise DeliveryRefused(
                f"the program {shown} ended with exit code {process.returncode}{f': {words}' if words else ''}",
                hint="Run it by hand, as the account of idms.",
            )

    def _started(self, shown: str) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd=self._site.directory,
                env={name: os.environ[name] for name in KEPT if name in os.environ},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "this cannot be the name of a program"
            raise InputError(
                f"the program {shown} cannot be started: {reason}", hint="Write its whole path, from /."
            ) from error


def open_channel(options: Sequence[str], site: Site) -> Program:
    """`options` is the program and its arguments."""
    return Program(options, site)
