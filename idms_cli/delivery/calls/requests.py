"""An item becomes the request that is sent, or is refused before: nothing of the data can break out of its place."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idms_cli.delivery.calls.items import Item
from idms_cli.delivery.calls.options import WebOptions
from idms_cli.delivery.texts import Template
from idms_cli.templates.texts import Unrendered
from idms_cli.web.sending import Call

LONGEST_KEY = 255


@dataclass(frozen=True)
class Request:
    """What is sent for an item, without its login."""

    item: Item
    call: Call
    key: str | None = field(default=None)
    """By which the server knows it when it comes again."""


class Requests:
    """Makes requests of items."""

    def __init__(self, options: WebOptions, values: Mapping[str, Any], *, stem: str) -> None:
        """`stem` tells this step of this run from all others, for keys of our own."""
        self._options = options
        self._values = values
        self._stem = stem

    def made(self, item: Item) -> Request:
        """Raises `Unrendered` for an item whose values do not fit, `InputError` for what no item could."""
        options = self._options
        values = {**self._values, **item.values}
        place = options.to.place(values)
        headers = {name: _header(name, template, values) for name, template in options.headers.items()}
        key = self._key(item, values)
        if key is not None:
            headers[options.idempotency_header] = key
        body = item.content()
        if body is not None and not any(name.casefold() == "content-type" for name in headers):
            headers["Content-Type"] = item.media_type
        return Request(item, Call(options.method, place.url, place.shown, headers, body), key)

    def _key(self, item: Item, values: Mapping[str, Any]) -> str | None:
        wanted = self._options.idempotency_key
        if wanted is None:
            return None
        if isinstance(wanted, Template):
            key = _header(self._options.idempotency_header, wanted, values)
            if not key or len(key) > LONGEST_KEY:
                raise Unrendered(f"its idempotency key is blank or has more than {LONGEST_KEY} characters")
            return key
        return hashlib.sha256(f"{self._stem}\0{item.number}".encode()).hexdigest()[:32]


def _header(name: str, template: Template, values: Mapping[str, Any]) -> str:
    text = template.render(values).strip(" ")
    if not text.isascii() or not text.isprintable():
        raise Unrendered(f"the header {name} would have a line end or a character that is not ASCII in it")
    return text
