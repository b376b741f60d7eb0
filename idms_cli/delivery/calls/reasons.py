"""What a web server says of a refusal, in a few harmless words."""

import json
from collections.abc import Iterator, Mapping

from idms_cli.config.foreign import harmless, shortened
from idms_cli.web.sending import Answer

LONGEST = 300
_NAMES = ("detail", "message", "error_description", "error", "title", "errors", "reason", "description")
"""Where servers put it: RFC 9457 first, then habit."""
_DEEPEST = 4


def reason_in(answer: Answer) -> str:
    """The server's own words, if it has some that a person can read; else nothing."""
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        return _plain(answer)
    return shortened("; ".join(dict.fromkeys(_texts(content, _DEEPEST))), LONGEST).rstrip(". ")


def _texts(content: object, depth: int) -> Iterator[str]:
    if isinstance(content, str):
        if content.strip():
            yield content.strip()
    elif depth and isinstance(content, list):
        for one in content[:5]:
            yield from _texts(one, depth - 1)
    elif depth and isinstance(content, Mapping):
        for name in _NAMES:
            if name in content:
                yield from _texts(content[name], depth - 1)


def _plain(answer: Answer) -> str:
    """A short text; a page for a browser tells nothing here."""
    if not answer.headers.get("content-type", "").startswith("text/plain"):
        return ""
    try:
        text = answer.body.decode()
    except UnicodeDecodeError:
        return ""
    return shortened(harmless(" ".join(text.split())), LONGEST).rstrip(". ")
