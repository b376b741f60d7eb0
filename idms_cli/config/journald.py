"""What happens is told to systemd's journal with fields, when systemd runs us: `journalctl IDMS_JOB=scores`.

The native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/) is a datagram with a field a line. The libraries for
it are bindings of libsystemd that need a compiler; of all they do this is what we need.
"""

import os
from collections.abc import Mapping
from contextlib import suppress

from idms_cli.config.foreign import harmless
from idms_cli.config.secrets import mask

SOCKET = "/run/systemd/journal/socket"
VARIABLE = "JOURNAL_STREAM"
"""Set by systemd: device and inode of the stream that it gave us (systemd.exec(5))."""
ERROR, WARNING, NOTICE, INFO = 3, 4, 5, 6
"""Priorities, as those of syslog(3)."""

LONGEST = 4000
"""Characters of a value: a datagram must not grow too large to be sent."""
PATIENCE_S = 1.0


def settle_environment(environment: "os._Environ[str]") -> None:
    """Who inherits `JOURNAL_STREAM` and writes elsewhere is not run by systemd: it is forgotten, also for children.

    A terminal in a desktop session has it, and so has a command in a pipe of a unit's script.
    """
    told = environment.get(VARIABLE)
    if told is not None and told not in (_stream(1), _stream(2)):
        del environment[VARIABLE]


def is_run_by_systemd() -> bool:
    """Whether what we write goes to the journal, as far as `settle_environment` knows."""
    return VARIABLE in os.environ


def tell_journal(message: str, fields: Mapping[str, object], *, priority: int = INFO) -> bool:
    """Send an entry; False where systemd does not run us, or the journal does not take it: no run fails for that.

    Fields that are empty or None are left out. Values lose secrets and control codes, and are one line each.
    """
    if not is_run_by_systemd():
        return False
    entry = {"MESSAGE": message, "PRIORITY": priority, "SYSLOG_IDENTIFIER": "idms", **fields}
    import socket  # noqa: PLC0415 - a supervisor or tick that cron runs needs none

    told = [f"{name}={_value(value)}\n" for name, value in entry.items() if value not in (None, "")]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(PATIENCE_S)
        sender.sendto("".join(told).encode(errors="backslashreplace"), SOCKET)
        return True
    return False


def _value(value: object) -> str:
    return harmless(mask(str(value)))[:LONGEST]


def _stream(descriptor: int) -> str:
    try:
        found = os.fstat(descriptor)
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}"
