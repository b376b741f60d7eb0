"""`wait`: until a moment, for a file, or until the rows of a query meet a condition; with a limit."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from idms_cli.config.durations import format_duration
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.replacing import replace_file
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import IdmsError, InputError, Unreachable
from idms_cli.files.origins.address import parse_address
from idms_cli.files.origins.options import misfits
from idms_cli.modules import DataLock, OnlineCheck, SiteOf
from idms_cli.modules.part import Part
from idms_cli.modules.querycheck import look_at
from idms_cli.modules.steps import REHEARSED, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.pausing import pause
from idms_cli.modules.workflows.scope import Scope
from idms_cli.modules.workflows.shapes import Condition, Key, Shape, named, read_shape
from idms_cli.modules.workflows.waitoptions import ANY_ROWS, WaitFile, WaitOptions
from idms_cli.modules.workflows.waits import UNTIL, Answer, Arrival, Awaited, Look, Moment, moment_of, waited
from idms_cli.rows.query import Reading

ROWS = "rows.spool"
BEGAN = "wait.json"
LIMIT = timedelta(hours=1)
"""Of waits that say none, for what may never come."""
_TEMPLATE = re.compile(r"\{\{.*?\}\}")


class Options(StepOptions):
    """The step."""

    wait: WaitOptions


def check(options: Options, part: Part, scope: Scope) -> "_Wait | None":
    """As `Kind.check`."""
    given, before = options.wait, len(part.problems)
    condition, shape = None, None
    match given.way:
        case "until":
            shape = scope.shape(part, ("wait", "until"))
            if shape is not None and not any(shape.templates):
                _tell_moment(given.until, part, scope)
        case "file":
            shape = scope.shape(part, _file_key(given))
            _tell_file(given, part)
        case "query":
            condition, shape = _check_query(given, part, scope)
    if len(part.problems) != before:
        return None
    return _Wait(given, scope, part, shape, condition)


def _file_key(given: WaitOptions) -> Key:
    return ("wait", "file") if isinstance(given.file, str) else ("wait", "file", "path")


def _tell_moment(text: Any, part: Part, scope: Scope) -> None:
    try:
        moment_of(text, scope.settings.timezone, after=datetime(2026, 1, 1, tzinfo=UTC))
    except InputError as wrong:
        part.tell(("wait", "until"), str(wrong), wrong.hint)


def _tell_file(given: WaitOptions, part: Part) -> None:
    """As far as it is known without its templates."""
    wanted = given.wanted
    if wanted is None:
        return
    try:
        address = parse_address(_TEMPLATE.sub("x", wanted.path))
    except BadValue as wrong:
        part.tell(_file_key(given), str(wrong), wrong.hint)
        return
    for one in misfits(wanted.origin(address)):
        part.tell(("wait", "file", *one.key), one.message, one.hint)


def _check_query(given: WaitOptions, part: Part, scope: Scope) -> tuple[Condition | None, Shape | None]:
    asked, known = given.asked, scope.settings.connections
    if asked is not None and asked.connection is not None and asked.connection not in known:
        hint = did_you_mean(asked.connection, known) or f"Known: {', '.join(known) or 'none'}."
        message = f"there is no connection '{shortened(asked.connection)}' in {scope.settings.path.name}"
        part.tell(("wait", "query", "connection"), message, hint)
    shape = scope.shape(part, ("wait", "query", "parameters")) if asked and asked.parameters else None
    if "condition" in given.model_fields_set:
        return scope.condition(part, ("wait", "condition"), more=("rows",)), shape
    found = read_shape(ANY_ROWS, ("wait", "condition")).content
    return Condition(("wait", "condition"), found), shape


class _Wait:
    """See `Action`."""

    def __init__(
        self, options: WaitOptions, scope: Scope, part: Part, shape: Shape | None, condition: Condition | None
    ) -> None:
        self._options = options
        self._directory = scope.settings.directory
        asked = options.asked
        self._connection = (asked.connection if asked else None) or scope.connection
        self._part = part
        self._shape = shape
        self._condition = condition
        self.makes_rows = options.way == "query"

    def describe(self) -> str:
        options = self._options
        match options.way:
            case "until":
                return f"until {shortened(options.until or '')}"
            case "for":
                return f"for {format_duration(options.for_ or timedelta())}"
            case "file":
                return f"for the file {shortened(options.wanted.path if options.wanted else '')}"
        return f"for rows of {options.asked.query if options.asked else ''} on {self._connection}"

    def locks(self) -> tuple[DataLock, ...]:
        """Whoever writes what is waited for must not have to wait for this."""
        if self._options.asked is None:
            return ()
        return (DataLock(f"imis:{self._connection}/{self._options.asked.query.casefold()}", write=False),)

    def check_online(self, site_of: SiteOf) -> OnlineCheck:
        asked = self._options.asked
        if asked is None or (self._shape is not None and any(self._shape.templates)):
            return OnlineCheck()
        said = look_at(site_of(self._connection), asked)
        wrong = Part(self._part.document, self._part.at)
        for one in said.problems:
            wrong.tell(("wait", "query", *one.key), one.message, one.hint)
        return OnlineCheck(tuple(wrong.problems))

    def run(self, context: StepContext) -> StepResult:
        began = _began(context)
        pause(context, 0)
        awaited, way, trouble = self._awaited(context, began), self._options.way, ""
        limit = self._options.limit or (LIMIT if way in self._options.often else None)
        every_s = (self._options.every or self._options.often.get(way, timedelta(seconds=30))).total_seconds()
        told = ""
        while True:
            try:
                look, trouble = awaited.look(), ""
                if look.is_there:
                    context.run.log(f"{look.what}: goes on")
                    return _result(look)
                trouble = look.what
            except Unreachable as error:  # that can pass as well
                trouble = str(error).rstrip(".")
            if trouble != told:
                context.run.log(f"waits: {trouble}")
                told = trouble
            now = context.run.clock.now()
            left_s = float("inf") if limit is None else began + limit.total_seconds() - now
            if limit is not None and left_s <= 0:
                raise IdmsError(
                    waited(limit, trouble), hint="Wait longer with `limit:`, or say what then: `on_error:`."
                )
            pause(context, min(every_s, left_s, self._until_s(awaited, now)))

    def rehearse(self, context: StepContext) -> StepResult:
        """Looks once; with no look a dry run would tell nothing of what comes after it."""
        if context.offline and self._options.way != "until":
            return StepResult(status=REHEARSED, reason=f"would wait {self.describe()}", unknown=True)
        awaited = self._awaited(context, context.run.clock.now())
        try:
            look = awaited.look()
        except Unreachable as error:
            return StepResult(status=REHEARSED, reason=f"would wait: {error}".rstrip("."), unknown=True)
        found = _result(look)
        word = "would go on at once" if look.is_there else "would wait"
        unknown = not look.is_there and look.rows is None and self._options.way == "file"
        return StepResult(
            found.output, found.rows, found.counts, status=REHEARSED, reason=f"{word}: {look.what}", unknown=unknown
        )

    def _awaited(self, context: StepContext, began: float) -> Awaited:
        """Raises `InputError` and `NotKnown`."""
        options, run = self._options, context.run
        if options.for_ is not None:
            return Moment(datetime.fromtimestamp(began, UTC) + options.for_, run.zone, run.clock.now)
        if options.way == "until" and self._shape is not None:
            after = run.slot or run.created_at or datetime.fromtimestamp(began, UTC)
            try:
                at = moment_of(self._shape.render(context.values), run.zone, after=after)
            except InputError as wrong:
                raise InputError(f"{named(self._shape.key)}: {wrong}", hint=wrong.hint or UNTIL) from wrong
            return Moment(at, run.zone, run.clock.now)
        if options.wanted is not None and self._shape is not None:
            return self._arrival(options.wanted, self._shape.text(context.values), context)
        return self._answer(context)

    def _arrival(self, wanted: WaitFile, path: str, context: StepContext) -> Arrival:
        try:
            address = parse_address(path).below(self._directory)
        except BadValue as wrong:
            raise InputError(f"wait.file: {wrong}", hint=wrong.hint) from wrong
        origin, now = wanted.origin(address), context.run.clock.now
        return Arrival(address, origin, self._directory, now, wanted.newer_than, wanted.stable_for)

    def _answer(self, context: StepContext) -> Answer:
        asked, condition = self._options.asked, self._condition
        assert asked is not None and condition is not None  # noqa: S101, PT018 - as it was checked
        if self._shape is not None:
            asked = asked.model_copy(update={"parameters": _answers(self._shape.render(context.values))})
        site, reading = context.site_of(self._connection), Reading(context.run.stopping)
        return Answer(site, asked, condition, context.values, context.folder / ROWS, reading)

    @staticmethod
    def _until_s(awaited: Awaited, now: float) -> float:
        return max(awaited.at.timestamp() - now, 0.0) if isinstance(awaited, Moment) else float("inf")


def _answers(rendered: Any) -> Any:
    """Prompts take text, numbers, true and false; a moment is its day and time."""
    if isinstance(rendered, dict):
        return {name: one if isinstance(one, str | int | bool | None) else str(one) for name, one in rendered.items()}
    return tuple(one if isinstance(one, str | int | bool | None) else str(one) for one in rendered)


def _began(context: StepContext) -> float:
    """When the step first began to wait: a run that goes on does not wait anew."""
    path = context.folder / BEGAN
    try:
        return float(json.loads(path.read_bytes())["began"])
    except FileNotFoundError:
        now = context.run.clock.now()
        replace_file(path, json.dumps({"began": now}).encode())
        return now


def _result(look: Look) -> StepResult:
    counts = {"rows": look.number} if look.rows is not None else {}
    return StepResult(look.output, rows=look.rows, counts=counts, reason=look.what)
