"""`imis`: a call of the site's own API, with the connection's token; status, headers and JSON are the output."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.fields import Duration
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean
from idms_cli.delivery.calls.addresses import WebAddress, parse_address
from idms_cli.delivery.calls.options import Expected
from idms_cli.errors import DeliveryRefused, InputError, OutcomeUnknown, RecordRefused, SiteError, Unreachable
from idms_cli.imis.answers import Answer
from idms_cli.imis.getter import Parameters
from idms_cli.imis.sending import AnyCall, Patience
from idms_cli.modules import DataLock
from idms_cli.modules.part import Part
from idms_cli.modules.steps import REHEARSED, NoSite, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.content import plain
from idms_cli.modules.workflows.onceonly import Once
from idms_cli.modules.workflows.pausing import pause
from idms_cli.modules.workflows.scope import Scope
from idms_cli.modules.workflows.shapes import HINT_VALUES, Key, Shape, named
from idms_cli.templates.texts import Unrendered
from idms_cli.templates.values import Unfit, written

API = "/api/"
_SERVER = "https://the.site"
"""Stands before a path while it is read, and is never asked."""
_EXAMPLE = "write it as in /api/Party/{{ row.ID }}"
MOST_ROWS = 10_000
"""Of a body."""
HINT_UNKNOWN = (
    "Look whether it is there in iMIS. It is not sent again by itself; `repeatable: true` says that it may be."
)


def _parse_path(text: object) -> WebAddress:
    """A path of the site, templates in it. Raises `BadValue`."""
    if not isinstance(text, str) or not text.casefold().startswith(API):
        raise BadValue("a path of the site that begins with /api/ is wanted here", hint=_EXAMPLE)
    return parse_address(f"{_SERVER}{text}")


Path = Annotated[WebAddress, PlainValidator(_parse_path), WithJsonSchema({"type": "string"})]


class ImisOptions(Section):
    """One call."""

    path: Path = Field(description="/api/..., with {{ }} for parts of it.")
    method: Literal["GET", "POST", "PUT", "DELETE"] = Field(
        default="GET", description="GET, POST, PUT or DELETE; POST where there is a body."
    )
    query: dict[str, Any] = Field(default_factory=dict, description="What follows the `?`: names and values.")
    json_: Any = Field(default=None, alias="json", description="The body; rows and templates keep their type.")
    connection: str | None = Field(default=None, description="Which site; the job's connection, if unset.")
    expect: Expected = Field(default=(range(200, 300),), description="What statuses mean yes: 2xx, [200, 404].")
    attempts: int = Field(default=3, ge=1, le=10, description="In all, of what may be sent again.")
    delay: Duration = Field(default=timedelta(seconds=5), description="Before another attempt.")
    repeatable: bool = Field(default=False, description="Whether a POST may come twice without harm: a search, say.")

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, data: Any) -> Any:
        """The path alone is a GET; what has a body is a POST if nothing is said."""
        if isinstance(data, str):
            return {"path": data}
        if isinstance(data, Mapping) and "method" not in data and "json" in data:
            return {**data, "method": "POST"}
        return data

    @model_validator(mode="after")
    def _need_no_body(self) -> Self:
        if self.method in ("GET", "DELETE") and "json_" in self.model_fields_set:
            raise BadValue(f"a {self.method} has no body", hint="write `method: POST`, or leave `json:` out")
        return self

    @property
    def is_repeatable(self) -> bool:
        return self.method != "POST" or self.repeatable

    @property
    def entity(self) -> str:
        """What of the site it is about; empty where only the run knows."""
        rest = self.path.fixed.removeprefix(_SERVER)[len(API) :]
        return rest.partition("/")[0].casefold() if "/" in rest or not any(self.path.templates) else ""


class Options(StepOptions):
    """The step."""

    imis: ImisOptions = Field(description="The path, or the call with all its keys.")


def check(options: Options, part: Part, scope: Scope) -> "_Imis | None":
    """As `Kind.check`."""
    given, known = options.imis, scope.settings.connections
    if given.connection is not None and given.connection not in known:
        hint = did_you_mean(given.connection, known) or f"Known: {', '.join(known) or 'none'}."
        message = f"there is no connection '{shortened(given.connection)}' in {scope.settings.path.name}"
        part.tell(("imis", "connection"), message, hint)
        return None
    at: Key = ("imis",) if isinstance(part.document.at((*part.at, "imis")), str) else ("imis", "path")
    wanted = {"path": at, **{word: ("imis", word) for word in ("query", "json") if _has(part, word)}}
    shapes = {word: scope.shape(part, key) for word, key in wanted.items()}
    right = {word: shape for word, shape in shapes.items() if shape is not None}
    return _Imis(given, given.connection or scope.connection, right) if len(right) == len(shapes) else None


def _has(part: Part, word: str) -> bool:
    return part.document.has((*part.at, "imis", word))


class _Imis(NoSite):
    """See `Action`."""

    def __init__(self, options: ImisOptions, connection: str, shapes: Mapping[str, Shape]) -> None:
        self._options = options
        self._connection = connection
        self._shapes = shapes

    def describe(self) -> str:
        return f"{self._options.method} {self._options.path.shown.removeprefix(_SERVER)} on {self._connection}"

    def locks(self) -> tuple[DataLock, ...]:
        reads = self._options.method == "GET" or self._options.repeatable
        return (DataLock(f"imis:{self._connection}/{self._options.entity}", write=not reads),)

    def run(self, context: StepContext) -> StepResult:
        once = Once.of(context.folder)
        if once.state == "done" and once.given is None:
            raise SiteError(once.reason, hint="What was done is not done again. Run the job anew, or go on without it.")
        if once.state == "done":
            return _result(once.given)
        path, parameters, body = self._request(context)
        what = f"{self._options.method} {path}"
        attempt = _Attempt(self._options, context, once, what)
        once.leaves()
        try:
            answer = context.site_of(self._connection).call(
                AnyCall(
                    self._options.method,
                    path,
                    parameters,
                    body,
                    expected=attempt.expects,
                    patience=Patience(self._options.attempts, attempt.wait),
                    asks=self._options.repeatable,
                )
            )
        except OutcomeUnknown as error:
            once.lost(str(error).rstrip("."))
            if self._options.is_repeatable:
                raise Unreachable(str(error), hint="It is sent once more with `retry:` of the step.") from error
            raise OutcomeUnknown(str(error), hint=error.hint or HINT_UNKNOWN, status=error.status) from error
        except RecordRefused as error:
            once.came_back()
            hint = "A status that is no failure here: `expect: [2xx, 404]`."
            raise DeliveryRefused(f"{what}: {error}", hint=hint) from error
        except Exception:
            if once.state == "sent" and not attempt.came_again:
                once.came_back()
            raise
        output = _output(answer, once)
        once.done(output)
        return replace(_result(output), counts={self._options.method.lower(): attempt.sent, "calls": attempt.sent})

    def rehearse(self, context: StepContext) -> StepResult:
        path, _, body = self._request(context)
        if self._options.method == "GET" and not context.offline:
            return self.run(context)
        what = f" with {len(body):,} rows" if isinstance(body, list) else ""
        return StepResult(status=REHEARSED, reason=f"would {self._options.method} {path}{what}", unknown=True)

    def _request(self, context: StepContext) -> tuple[str, Parameters, Any]:
        """Path, what follows the `?`, and body. Raises `InputError` and `NotKnown`."""
        values, shapes = context.values, self._shapes
        key = shapes["path"].key
        try:
            whole = self._options.path.place(values).url.removeprefix(_SERVER)
        except Unrendered as wrong:
            raise InputError(f"{named(key)}: {wrong}", hint=HINT_VALUES) from wrong
        if _leads_away(whole.partition("?")[0]):
            raise InputError(f"{named(key)}: a part of the path would be . or .., another path", hint=HINT_VALUES)
        fields: list[tuple[str, str]] = []
        for name, value in shapes["query"].render(values).items() if "query" in shapes else ():
            several = value if isinstance(value, list | tuple) else [value]
            fields += [(name, _text(one, (*shapes["query"].key, name))) for one in several]
        body = plain(shapes["json"].render(values), most_rows=MOST_ROWS) if "json" in shapes else None
        if fields and "?" in whole:
            raise InputError(f"{named(key)} has a ? already", hint="Write all of it under `query:`.")
        return whole, fields, body


class _Attempt:
    """What is known of the attempts at one call."""

    def __init__(self, options: ImisOptions, context: StepContext, once: Once, what: str) -> None:
        """Raises `OutcomeUnknown` for a call that may have been carried out, and must not be a second time."""
        self._options = options
        self._context = context
        self._once = once
        self._what = what
        pause(context, 0)
        self.sent = 1
        self.came_again = once.may_have_been_done(what, repeatable=options.is_repeatable, hint=HINT_UNKNOWN)

    def expects(self, status: int) -> bool:
        """A DELETE that comes again may find that the one before has done it."""
        if self._options.method == "DELETE" and self.came_again and status in (404, 410):
            return True
        return any(status in statuses for statuses in self._options.expect)

    def wait(self, seconds: float, not_carried_out: bool) -> None:
        """Note how it stands, and wait. Raises `Interrupted`."""
        if not not_carried_out:
            self.came_again = True
        elif not self.came_again:
            self._once.came_back()
        delay_s = max(seconds, self._options.delay.total_seconds())
        self._context.run.log(f"{self._what} is sent again in {delay_s:.0f} s")
        pause(self._context, delay_s)
        self.sent += 1
        self._once.leaves()


def _leads_away(path: str) -> bool:
    """However often a server in the way decodes it."""
    while True:
        parts = path.replace("\\", "/").split("/")
        if any(part in (".", "..") for part in parts):
            return True
        path, before = unquote(path), path
        if path == before:
            return False


def _output(answer: Answer, once: Once) -> dict[str, Any]:
    headers = {name.lower(): text for name, text in answer.headers.items() if name.lower() != "set-cookie"}
    try:
        return {"status": answer.status, "headers": headers, "json": answer.json()}
    except SiteError as error:
        once.done_in_vain(str(error))
        raise


def _result(output: Mapping[str, Any]) -> StepResult:
    return StepResult(output=dict(output), reason=f"{output['status']}")


def _text(value: Any, key: Key) -> str:
    try:
        return written(value)
    except Unfit as unfit:
        raise InputError(f"{named(key)}: {unfit}") from unfit
