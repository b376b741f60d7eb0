"""Secret values in text become `***`, in every form they usually travel in: the net below the plan, not the plan.

The plan is that secrets do not get into text at all (`Secret` never prints). Not caught are a secret in other letter
case, cut short, or split over lines.
"""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from idms_cli.config.foreign import harmless

MASK = "***"

_SHORT = 4
"""Shorter secrets are masked only where they stand alone: anywhere else they would blacken ordinary words."""

_LONG_LINE = 8
"""Lines of a many-line secret (a private key) are masked one by one from this length on."""


class Redactor:
    """Masks a growing set of secret values; the longest form first, so that no part of a longer one stays."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = {secret for secret in secrets if secret}
        self._compiled: tuple[int, re.Pattern[str] | None] = (0, None)

    def add(self, secret: str) -> None:
        """From now on `secret` is masked too, in every thread. An empty one is ignored."""
        if secret:
            self._secrets.add(secret)

    def redact(self, text: str) -> str:
        """`text` with every form of every secret as `***`."""
        count, pattern = self._compiled
        if count != len(self._secrets):  # the set only grows, so its size tells whether the pattern is up to date
            secrets = self._secrets.copy()
            pattern = _pattern(secrets)
            self._compiled = (len(secrets), pattern)
        return pattern.sub(MASK, text) if pattern else text


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every form of these secrets as `***`."""
    return Redactor(secrets).redact(text)


def forms(secret: str) -> set[str]:
    """The secret as it may appear: plain, escaped (JSON, Python, harmless), in URLs, base64 at any offset, hex."""
    raw = secret.encode("utf-8", errors="surrogatepass")
    found = {
        secret,
        harmless(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(raw)[2:-1],
    }
    if len(secret) < _SHORT:
        return found
    for encode in (quote, quote_plus):
        for safe in ("", "/"):
            escaped = encode(raw, safe=safe)
            found |= {escaped, re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), escaped)}
    found |= {raw.hex(), raw.hex().upper()}
    found |= _base64_forms(raw)
    found |= {line for line in secret.splitlines() if len(line) >= _LONG_LINE}
    return found


def _base64_forms(raw: bytes) -> set[str]:
    """What is sure to appear when `raw` stands anywhere inside something that is encoded as a whole."""
    found = set()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode("ascii")
        first = -(-offset * 8 // 6)
        last = (offset + len(raw)) * 8 // 6
        sure = encoded[first:last]
        found |= {sure, sure.replace("+", "-").replace("/", "_")}
    whole = base64.b64encode(raw).decode("ascii")
    return found | {whole, whole.replace("+", "-").replace("/", "_")}


def _pattern(secrets: Iterable[str]) -> re.Pattern[str]:
    long: set[str] = set()
    short: set[str] = set()
    for secret in secrets:
        (short if len(secret) < _SHORT else long).update(forms(secret))
    ordered = sorted(long, key=len, reverse=True)
    alone = sorted(short, key=len, reverse=True)
    parts = [re.escape(form) for form in ordered] + [rf"(?<!\w){re.escape(form)}(?!\w)" for form in alone]
    return re.compile("|".join(parts))
