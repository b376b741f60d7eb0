"""What is wrong in a file, and exactly where: problems are values, so that one bad file stops nobody."""

from collections.abc import Iterable
from dataclasses import dataclass

from idms_cli.config.foreign import harmless
from idms_cli.errors import InputError


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in one file. Sorts by place."""

    file: str
    line: int
    """From 1."""
    column: int
    """From 1, in characters."""
    message: str
    hint: str = ""
    value: str = ""
    """What stands there: harmless and short; empty when it is a secret or is not one value."""


class ProblemsFound(InputError):
    """One or more files are wrong. `problems` has every mistake that was found, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(format_problem(problem) for problem in self.problems))


class BadValue(ValueError):
    """What a field's own check raises: the message stands as it is in the problem, with the hint beside it."""

    def __init__(self, message: str, *, hint: str = "", show_value: bool = True) -> None:
        super().__init__(message)
        self.hint = hint
        self.show_value = show_value
        """False where the refused value may hold a password."""


def format_problem(problem: Problem) -> str:
    """`file:line:column: message`, then indented lines for the value (unless the message quotes it) and the hint."""
    lines = [f"{harmless(problem.file)}:{problem.line}:{problem.column}: {harmless(problem.message)}"]
    if problem.value and f"'{problem.value}'" not in problem.message:
        lines.append(f"    value: {harmless(problem.value)}")
    if problem.hint:
        lines.append(f"    hint: {harmless(problem.hint)}")
    return "\n".join(lines)
