"""Import: the rows of a file become records in iMIS."""

from idms_cli.config.checked import check
from idms_cli.config.documents import Document
from idms_cli.config.problems import ProblemsFound
from idms_cli.config.settings import Settings
from idms_cli.modules.destination import DestinationOptions, problems_of
from idms_cli.modules.filesource import FileSource, SourceOptions
from idms_cli.modules.loading import Loading


class ImportOptions(DestinationOptions):
    """The `with:` of an import."""

    source: SourceOptions


def parse(document: Document, settings: Settings, connection: str) -> Loading:
    """Check an import's `with:`. Raises `ProblemsFound` with all problems."""
    options = check(ImportOptions, document, at=("with",))
    problems = list(problems_of(options, document, settings.given))
    source = FileSource.of(options.source, settings)
    for each in source.problems():
        at = ("with", "source", *each.key)
        problems.append(document.problem(at, each.message, hint=each.hint, on_key=True, value=""))
    if problems:
        raise ProblemsFound(problems)
    return Loading(options, source, connection, settings, document)
