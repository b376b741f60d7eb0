"""A call of any web service: one request, made once; the answer's status, headers and JSON are the output."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.fields import PositiveDuration, RelativePath, Size
from idms_cli.config.problems import BadValue
from idms_cli.config.secret_sources import resolve
from idms_cli.config.settings import Settings
from idms_cli.delivery.calls.addresses import Address
from idms_cli.delivery.calls.options import (
    REPEATABLE,
    Expected,
    HeaderName,
    Method,
    WebAuth,
    same_name_twice,
)
from idms_cli.delivery.texts import TemplateText
from idms_cli.errors import InputError
from idms_cli.modules import DataLock
from idms_cli.modules.part import Part
from idms_cli.modules.steps import REHEARSED, NoSite, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.requesting import Answering, Requesting, Wanted, made_body, made_headers
from idms_cli.modules.workflows.scope import Scope
from idms_cli.modules.workflows.shapes import HINT_VALUES, Key, Shape, named
from idms_cli.templates.texts import Unrendered
from idms_cli.web.sending import Call

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""They change nothing (RFC 9110, 9.2.1)."""
LARGEST_ANSWER = 8_000_000


class HttpOptions(Section):
    """One request."""

    url: Address = Field(description="https://..., with {{ }} for parts of its path and query.")
    method: Method = Field(default="GET", description="GET, POST, PUT, PATCH, DELETE...; POST where there is a body.")
    headers: Annotated[dict[HeaderName, TemplateText], AfterValidator(same_name_twice)] = Field(default_factory=dict)
    json_: Any = Field(default=None, alias="json", description="The body as JSON; rows and templates keep their type.")
    form: dict[str, Any] | None = Field(default=None, description="The body as a form: names and values.")
    body: TemplateText | None = Field(default=None, description="The body as text.")
    auth: WebAuth | None = None
    expect: Expected = Field(default=(range(200, 300),), description="What statuses mean yes: 201, 2xx, [200, 404].")
    silence: PositiveDuration = Field(
        default=timedelta(seconds=60), description="How long the server may be silent before an answer counts as lost."
    )
    ca_file: RelativePath | None = Field(default=None, description="Certificates of a private authority.")
    idempotency_key: Literal[True] | TemplateText | None = Field(
        default=None, description="Sent along, so that the server knows a request that comes twice; true: our own."
    )
    idempotency_header: HeaderName = Field(default="Idempotency-Key", description="The header that has it.")
    repeatable: bool | None = Field(
        default=None,
        description="Whether it may come twice without harm. Else GET, PUT, DELETE, and what has a key may.",
    )
    answer: Literal["auto", "json", "text", "none"] = Field(
        default="auto", description="What is kept of the body: json fails where it is none, auto takes what comes."
    )
    max_answer: Size = Field(default=1_000_000, gt=0, le=LARGEST_ANSWER, description="Bytes of an answer's body.")

    bodies: ClassVar[tuple[str, ...]] = ("json", "form", "body")

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, data: Any) -> Any:
        """The address alone is a GET; what has a body is a POST if nothing is said."""
        if isinstance(data, str):
            return {"url": data}
        if isinstance(data, Mapping) and "method" not in data and any(word in data for word in cls.bodies):
            return {**data, "method": "POST"}
        return data

    @model_validator(mode="after")
    def _need_one_body(self) -> Self:
        given = [word for word in self.bodies if word.replace("json", "json_") in self.model_fields_set]
        if len(given) > 1:
            raise BadValue(f"a request has one body, and this has {' and '.join(given)}", hint="leave one out")
        if given and self.method in ("GET", "HEAD"):
            raise BadValue(f"a {self.method} has no body", hint="write `method: POST`, or put it into the address")
        if self.idempotency_key is None and "idempotency_header" in self.model_fields_set:
            raise BadValue("there is no key for `idempotency_header:`", hint="say `idempotency_key:` too")
        return self

    @property
    def is_repeatable(self) -> bool:
        """Whether a request that may have been carried out can be sent again without harm."""
        if self.repeatable is not None:
            return self.repeatable
        return self.method in REPEATABLE or self.idempotency_key is not None

    @property
    def is_safe(self) -> bool:
        """It changes nothing, so that a dry run may make it."""
        return self.method in SAFE and self.repeatable is not False


class Options(StepOptions):
    """The step."""

    http: HttpOptions = Field(description="The address, or the request with all its keys.")


def check(options: Options, part: Part, scope: Scope) -> "_Http | None":
    at: Key = ("http",) if isinstance(part.document.at((*part.at, "http")), str) else ("http", "url")
    given = options.http
    keys: dict[str, Key] = {word: ("http", word) for word in ("headers", *given.bodies) if _has(part, word)}
    if not isinstance(given.idempotency_key, bool) and given.idempotency_key is not None:
        keys["idempotency_key"] = ("http", "idempotency_key")
    shapes = {word: scope.shape(part, key) for word, key in {"url": at, **keys}.items()}
    right = {word: shape for word, shape in shapes.items() if shape is not None}
    return _Http(given, right, scope.settings) if len(right) == len(shapes) else None


def _has(part: Part, word: str) -> bool:
    return part.document.has((*part.at, "http", word))


class _Http(NoSite):
    """See `Action`."""

    def __init__(self, options: HttpOptions, shapes: Mapping[str, Shape], settings: Settings) -> None:
        self._options = options
        self._shapes = shapes
        self._directory = settings.directory

    def describe(self) -> str:
        return f"{self._options.method} {self._options.url.shown}"

    def locks(self) -> tuple[DataLock, ...]:
        return (DataLock(self._options.url.fixed, write=not self._options.is_safe),)

    def run(self, context: StepContext) -> StepResult:
        options = self._options
        wanted = Wanted(
            server=options.url.server,
            auth=options.auth,
            expect=options.expect,
            repeatable=options.is_repeatable,
            with_key=options.idempotency_key is not None,
            silence_s=options.silence.total_seconds(),
            ca_file=self._directory / options.ca_file if options.ca_file else None,
            reveal=lambda source: resolve(source, self._directory).reveal(),
        )
        answering = Answering(options.answer, options.max_answer)
        return Requesting(wanted, answering, context).run(lambda key: self._call(context, key))

    def rehearse(self, context: StepContext) -> StepResult:
        call = self._call(context, "")
        if self._options.is_safe and not context.offline:
            return self.run(context)
        told = f"would {call.method} {_size(call.body)}{call.shown}"
        return StepResult(status=REHEARSED, reason=told, unknown=True)

    def _call(self, context: StepContext, own_key: str) -> Call:
        """The request without its login; `own_key` is for `idempotency_key: true`. Raises `InputError`, `NotKnown`."""
        options, values, shapes = self._options, context.values, self._shapes
        try:
            place = options.url.place(values)
        except Unrendered as wrong:
            raise InputError(f"{named(shapes['url'].key)}: {wrong}", hint=HINT_VALUES) from wrong
        headers = made_headers(shapes["headers"], values) if "headers" in shapes else {}
        if options.idempotency_key is not None:
            headers[options.idempotency_header] = self._key(context, own_key)
        body, media_type = made_body(
            {word: shapes[word] for word in options.bodies if word in shapes}, values, context.folder
        )
        if media_type and not any(name.casefold() == "content-type" for name in headers):
            headers["Content-Type"] = media_type
        return Call(options.method, place.url, place.shown, headers, body)

    def _key(self, context: StepContext, own_key: str) -> str:
        shape = self._shapes.get("idempotency_key")
        if shape is not None:
            return made_headers(Shape(("http",), {"idempotency_key": shape.content}), context.values)["idempotency_key"]
        return own_key


def _size(body: bytes | Path | None) -> str:
    if body is None:
        return ""
    size = len(body) if isinstance(body, bytes) else body.stat().st_size
    return f"{size:,} bytes to "
