"""Text from outside (files, the site, other programs) is made harmless before a person or a log sees it."""

import re

_HOSTILE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: terminal commands (CWE-150)
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls: shown text differs (CVE-2021-42574)
    "\u2028\u2029"  # line separators: forged lines in a log
    "\ud800-\udfff"  # lone surrogates: cannot be printed at all
    "]"
)
_ABOUT_ROWS = re.compile(r"\b(rows?|records?|lines?)\b", re.IGNORECASE)
_QUOTED = re.compile(r"(?<!\w)'.*?'(?!\w)", re.DOTALL)
"""An apostrophe within a word ends nothing: 'Zoë O'Brien'."""
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def harmless(text: str) -> str:
    """The same text with every control character as a visible escape (`\\n`, `\\x1b`, `\\u202e`); always one line.

    Applying it twice changes nothing more.
    """
    return _HOSTILE.sub(_escape, text)


def shortened(text: str, limit: int = 60) -> str:
    """`text` made harmless and cut to at most `limit` characters; a cut is shown as `...`."""
    safe = harmless(text[: limit + 1])
    if len(safe) <= limit:
        return safe
    return safe[: limit - 3] + "..."


def without_values(text: str) -> str:
    """A reason that is about rows has their values in quotes: without these, for those who may not see them."""
    return _QUOTED.sub("'…'", text) if _ABOUT_ROWS.search(text) else text


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
