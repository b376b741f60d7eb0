"""Text that a spreadsheet would run as a formula is written so that it does not, and can be read back exactly."""

import re

# What begins a formula: https://owasp.org/www-community/attacks/CSV_Injection
_STARTS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
MAY_BEGIN = frozenset(f"'{_STARTS}".replace("\\", ""))
"""With what else a text begins, `guarded` leaves it as it is."""

_DANGEROUS = re.compile(f"'*[{_STARTS}]")
_GUARDED = re.compile(f"'+[{_STARTS}]")
# Digits with blanks among them, such as +49 30 123, no spreadsheet works out; with a - or / it would.
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9][0-9., ]*")


def guarded(text: str) -> str:
    """`text` with an apostrophe in front if a spreadsheet could take it for a formula; plain numbers stay.

    Text that already is an apostrophe before such a character gets one more, so that `unguarded` always gives the
    text back.
    """
    if _DANGEROUS.match(text) and not _PLAIN_NUMBER.fullmatch(text):
        return "'" + text
    return text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if _GUARDED.match(text) else text
