"""The header of a sheet: which columns have a name, and which of them are wanted."""

from collections.abc import Sequence

from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.files.header import column_names


class Header:
    """The named columns of a sheet. Columns without a name are left out; they must be blank, or right of all names."""

    def __init__(self, cells: Sequence[str], *, used: Sequence[int], place: str) -> None:
        """`used` are the columns, from 0, that have text below. Raises `InputError`; `place` is the row in words."""
        self.kept = tuple(index for index, cell in enumerate(cells) if cell.strip())
        nameless = [index for index in used if index not in self.kept and index < self.kept[-1]]
        if nameless:
            listed = ", ".join(map(column_letters, nameless[:10]))
            hint = "Name them, or empty them; if the names are in another row, say `header_row:`."
            raise InputError(f"{place}: there is no name above the cells of column {listed}.", hint=hint)
        labels = [column_letters(index) for index in self.kept]
        self.names = column_names([cells[index] for index in self.kept], place=place, labels=labels)
        self._place = place

    def choose(self, wanted: Sequence[str]) -> None:
        """Keep only these columns, in this order. Raises `InputError` for one that is not there."""
        missing = [name for name in wanted if name not in self.names]
        if missing:
            hint = did_you_mean(missing[0], self.names) or f"Columns: {', '.join(map(shortened, self.names[:20]))}."
            raise InputError(f"{self._place}: there is no column '{shortened(missing[0])}'.", hint=hint)
        self.kept = tuple(self.kept[self.names.index(name)] for name in wanted)
        self.names = tuple(wanted)


def no_header(place: str, *, first_text: int) -> InputError:
    """The error for a row that names no columns; `first_text` is the first row with text, 0 if there is none."""
    if not first_text:
        return InputError(f"{place}: there is no header here, since the sheet is empty.", hint="Name another `sheet:`?")
    hint = f"The first row with text is {first_text}. If it names the columns, say `header_row: {first_text}`."
    return InputError(f"{place}: there is no header here.", hint=hint)


def column_letters(index: int) -> str:
    """A column as a spreadsheet names it: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
