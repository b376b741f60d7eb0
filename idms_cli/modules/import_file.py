"""Import: the rows of a file become records in iMIS."""

from collections.abc import Iterator

from idms_cli.config.checked import check
from idms_cli.config.documents import Document
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.modules.destination import DestinationOptions, problems_of
from idms_cli.modules.filesource import FileSource, SourceOptions
from idms_cli.modules.loading import Loading
from idms_cli.records.mapping import Rule


class ImportOptions(DestinationOptions):
    """The `with:` of an import."""

    source: SourceOptions


def parse(document: Document, settings: Settings, connection: str) -> Loading:
    """Check an import's `with:`. Raises `ProblemsFound` with all problems."""
    options = check(ImportOptions, document, at=("with",))
    problems = [*problems_of(options, document, settings.given), *_of_current(options, document)]
    source = FileSource.of(options.source, settings)
    for each in source.problems():
        at = ("with", "source", *each.key)
        problems.append(document.problem(at, each.message, hint=each.hint, on_key=True, value=""))
    if problems:
        raise ProblemsFound(problems)
    return Loading(options, source, connection, settings, document)


def _of_current(options: ImportOptions, document: Document) -> Iterator[Problem]:
    for word, rule in options.map.items():
        if isinstance(rule, Rule) and rule.current is not None:
            hint = "Leave it out: a file does not know what the site has now."
            message = "`current:` is for module: update"
            yield document.problem(("with", "map", word), message, hint=hint, on_key=True, value="")
