"""What a step that sends requests to a web server may say."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf, PositiveDuration, Rate, RelativePath, Share, ShareOf
from idms_cli.config.foreign import shortened
from idms_cli.config.oauth import ClientCredentials
from idms_cli.config.problems import BadValue
from idms_cli.config.secret_sources import SecretSource
from idms_cli.delivery.calls.addresses import Address
from idms_cli.delivery.steps import FileStepOptions
from idms_cli.delivery.texts import TemplateText

WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Done twice, they are as done once (RFC 9110, 9.2.2)."""

_METHOD = re.compile("[A-Za-z]{1,20}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = {
    "authorization": "say who logs in under `auth:`",
    "connection": "leave it out",
    "content-length": "leave it out: it is counted",
    "host": "the address names the host",
    "keep-alive": "leave it out",
    "proxy-authorization": "leave it out: no proxy is asked",
    "te": "leave it out",
    "trailer": "leave it out",
    "transfer-encoding": "leave it out",
    "upgrade": "leave it out",
}
_STATUS = re.compile(r"([1-5])xx|([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?")
_STATUSES = "write a status or a range: 201, 2xx, 200-204, or a list of them"


def _method(text: str) -> str:
    if not _METHOD.fullmatch(text) or text.upper() in ("CONNECT", "TRACE"):
        raise BadValue(f"'{shortened(text)}' is no method for this", hint="write POST, PUT, PATCH, DELETE or GET")
    return text.upper()


def _header_name(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise BadValue("this cannot be the name of a header", hint="write it as in X-Request-Id")
    if text.casefold() in _OURS:
        raise BadValue(f"the header {text} is not set here", hint=_OURS[text.casefold()])
    return text


def _parse_expected(value: object) -> tuple[range, ...]:
    """The statuses that mean yes. Raises `BadValue`."""
    values = value if isinstance(value, list | tuple) else [value]
    if not values:
        raise BadValue("no status is named", hint=_STATUSES)
    return tuple(_statuses(one) for one in values)


def _statuses(value: object) -> range:
    found = _STATUS.fullmatch(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if found is None:
        raise BadValue("this is no status of HTTP", hint=_STATUSES)
    if found[1]:
        return range(int(found[1]) * 100, int(found[1]) * 100 + 100)
    return range(int(found[2]), int(found[3] or found[2]) + 1)


def same_name_twice(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuses headers that are the same but for letter case. Raises `BadValue`."""
    if len({name.casefold() for name in value}) < len(value):
        raise BadValue("a header is here twice", hint="letter case does not count in the name of a header")
    return value


Method = Annotated[str, AfterValidator(_method)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
Expected = Annotated[
    tuple[range, ...], PlainValidator(_parse_expected), WithJsonSchema({"type": ["integer", "string", "array"]})
]
FieldPath = Annotated[str, Field(min_length=1, max_length=200)]


class WebAuth(Section):
    """How to log in: exactly one way."""

    ways: ClassVar[Mapping[frozenset[str], str]] = {
        frozenset({"user", "password"}): "{user: NAME, password: ...}",
        frozenset({"bearer"}): "{bearer: ...}",
        frozenset({"header", "key"}): "{header: X-Api-Key, key: ...}",
        frozenset({"query", "key"}): "{query: api_key, key: ...}",
        frozenset({"oauth2"}): "{oauth2: {token_url: ..., client_id: ..., client_secret: ...}}",
    }

    user: str | None = Field(default=None, min_length=1, description="Whose password this is.")
    password: SecretSource | None = None
    bearer: SecretSource | None = Field(default=None, description="A token.")
    header: HeaderName | None = Field(default=None, description="The header in which a key is sent.")
    query: str | None = Field(default=None, min_length=1, description="The name in the query as which a key is sent.")
    key: SecretSource | None = None
    oauth2: ClientCredentials | None = None

    @model_validator(mode="after")
    def _need_one_way(self) -> Self:
        given = frozenset(name for name in type(self).model_fields if getattr(self, name) is not None)
        if given not in self.ways:
            raise BadValue("this is no way to log in", hint=f"write one of {', '.join(self.ways.values())}")
        if self.user and ":" in self.user:
            raise BadValue("a user name with ':' in it cannot be sent", hint="RFC 7617 has the ':' before the password")
        return self


class AnswerOptions(Section):
    """What is kept of the answers."""

    store: ListOf[FieldPath] = Field(min_length=1, description="Fields of the JSON in each answer: [id, data.status].")


class WebOptions(FileStepOptions):
    """All that a step to a web server may say."""

    to: Address = Field(description="https://..., with {{ }} for what differs between requests.")
    method: Method = Field(default="POST", description="POST, PUT, PATCH, DELETE, GET...")
    each: bool = Field(default=False, description="A request for each row; `row` is then in templates.")
    batch: int | None = Field(default=None, ge=1, le=100_000, description="So many rows in one request.")
    headers: Annotated[dict[HeaderName, TemplateText], AfterValidator(same_name_twice)] = Field(default_factory=dict)
    auth: WebAuth | None = None
    expect: Expected = Field(default=(range(200, 300),), description="What statuses mean yes: 201, 2xx, [200, 404].")
    silence: PositiveDuration = Field(
        default=timedelta(seconds=60), description="How long the server may be silent before an answer counts as lost."
    )
    ca_file: RelativePath | None = Field(default=None, description="Certificates of a private authority.")
    answer: AnswerOptions | None = None
    idempotency_key: Literal[True] | TemplateText | None = Field(
        default=None,
        description="Sent with each request, so that the server knows one that comes twice; true: our own.",
    )
    idempotency_header: HeaderName = Field(default="Idempotency-Key", description="The header that has it.")
    repeatable: bool | None = Field(
        default=None,
        description="Whether a request may come twice without harm. Else PUT, DELETE, GET, and what has a key may.",
    )
    max_refused: ShareOf = Field(default=Share(count=100), description="Rows that may fail before no more are sent.")
    rate: Rate | None = Field(default=None, description="Requests per second at most.")
    concurrency: int = Field(default=1, ge=1, le=32, description="Requests at the same time at most.")

    @model_validator(mode="before")
    @classmethod
    def _json_if_unsaid(cls, data: Any) -> Any:
        """A body is JSON if nothing is said; a method that needs no body has none if nothing is said."""
        if not isinstance(data, Mapping) or "format" in data or "file" in data:
            return data
        method = data.get("method", "POST")
        without = isinstance(method, str) and method.upper() in WITHOUT_BODY
        return data if without else {**data, "format": "json"}

    @property
    def wants_files(self) -> bool:
        return self.format is not None or self.file is not None

    @property
    def is_repeatable(self) -> bool:
        """Whether a request that may have been carried out can be sent again without harm."""
        if self.repeatable is not None:
            return self.repeatable
        return self.method in REPEATABLE or self.idempotency_key is not None
