"""A secret is a type that never prints; every one that exists in this process can be masked in any text."""

import hmac
from typing import NoReturn

from idms_cli.config.redaction import MASK, Redactor

_known = Redactor()


class Secret:
    """A password or key. `str`, `repr`, `format` and f-strings give `***`; pickle and JSON refuse it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        _known.add(value)

    def reveal(self) -> str:
        """The value itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_raw(self._value), _raw(other._value))

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled")


def mask(text: str) -> str:
    """`text` with every secret that this process has seen as `***`: for log lines, messages and crash files."""
    return _known.redact(text)


def _raw(value: str) -> bytes:
    return value.encode("utf-8", errors="surrogatepass")
