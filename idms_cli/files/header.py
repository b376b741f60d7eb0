"""The rules of a header: there is one, and its names are neither blank nor there twice."""

from collections.abc import Sequence

from idms_cli.config.foreign import shortened
from idms_cli.errors import InputError


def column_names(cells: Sequence[str], *, place: str) -> tuple[str, ...]:
    """The names of the columns, without surrounding space.

    Raises `InputError` with every fault at once; `place` is the file and line in its message.
    """
    names = tuple(cell.strip() for cell in cells)
    if not any(names):
        raise InputError(f"{place}: there is no header here.", hint="The first line must name the columns.")
    faults = list(_faults(names))
    if faults:
        raise InputError(
            f"{place}: {'; '.join(faults)}.", hint="Give each column of the first line a name of its own, or remove it."
        )
    return names


def _faults(names: Sequence[str]) -> list[str]:
    first: dict[str, int] = {}
    faults = []
    for number, name in enumerate(names, start=1):
        if not name:
            faults.append(f"column {number} has no name")
        elif name in first:
            faults.append(f"column {number} has the same name as column {first[name]}: '{shortened(name)}'")
        else:
            first[name] = number
    return faults
