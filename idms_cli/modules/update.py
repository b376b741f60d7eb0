"""Update: the rows of a query become records in iMIS."""

from collections.abc import Iterator

from idms_cli.config.checked import check
from idms_cli.config.documents import Document
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.modules.destination import DestinationOptions, problems_of
from idms_cli.modules.loading import Loading
from idms_cli.modules.querysource import QuerySource
from idms_cli.records.mapping import Rule, columns_of
from idms_cli.rows.query import QueryOptions


class UpdateOptions(DestinationOptions):
    """The `with:` of an update."""

    source: QueryOptions


def parse(document: Document, settings: Settings, connection: str) -> Loading:
    """Check an update's `with:`. Raises `ProblemsFound` with all problems."""
    options = check(UpdateOptions, document, at=("with",))
    problems = [*problems_of(options, document, settings.given), *_of_current(options, document)]
    wanted = dict.fromkeys((*columns_of(options.map), *columns_of(options.find)))
    source = QuerySource(options.source, connection, tuple(wanted), settings)
    for each in source.problems():
        at = ("with", "source", *each.key)
        problems.append(document.problem(at, each.message, hint=each.hint, on_key=True, value=""))
    if problems:
        raise ProblemsFound(problems)
    return Loading(options, source, connection, settings, document)


def _of_current(options: UpdateOptions, document: Document) -> Iterator[Problem]:
    """`current:` that would tell nothing, though whoever wrote it counts on it."""
    told = [word for word, rule in options.map.items() if isinstance(rule, Rule) and rule.current is not None]
    matched = {word.casefold() for word in options.match}
    untold = [word for word in options.map if word not in told and word.strip().casefold() not in matched]
    if not told:
        return
    if options.action not in ("update", "upsert"):
        hint = "Leave it out: only an update or upsert compares."
        message = f"`current:` means nothing to {options.action}"
        yield document.problem(("with", "map", told[0]), message, hint=hint, on_key=True, value="")
    elif untold:
        message = f"`current:` tells nothing as long as {', '.join(untold)} {_have(untold)} none"
        hint = "Give it to every mapped property that is not matched on, or leave it out."
        yield document.problem(("with", "map", told[0]), message, hint=hint, on_key=True, value="")
    for word in told:
        rule = options.map[word]
        if isinstance(rule, Rule) and rule.append:
            message = "`current:` cannot tell whether there is something to append"
            yield document.problem(("with", "map", word), message, hint="Leave out one of them.", on_key=True, value="")


def _have(words: list[str]) -> str:
    return "has" if len(words) == 1 else "have"
