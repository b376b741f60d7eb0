"""The names of files that are delivered, made from templates: one name each, which means the same everywhere."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from idms_cli.config.foreign import shortened
from idms_cli.errors import InputError
from idms_cli.templates.texts import Text, Unrendered

LONGEST = 200
"""Bytes: file systems take 255, and a file has a longer name while it is on its way."""

# Terminal commands, forged lines, text that is shown in another order, half characters.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])[ ]*(\..*)?", re.IGNORECASE)
_ELSEWHERE = re.compile('[<>:"|?*]')


_REASONS: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("it is blank", lambda name: not name.strip()),
    ("it leads into another folder", lambda name: "/" in name or "\\" in name),
    ("it has a control character in it", _CONTROL.search),
    ("it begins with a dot, which hides a file", lambda name: name.startswith(".")),
    ("it begins with a dash, as options of programs do", lambda name: name.startswith("-")),
    (
        "it begins or ends with a blank, or ends with a dot, which some systems cut off",
        lambda name: name != name.strip() or name.endswith("."),
    ),
    ('it has a character in it (<>:"|?*) which some systems do not take', _ELSEWHERE.search),
    ("it is the name of a device on some systems", _DEVICE.fullmatch),
    (f"it has more than {LONGEST} bytes", lambda name: len(name.encode()) > LONGEST),
)


def refusal(name: str) -> str:
    """Why no file should have this name, as the end of a sentence; empty when one may."""
    return next((reason for reason, applies in _REASONS if applies(name)), "")


def file_name(template: Text, values: Mapping[str, Any]) -> str:
    """The name that a template makes. Raises `InputError` for one that no file should have."""
    try:
        name = template.render(values, limit=10 * LONGEST)
    except Unrendered as error:
        raise InputError(
            f"The file name '{shortened(template.source)}' cannot be worked out: {error}.", hint="Correct `file:`."
        ) from None
    if reason := refusal(name):
        shown = "" if name == template.source else f" makes '{shortened(name, 100)}', which"
        raise InputError(
            f"The file name '{shortened(template.source, 100)}'{shown} cannot be used: {reason}.", hint=_hint(name)
        )
    return name


def _hint(name: str) -> str:
    if "/" in name or "\\" in name:
        return "The folder belongs into `to:`; put |replace('/', '-') after a value that may have one."
    if ":" in name:
        return "Write a time without colons: {{ slot.time }}, or {{ slot|date('%H%M') }}."
    return "Correct `file:`."
