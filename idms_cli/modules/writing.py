"""How a step's files are written: the `format:` and `file:` of a step, checked with the format's own options."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idms_cli.config.spelling import did_you_mean
from idms_cli.delivery.naming import file_name
from idms_cli.delivery.steps import FileStepOptions
from idms_cli.errors import InputError
from idms_cli.files.writers import WRITERS, Writer, examine, load_writer, to_install
from idms_cli.files.writers.packing import ENDINGS, MisnamedFile, Packing, packing_of
from idms_cli.modules.part import Part
from idms_cli.templates.texts import NotAText, Text, parse_text

DEFAULT_NAME = "{{ job }}-{{ slot.date }}-{{ slot.time }}"
"""Of a step that does not say `file:`; no two slots have the same."""

_KNOWN = f"Formats: {', '.join(WRITERS)}."


@dataclass(frozen=True)
class Writing:
    """How the files of a step are made."""

    format: str
    writer: Writer
    options: Any
    """The format's own."""
    name: Text
    """The file's name, a template."""
    step: FileStepOptions

    packing: Packing

    @property
    def media_type(self) -> str:
        """Of the file as it goes out."""
        return self.packing.media_type(WRITERS[self.format].media_type)

    def file_name(self, values: Mapping[str, Any], *, batch: int) -> str:
        """The name of the file with this number. Raises `InputError` for one that no file should have."""
        return self.packing.name(file_name(self.name, {**values, "batch": batch}))


def check_writing(options: FileStepOptions, step: Part, values: Mapping[str, Any], directory: Path) -> Writing | None:
    """The writing of a step; None when something is wrong with it, which is told.

    `values` are samples, to try the file's name with; `directory` is where relative paths start.
    """
    name = _name(options, step)
    is_named = name is not None or options.file is None
    tried = _tried(name, options, step, values) if name else ""
    packing = _packing(options, step, tried, directory)
    file_format = _format(options, step, tried)
    if file_format is None:
        return None
    writer = load_writer(file_format)
    chosen = step.below("format", file_format).check(writer.Options)
    if chosen is None or not is_named:
        return None
    try:
        examine(file_format, chosen, directory)
    except InputError as refused:
        step.tell_key(("format",), str(refused), refused.hint)
        return None
    return Writing(file_format, writer, chosen, name or _default_name(file_format, options), options, packing)


def ending_format(name: str) -> str | None:
    """The format that the ending of a name tells; of a packed one, the ending before that."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    while suffixes and suffixes[-1] in ENDINGS:
        suffixes.pop()
    last = suffixes[-1] if suffixes else ""
    return next((one for one, entry in WRITERS.items() if last in entry.suffixes), None)


def _default_name(file_format: str, options: FileStepOptions) -> Text:
    batch = "-{{ batch }}" if options.batch else ""
    return parse_text(f"{DEFAULT_NAME}{batch}{next(iter(WRITERS[file_format].suffixes), '.txt')}")


def _name(options: FileStepOptions, step: Part) -> Text | None:
    if options.file is None:
        return None
    try:
        return parse_text(options.file)
    except NotAText as refused:
        step.tell(("file",), str(refused), refused.hint)
        return None


def _tried(text: Text, options: FileStepOptions, step: Part, values: Mapping[str, Any]) -> str:
    """The name for sample values; empty when there is none."""
    try:
        text.refuse_unknown([*values, "batch"])
        name, other = (file_name(text, {**values, "batch": number}) for number in (1, 2))
    except (NotAText, InputError) as refused:
        step.tell(("file",), str(refused).rstrip("."), refused.hint)
        return ""
    if options.batch and name == other:
        hint = "Put {{ batch }} into it, the number of the file."
        step.tell(("file",), "all files of this step would have the same name", hint)
    return name


def _packing(options: FileStepOptions, step: Part, name: str, directory: Path) -> Packing:
    """How the files are packed: as the step says, and as the ending of their name does."""
    try:
        packing = packing_of(name, options.compress, options.encrypt, options.sign)
        packing.examine(directory)
    except MisnamedFile as refused:
        step.tell(("file",), str(refused), refused.hint)
        return Packing()
    except InputError as refused:
        step.tell_key(("encrypt",) if options.encrypt else ("sign",), str(refused).rstrip("."), refused.hint)
    return packing


def _format(options: FileStepOptions, step: Part, name: str) -> str | None:
    found = _told_format(options, step, name)
    if found is None:
        return None
    if found not in WRITERS:
        step.tell(("format",), f"there is no format '{found}' to write", did_you_mean(found, WRITERS) or _KNOWN)
        return None
    if missing := to_install(found):
        step.tell(("format",), f"files of the format {found} cannot be written here", missing)
        return None
    return found


def _told_format(options: FileStepOptions, step: Part, name: str) -> str | None:
    """What the step says, or else the ending of its file's name."""
    hint = f"Write format: csv. {_KNOWN}"
    if isinstance(options.format, str):
        return options.format
    if options.format is not None:
        if len(options.format) == 1:
            return next(iter(options.format))
        step.tell_key(("format",), "one format is wanted here", _KNOWN)
        return None
    found = ending_format(name) if name else None
    if found is None and options.file is None:
        step.tell_key((), "the step says no format", hint)
    elif found is None and name:
        step.tell(("file",), "the ending of the name tells no format", hint)
    return found
