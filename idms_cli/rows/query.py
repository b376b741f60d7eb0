"""The rows of an IQA query, read to the last page and kept in the run's directory before anything else happens."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError, Interrupted
from idms_cli.imis.querydefinitions import Prompt, QueryDefinition
from idms_cli.imis.querypages import QueryRow
from idms_cli.rows.spool import Spool, Spooled, is_spooled, spooling

if TYPE_CHECKING:
    from idms_cli.imis.site import Site

FIRST_ROWS = 500
"""So many rows show which columns there are, and whether rows leave out those that are empty."""

Answer = StrictStr | StrictInt | StrictFloat | StrictBool | None
"""What a job gives to a prompt."""


def _path(text: str) -> str:
    if not text.startswith("$/") or not all(map(str.strip, text.removeprefix("$/").split("/"))):
        raise BadValue(
            f"'{shortened(text)}' is no path of a query", hint="write it as in $/Folder/Name, with every folder"
        )
    return text


QueryPath = Annotated[str, AfterValidator(_path)]


class QueryOptions(Section):
    """A query as the source of rows."""

    query: QueryPath = Field(description="Its path in iMIS: $/Folder/Name.")
    parameters: ListOf[Answer] | dict[str, Answer] = Field(
        default=(),
        description="Answers to its prompts: all of them in their order, '' for none; or by name: {MemberType: REG}.",
    )
    connection: str | None = Field(default=None, description="Where it runs; the job's connection, if unset.")
    key: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="A column that is different in every row: rows that come twice are taken once."
    )


@dataclass(frozen=True)
class Reading:
    """How a query is read."""

    stopping: Callable[[], bool] = lambda: False
    tell: Callable[[int], None] = lambda _: None
    """Given the number of rows so far, about once for each page."""
    wanted: Collection[str] = ()
    """Columns that somebody will ask for: where rows leave out what is empty, the query's definition tells them."""
    limit: int | None = None
    """Only so many rows."""


def read_query(site: "Site", options: QueryOptions, path: Path, reading: Reading = Reading()) -> Spooled:
    """The rows of a query in a spool at `path`, whole and on disk when this returns; what is there already is not read.

    Memory is flat however many there are. Raises `InputError` for a query or prompt that the site does not have,
    `Unreachable`, `LoginRefused`, `SiteError` and `Interrupted`; and `OSError` when the disk does not take it.
    """
    if is_spooled(path):
        return Spooled(path)
    rows = site.query(options.query, answers(site, options), key=options.key)
    with spooling(path) as spool:
        _fill(spool, _batches(rows, reading), reading.wanted, lambda: _defined(site, options.query))
        spool.is_whole = rows.is_whole
    return Spooled(path)


def answers(site: "Site", options: QueryOptions) -> list[str]:
    """What is sent for the prompts of a query, in their order; asks the site for that where they are named.

    Raises `InputError` for a name that the query does not ask for, and where the site does not tell the order.
    """
    if not isinstance(options.parameters, dict):
        return [_text(each) for each in options.parameters]
    if not options.parameters:
        return []
    told = site.query_definition(options.query)
    if told.definition is None:
        why = told.untold or "the site has no such query"
        raise InputError(
            f"The site does not tell the prompts of the query {options.query}: {why}.",
            hint="Write `parameters:` as a list, one for each prompt in its order; '' for those without an answer.",
        )
    return in_order(told.definition, options.parameters)


def in_order(definition: QueryDefinition, named: dict[str, Answer]) -> list[str]:
    """The answers in the order of the prompts, empty for those that are not named. Raises `InputError`."""
    placed = [""] * len(definition.prompts)
    for word, answer in named.items():
        places = [place for place, prompt in enumerate(definition.prompts) if prompt.is_called(word)]
        if len(places) != 1:
            raise _no_prompt(definition, word, several=bool(places))
        placed[places[0]] = _text(answer)
    return placed


def _no_prompt(definition: QueryDefinition, word: str, *, several: bool) -> InputError:
    prompts: Sequence[Prompt] = definition.prompts
    names = [str(prompt) for prompt in prompts]
    if several:
        message = f"The query {definition.path} has several prompts named '{shortened(word)}'."
        return InputError(message, hint=f"Write a list, in their order: {', '.join(names)}.")
    known = {name for prompt in prompts for name in (prompt.label, prompt.property) if name}
    listed = f"It asks for {', '.join(names)}." if names else "It asks for nothing: leave `parameters:` out."
    message = f"The query {definition.path} has no prompt '{shortened(word)}'."
    return InputError(message, hint=did_you_mean(word, known) or listed)


def _text(answer: Answer) -> str:
    if answer is None:
        return ""
    return str(answer).lower() if isinstance(answer, bool) else str(answer)


def _defined(site: "Site", path: str) -> tuple[str, ...]:
    definition = site.query_definition(path).definition
    return tuple(dict.fromkeys(column.name for column in definition.columns)) if definition else ()


def _batches(rows: Iterable[QueryRow], reading: Reading) -> Iterator[list[QueryRow]]:
    """Some rows at a time, as many as are wanted."""
    source, count = islice(rows, reading.limit), 0
    while batch := list(islice(source, FIRST_ROWS)):
        if reading.stopping():
            raise Interrupted("the run was stopped")
        yield batch
        count += len(batch)
        reading.tell(count)


def _fill(
    spool: Spool, batches: Iterator[list[QueryRow]], wanted: Collection[str], defined: Callable[[], tuple[str, ...]]
) -> None:
    first = next(batches, [])
    names = dict.fromkeys(chain.from_iterable(first))
    known = {name.casefold() for name in names}
    if any(len(row) < len(names) for row in first) or not names or not known.issuperset(map(str.casefold, wanted)):
        spool.name(_in_spelling(defined(), names))
    spool.name(tuple(names))
    for batch in chain([first], batches):
        spool.add_all(batch)


def _in_spelling(defined: tuple[str, ...], names: Collection[str]) -> tuple[str, ...]:
    """The columns of the definition, spelled as the rows do where they have them."""
    spelled = {name.casefold(): name for name in names}
    return tuple(dict.fromkeys(spelled.get(name.casefold(), name) for name in defined))
