"""Names that a file which is delivered must not have: they would leave its folder, hide it, or mean something else."""

import re

LONGEST = 200
"""Bytes: some endings come to it, and most file systems take 255."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def refusal(name: str) -> str:
    """Why no file should have this name; empty when one may."""
    shown = f"'{name}'" if name.isprintable() else "it"
    reasons = {
        "the name is blank": not name.strip(),
        f"{shown} leads into another folder": "/" in name or "\\" in name,
        "there are control characters in it": _CONTROL.search(name),
        f"{shown} begins with a dot, which hides a file": name.startswith("."),
        f"{shown} begins or ends with a blank, or ends with a dot, which some systems cut off": name != name.strip()
        or name.endswith("."),
        f"{shown} is the name of a device on some systems": _DEVICE.fullmatch(name),
        f"it has more than {LONGEST} bytes": len(name.encode("utf-8", "replace")) > LONGEST,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")
