"""Lists of steps within a step: done at the same time in threads, each to its own end, and joined."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from idms_cli.errors import Interrupted, Unreachable
from idms_cli.modules.steps import FAILED, HELD, PARTIAL, SUCCEEDED, InnerResult
from idms_cli.modules.workflows.views import RowsView, Unanswered
from idms_cli.rows.spool import Spooled

ROWS_AT = "rows_at"
"""In the output of a step with steps within: where the rows of one of those are, from the run's directory."""

UNKNOWN_OF = "unknown_of"
"""In the same place: the step of which a dry run does not know what it would give."""

AS_IT_CAME = "as_it_came"
"""Around a mapping that somebody sent and that looks like one of those two: an answer is never taken for our own."""

_WORST = (FAILED, HELD, PARTIAL, SUCCEEDED)


Piece = tuple[Any, Callable[[], InnerResult]]
"""A name, and what is to be done."""


def together(work: Iterator[Piece], width: int, *, ended: Callable[[Any, InnerResult], bool]) -> None:
    """Do pieces of work, so many at a time. `ended` is told of each as it ends, in this thread; when it says no, or a
    piece raises, no more is begun, and what is in hand comes to its end.

    Raises what a piece raised: a bug or the disk before anything else, then `Interrupted`, then `Unreachable`.
    """
    if width == 1:  # in this thread, where a step whose time is over can be broken off
        for name, do in work:
            if not ended(name, do()):
                return
        return
    raised: list[BaseException] = []
    hands: dict[Future[InnerResult], Any] = {}
    goes_on = True
    with ThreadPoolExecutor(width, thread_name_prefix="step") as pool:
        while True:
            while goes_on and not raised and len(hands) < width and (piece := next(work, None)) is not None:
                hands[pool.submit(piece[1])] = piece[0]
            if not hands:
                break
            for future in wait(hands, return_when=FIRST_COMPLETED).done:
                name, error = hands.pop(future), future.exception()
                if error is not None:
                    raised.append(error)
                else:
                    goes_on = ended(name, future.result()) and goes_on
    if raised:
        raise min(raised, key=_rank)


def _rank(error: BaseException) -> int:
    return 2 if isinstance(error, Unreachable) else 1 if isinstance(error, Interrupted) else 0


def worst(statuses: Mapping[str, str]) -> str:
    """The name whose status is the worst, the first of several; empty when all went well."""
    for status in _WORST[:-1]:
        for name, one in statuses.items():
            if one == status:
                return name
    return ""


def summed(results: Mapping[Any, InnerResult]) -> dict[str, int]:
    """Their counts together."""
    found: dict[str, int] = {}
    for result in results.values():
        for name, number in result.counts.items():
            found[name] = found.get(name, 0) + number
    return found


def kept(outputs: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """What steps gave as JSON: rows by their place in the run's directory, and what only a real run would know."""
    return {name: _kept(value, directory) for name, value in outputs.items()}


def _kept(value: Any, directory: Path) -> Any:
    match value:
        case RowsView(rows=Spooled() as rows):
            return {ROWS_AT: str(rows.path.relative_to(directory)), "rows": rows.count}
        case Unanswered(step=step):
            return {UNKNOWN_OF: step}
        case Mapping():
            found = kept(value, directory)
            return {AS_IT_CAME: found} if found.keys() & {ROWS_AT, UNKNOWN_OF, AS_IT_CAME} else found
    return value


def revived(output: Any, directory: Path) -> Any:
    """What `kept` has kept, as templates see it: rows are rows again, whatever they stand in."""
    match output:
        case {"as_it_came": Mapping() as came} if len(output) == 1:
            return {name: revived(value, directory) for name, value in came.items()}
        case {"rows_at": str() as place, "rows": _} if len(output) == 2:
            return RowsView(Spooled(directory / place))
        case {"unknown_of": str() as step} if len(output) == 1:
            return Unanswered(step)
        case Mapping():
            return {name: revived(value, directory) for name, value in output.items()}
    return output
