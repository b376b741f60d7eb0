"""One part of a job file on its way to being checked: where it stands, and what is wrong with it so far."""

from dataclasses import dataclass, field
from typing import TypeVar

from idms_cli.config.checked import Section, check
from idms_cli.config.documents import Document, Loc
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.rows.misfits import Misfit

S = TypeVar("S", bound=Section)


@dataclass(frozen=True)
class Part:
    """See the module. `key` is always below the part."""

    document: Document
    at: Loc
    problems: list[Problem] = field(default_factory=list)

    def below(self, *key: str | int) -> "Part":
        """A part of this part; its problems are told here."""
        return Part(self.document, (*self.at, *key), self.problems)

    def check(self, model: type[S]) -> S | None:
        """The part as a `model`; None when something is wrong with it, which is told."""
        try:
            return check(model, self.document, self.at)
        except ProblemsFound as found:
            self.problems.extend(found.problems)
            return None

    def tell(self, key: Loc, message: str, hint: str = "") -> None:
        """Something is wrong with a value."""
        self.problems.append(self.document.problem((*self.at, *key), message, hint=hint))

    def tell_key(self, key: Loc, message: str, hint: str = "") -> None:
        """Something is wrong with a key, or with all that stands below it."""
        self.problems.append(self.document.problem((*self.at, *key), message, hint=hint, on_key=True, value=""))

    def tell_misfit(self, misfit: Misfit) -> None:
        tell = self.tell_key if misfit.on_key else self.tell
        tell(misfit.key, misfit.message, misfit.hint)
