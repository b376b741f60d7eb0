"""A message for a program of the site's own: JSON on its stdin, no shell, a time limit, no secrets around it."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO

from idms_cli.config.foreign import shortened
from idms_cli.errors import DeliveryRefused, InputError, OutcomeUnknown
from idms_cli.notify import Message, Site
from idms_cli.notify.bodies import values_of

KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
"""Of our environment; what else is there may be a secret of a connection."""
MOST_SAID = 10_000
"""Bytes of its stderr that are looked at."""


class Program:
    """The channel."""

    def __init__(self, command: Sequence[str], site: Site) -> None:
        self._command = command
        self._site = site

    def send(self, message: Message, handed: Callable[[], None]) -> None:
        """Exit code 0 means that it was sent, any other that it was not."""
        shown = shortened(self._command[0])
        content = json.dumps(values_of(message), ensure_ascii=False).encode()
        # Files and no pipes: what the program leaves in the background has them open, and is not waited for.
        with _file() as given, _file() as said:
            given.write(content)
            given.seek(0)
            handed()
            self._run(shown, given, said)

    def _run(self, shown: str, given: IO[bytes], said: IO[bytes]) -> None:
        process = self._started(shown, given, said)
        try:
            process.wait(self._site.limit_s)
        except subprocess.TimeoutExpired:
            raise OutcomeUnknown(
                f"the program {shown} took longer than {self._site.limit_s:g} s, and was ended",
                hint="Give the channel a longer `limit:`, or let the program do its work in the background.",
            ) from None
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.returncode:
            said.seek(0)
            words = shortened(" ".join(said.read(MOST_SAID).decode("utf-8", "replace").split()), 200)
            raise DeliveryRefused(
                f"the program {shown} ended with exit code {process.returncode}{f': {words}' if words else ''}",
                hint="Run it by hand, as the account of idms.",
            )

    def _started(self, shown: str, given: IO[bytes], said: IO[bytes]) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                self._command,
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=said,
                cwd=self._site.directory,
                env={name: os.environ[name] for name in KEPT if name in os.environ},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "this cannot be the name of a program"
            raise InputError(
                f"the program {shown} cannot be started: {reason}", hint="Write its whole path, from /."
            ) from error


def _file() -> IO[bytes]:
    """In memory where the system can: a full disk is what the message may be about."""
    return os.fdopen(os.memfd_create("idms"), "w+b") if hasattr(os, "memfd_create") else tempfile.TemporaryFile()


def open_channel(options: Sequence[str], site: Site) -> Program:
    """`options` is the program and its arguments."""
    return Program(options, site)
