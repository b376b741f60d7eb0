"""May this file decide what idms does? A job file or idms.yaml is code that runs with the account's rights.

As cron and sudo ask of theirs: a regular file that belongs to root or to the account, writable by nobody else, in a
directory of which the same is true. Two things are allowed because people need them: symbolic links, when every link
and the file at the end stand in such directories (configuration management deploys by links), and writing by the
account's own private group (a umask of 002 makes such files on many systems).
"""

import grp
import os
import pwd
import stat
from pathlib import Path

_MAX_LINKS = 40


def untrusted_reason(path: Path) -> str | None:
    """Why the file at `path` must not be obeyed, as the end of a sentence about it; None when it may be.

    A file that cannot be looked at is untrusted for that reason.
    """
    try:
        return _reason(path)
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"


def _reason(path: Path) -> str | None:
    for _ in range(_MAX_LINKS):
        directory = Path(os.path.realpath(path.parent))
        path = directory / path.name
        reason = _directory_reason(directory)
        if reason:
            return f"is in the directory {directory}, which {reason}"
        status = path.lstat()
        if not stat.S_ISLNK(status.st_mode):
            return _file_reason(status)
        path = directory / path.readlink()
    return "is a symbolic link that leads through too many others"


def _file_reason(status: os.stat_result) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    return _owner_reason(status) or _writers_reason(status)


def _directory_reason(directory: Path) -> str | None:
    """The directory itself as strictly as the file; above it, only that nobody can put another in its place."""
    status = directory.stat()
    sticky = status.st_mode & stat.S_ISVTX  # as /tmp: others may add files, but not replace one
    reason = _owner_reason(status) or (None if sticky else _writers_reason(status))
    if reason:
        return reason
    for parent in directory.parents:
        mode = parent.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return f"can be replaced by anybody: {parent} has mode {stat.S_IMODE(mode):04o}"
    return None


def _owner_reason(status: os.stat_result) -> str | None:
    if status.st_uid in (0, os.geteuid()):
        return None
    return f"belongs to another account (uid {status.st_uid}), not to root or the account that runs idms"


def _writers_reason(status: os.stat_result) -> str | None:
    mode = stat.S_IMODE(status.st_mode)
    if mode & stat.S_IWOTH:
        return f"may be written by anybody (mode {mode:04o})"
    if mode & stat.S_IWGRP and not _is_private_group(status.st_gid, status.st_uid):
        return f"may be written by a group (mode {mode:04o})"
    return None


def _is_private_group(gid: int, uid: int) -> bool:
    """Is the group only this account's own, of the same name and with no other members?"""
    try:
        account, group = pwd.getpwuid(uid), grp.getgrgid(gid)
    except KeyError:
        return False
    own = account.pw_gid == gid and group.gr_name == account.pw_name
    return own and set(group.gr_mem) <= {account.pw_name}
