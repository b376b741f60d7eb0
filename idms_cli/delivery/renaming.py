"""A file takes a name that is free, in one moment: no other file is ever replaced."""

import ctypes
import errno
import os

_NOREPLACE = 1
_UNKNOWN_HERE = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})


def rename_to_free(name: str, free: str, *, folder: int) -> None:
    """Rename within an open folder. Raises `FileExistsError` when the name is taken, and `OSError`.

    By renameat2(2) with RENAME_NOREPLACE; on file systems that do not know it, by a second link.
    """
    number = _renamed(name, free, folder)
    if number in _UNKNOWN_HERE:
        os.link(name, free, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        os.unlink(name, dir_fd=folder)
    elif number:
        raise OSError(number, os.strerror(number), free)


def _renamed(name: str, free: str, folder: int) -> int:
    """0, or the error."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:  # a C library from before 2018
        return errno.ENOSYS
    done = call(folder, os.fsencode(name), folder, os.fsencode(free), _NOREPLACE)
    return ctypes.get_errno() if done else 0
