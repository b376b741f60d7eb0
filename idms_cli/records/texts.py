"""Text on its way from a cell to a value: case, lookup, and several values in one cell."""

from collections.abc import Callable, Mapping
from typing import Literal

from idms_cli.templates.casing import titled

Case = Literal["upper", "lower", "title"]

CASES: Mapping[Case, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "title": titled}


def items(text: str, mark: str) -> list[str]:
    """The values between the marks, without space around them; blank ones and those met before are left out."""
    return [item for item in dict.fromkeys(part.strip() for part in text.split(mark)) if item]
