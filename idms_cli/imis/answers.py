"""What the site answered: JSON, or the error that an answer stands for."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from idms_cli.codes import Code
from idms_cli.errors import IdmsError, OutcomeUnknown, RecordRefused, SiteError, Unreachable
from idms_cli.imis.assumptions import SERVER_FAULT, VALIDATION_TYPE


class SiteSlow(Unreachable):
    """No answer in time, or a server error, to a request whose caller can ask for less at a time."""


_CODES: dict[int, Code] = {
    403: "forbidden",
    404: "not-found",
    405: "not-allowed",
    409: "conflict",
    500: "server-error",
    501: "not-allowed",
}
_PHRASES = {
    400: "Bad request",
    401: "Not authorized",
    403: "Forbidden",
    404: "Not found",
    405: "Not allowed",
    409: "Conflict",
    429: "Too many requests",
    500: "Server error",
    501: "Not implemented",
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway time-out",
}
_TEXT_MEMBERS = ("Message", "ExceptionMessage", "error_description", "title", "detail", "error")
"""Where a reply may have its text. `ExceptionMessage` is shown beside `Message`, which then says little."""
_LONGEST_TEXT = 300
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
"""No number is rounded: an object is written back with what nobody wanted to change."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end. `what` is the request, for messages: `PUT /api/Party/12345`."""

    what: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Any 2xx: sites answer a POST or PUT with 200, 201 or 202."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, None when it is empty. Raises `SiteError` when it is something else."""
        if not self.body.strip():
            return None
        with suppress(ValueError, ArithmeticError, RecursionError):
            return _DECODER.decode(self.body)
        try:  # with a byte order mark, half a character or NaN, at a third of the speed
            return json.loads(self.body.decode("utf-8-sig"), parse_float=Decimal)
        except (ValueError, ArithmeticError, RecursionError) as error:  # 1e99999999999999999999 is no decimal
            shown = _shorten(_without_tags(self._text())) or "no text"
            raise SiteError(
                f"{self.what}: the answer ({self.status}) is not JSON: {shown}",
                hint="Is `url:` of the connection the iMIS site itself, and not a login page or a proxy?",
            ) from error

    def text(self) -> str:
        """What the answer says to a reader: short, on one line, without HTML tags."""
        try:
            content = self.json()
        except SiteError:
            return _shorten(_without_tags(self._text()))
        return _shorten(_message(content))

    def is_json(self) -> bool:
        """Whether the body is JSON, and so comes from iMIS rather than from a server before it."""
        try:
            return self.json() is not None
        except SiteError:
            return False

    def _text(self) -> str:
        return self.body.decode("utf-8", errors="replace")


def error_of(answer: Answer, *, method: str) -> IdmsError:
    """The error that `answer` (not 2xx, and not to be sent again) stands for."""
    if 300 <= answer.status < 400:
        return _redirected(answer)
    if answer.status in {429, 502, 503, 504}:
        return _overloaded(answer, method)
    if answer.status >= 500 and answer.status != 501:
        return _server_fault(answer, method)
    if reasons := validation_reasons(answer):
        return RecordRefused(reasons, status=answer.status, code="validation")
    code: Code = _CODES.get(answer.status, "validation" if answer.status == 400 else "refused")
    return RecordRefused([describe(answer)], status=answer.status, code=code)


def describe(answer: Answer) -> str:
    """`403 Forbidden: text of the site`."""
    phrase = _PHRASES.get(answer.status, "Refused")
    text = answer.text()
    return f"{answer.status} {phrase}: {text}" if text else f"{answer.status} {phrase} ({answer.what})"


def validation_reasons(answer: Answer) -> list[str]:
    """All messages of a validation reply, wherever in the body it stands; empty for another body (A16).

    `ModelState` is how ASP.NET Web API itself tells which members of a body it cannot read.
    """
    if answer.status != 400 or not answer.is_json():
        return []
    content = answer.json()
    if _validation(content) is not None:
        return reasons_in(content) or [describe(answer)]
    state = content.get("ModelState") if isinstance(content, dict) else None
    faults = state.items() if isinstance(state, dict) else ()
    return [_shorten(f"{name}: {text}") for name, texts in faults if isinstance(texts, list) for text in texts]


def reasons_in(content: Any) -> list[str]:
    """All messages of the validation results in a body, or else its own text; also of an answer that is 200."""
    found = _validation(content)
    reasons = [_message(error) for error in _items(found.get("Errors"))] if found else []
    return [_shorten(reason) for reason in reasons or [_message(content)] if reason]


def _redirected(answer: Answer) -> SiteError:
    return SiteError(
        f"{answer.what}: the site sends to another address ({answer.status}), which is not followed.",
        hint="Set `url:` of the connection to the address of the iMIS site itself, with https.",
    )


def _overloaded(answer: Answer, method: str) -> IdmsError:
    text = f"{answer.what}: {describe(answer)}"
    not_carried_out = answer.status == 429 or (answer.status == 503 and "retry-after" in answer.headers)
    if method != "GET" and not not_carried_out:
        return OutcomeUnknown(text, status=answer.status)
    return Unreachable(
        f"The site does not serve now. {text}", hint="Try again later, or lower `rate:` of the connection."
    )


def _server_fault(answer: Answer, method: str) -> IdmsError:
    """500 from iMIS is mostly the fault of what was asked; 500 from a web server in trouble is an outage."""
    text = describe(answer)
    if method != "GET":
        return OutcomeUnknown(f"{answer.what}: {text}", status=answer.status)
    if answer.is_json() or SERVER_FAULT in answer.text():
        return RecordRefused([text], status=answer.status, code="server-error")
    return Unreachable(
        f"The site only answers with errors. {answer.what}: {text}", hint="Look at the site in a browser."
    )


def _validation(content: Any) -> dict[str, Any] | None:
    """The validation object in `content`, found by its type or by its members, at most two levels down."""
    if not isinstance(content, dict):
        return None
    if VALIDATION_TYPE in str(content.get("$type", "")) or _items(content.get("Errors")):
        return content
    for name in ("ValidationResults", "Result", "Message"):
        inner = content.get(name)
        if isinstance(inner, dict) and (found := _validation(inner)):
            return found
    return None


def _items(collection: Any) -> list[Any]:
    if isinstance(collection, dict):
        collection = collection.get("$values")
    return collection if isinstance(collection, list) else []


def _message(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, dict):
        return ""
    members = {name.casefold(): value for name, value in content.items()}
    values = [members.get(name.casefold()) for name in _TEXT_MEMBERS]
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    return " ".join(texts[: 2 if "exceptionmessage" in members else 1])


def _without_tags(text: str) -> str:
    title = re.search(r"<title[^>]*>(.*?)</title>", text[:20_000], re.IGNORECASE | re.DOTALL)
    return title.group(1) if title else re.sub(r"<[^>]{0,500}>", " ", text[:20_000])


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"
