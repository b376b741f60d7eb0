"""The rules of a header: there is one, and its names are neither blank nor there twice."""

from collections.abc import Sequence

from idms_cli.config.foreign import shortened
from idms_cli.errors import InputError


def column_names(cells: Sequence[str], *, place: str, labels: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of the columns, without surrounding space.

    Raises `InputError` with every fault at once; `place` is the file and line in its message, `labels` say which
    column is which where it is not their number.
    """
    names = tuple(cell.strip() for cell in cells)
    if not any(names):
        raise InputError(f"{place}: there is no header here.", hint="The first line must name the columns.")
    faults = _faults(names, labels or range(1, len(names) + 1))
    if faults:
        raise InputError(f"{place}: {'; '.join(faults)}.", hint="Give each column a name of its own, or remove it.")
    return names


def _faults(names: Sequence[str], labels: Sequence[str | int]) -> list[str]:
    first: dict[str, str | int] = {}
    faults = []
    for label, name in zip(labels, names, strict=True):
        if not name:
            faults.append(f"column {label} has no name")
        elif name in first:
            faults.append(f"column {label} has the same name as column {first[name]}: '{shortened(name)}'")
        else:
            first[name] = label
    return faults
