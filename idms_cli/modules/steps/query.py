"""`query`: the rows of an IQA query of the site, read to the last page."""

from dataclasses import dataclass, field
from typing import Any

from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.imis.counts import Calls
from idms_cli.modules import DataLock, OnlineCheck, SiteOf
from idms_cli.modules.part import Part
from idms_cli.modules.querycheck import look_at
from idms_cli.modules.steps import REHEARSED, StepContext, StepOptions, StepResult
from idms_cli.modules.workflows.scope import Scope
from idms_cli.modules.workflows.shapes import Shape
from idms_cli.rows.query import QueryOptions, Reading, read_query

ROWS = "rows.spool"


class Options(QueryOptions, StepOptions):
    """A step that queries the site."""


@dataclass(frozen=True)
class Query:
    """See `Action`."""

    options: Options
    connection: str
    parameters: Shape | None
    part: Part = field(repr=False)
    settings: Settings = field(repr=False)
    makes_rows: bool = True

    def describe(self) -> str:
        return f"the rows of {self.options.query} on {self.connection}"

    def locks(self) -> tuple[DataLock, ...]:
        return (DataLock(f"imis:{self.connection}/{self.options.query.casefold()}", write=False),)

    def check_online(self, site_of: SiteOf) -> OnlineCheck:
        if self.parameters is not None and any(self.parameters.templates):
            return OnlineCheck()  # what the prompts get only a run knows
        said = look_at(site_of(self.connection), _plain(self.options))
        wrong, doubtful = Part(self.part.document, self.part.at), Part(self.part.document, self.part.at)
        for one in said.problems:
            wrong.tell(one.key, one.message, one.hint)
        for one in said.warnings:
            doubtful.tell(one.key, one.message, one.hint)
        return OnlineCheck(tuple(wrong.problems), tuple(doubtful.problems))

    def run(self, context: StepContext) -> StepResult:
        site, path, run = context.site_of(self.connection), context.folder / ROWS, context.run
        before = site.calls.snapshot()
        options = _plain(self.options)
        if self.parameters is not None:
            options = options.model_copy(update={"parameters": _answers(self.parameters.render(context.values))})

        def tell(count: int) -> None:
            run.progress(lambda: {"fetched": count})

        rows = read_query(site, options, path, Reading(run.stopping, tell, limit=run.row_limit))
        return StepResult(rows=path, counts={"rows": rows.count, **_since(before, site.calls.snapshot())})

    def rehearse(self, context: StepContext) -> StepResult:
        """It reads, as a real run does: nothing is changed by that."""
        if context.offline:
            answers = "" if self.parameters is None else f", with {self.parameters.render(context.values)}"
            return StepResult(status=REHEARSED, reason=f"would read {self.describe()}{answers}", unknown=True)
        return self.run(context)


def check(options: Options, part: Part, scope: Scope) -> Query | None:
    """As `Kind.check`."""
    known = scope.settings.connections
    if options.connection is not None and options.connection not in known:
        hint = did_you_mean(options.connection, known) or f"Known: {', '.join(known) or 'none'}."
        message = f"there is no connection '{options.connection}' in {scope.settings.path.name}"
        part.tell(("connection",), message, hint)
        return None
    connection = options.connection or scope.connection
    if not options.parameters:
        return Query(options, connection, None, part, scope.settings)
    shape = scope.shape(part, ("parameters",))
    return None if shape is None else Query(options, connection, shape, part, scope.settings)


def _plain(options: Options) -> QueryOptions:
    return QueryOptions(
        query=options.query, parameters=options.parameters, connection=options.connection, key=options.key
    )


def _answers(rendered: Any) -> Any:
    """Prompts take text, numbers, true and false; a moment is its day and time."""
    if isinstance(rendered, dict):
        return {name: _answer(value) for name, value in rendered.items()}
    return tuple(map(_answer, rendered))


def _answer(value: Any) -> Any:
    return str(value) if not isinstance(value, str | int | bool | None) else value


def _since(before: Calls, now: Calls) -> dict[str, int]:
    sent = {
        "get": now.get - before.get,
        "post": now.post - before.post,
        "put": now.put - before.put,
        "delete": now.delete - before.delete,
        "token": now.token - before.token,
    }
    return {**sent, "calls": sum(sent.values())}
