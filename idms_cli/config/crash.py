"""A bug leaves a crash file: the traceback without values, secrets masked, for the one who mends it."""

import os
import platform
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from idms_cli import __version__
from idms_cli.config.secrets import mask


def write_crash_file(folder: Path, error: BaseException) -> Path:
    """Write `folder/crash/DATE.txt`, mode 0600, and return its path. No local values are in it."""
    now = datetime.now(UTC)
    path = folder / "crash" / f"{now:%Y%m%dT%H%M%S.%fZ}.txt"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = (
        f"idms {__version__}, Python {platform.python_version()}, {platform.platform()}\n{now:%Y-%m-%d %H:%M:%S} UTC"
    )
    command = " ".join(Path(word).name if index == 0 else word for index, word in enumerate(sys.argv))
    text = f"{about}\n{command}\n\n{''.join(traceback.format_exception(error))}"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(mask(text))
    return path
