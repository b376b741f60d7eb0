"""The steps of a transfer as a job writes them, each checked by its own destination and format, and all together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idms_cli.config.foreign import shortened
from idms_cli.config.settings import Settings
from idms_cli.config.spelling import did_you_mean
from idms_cli.delivery import (
    DESTINATIONS,
    BadStep,
    Destination,
    destination_of,
    load_destination,
    open_step,
    to_install,
)
from idms_cli.delivery.steps import FileStepOptions, StepOptions
from idms_cli.modules.part import Part
from idms_cli.modules.writing import Writing, check_writing


@dataclass(frozen=True)
class Step:
    """One checked step."""

    number: int
    """From 1."""
    kind: str
    """The destination's name in `DESTINATIONS`."""
    options: StepOptions
    destination: Destination
    writing: Writing | None
    """None where no files are made."""

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.options.name or str(self.number)


def check_steps(transfer: Part, values: Mapping[str, Any], settings: Settings) -> list[Step]:
    """The steps that are right; everything that is wrong is told. `values` are samples for templates."""
    given = transfer.document.at((*transfer.at, "steps"))
    parts = [transfer.below("steps", index) for index in range(len(given) if isinstance(given, list) else 0)]
    found = [
        check_step(part, values, settings, number=number)
        for number, part in enumerate(parts, start=1)
        if isinstance(given[part.at[-1]], dict)
    ]
    steps = [step for step in found if step is not None]
    _refuse_together(steps, transfer)
    return steps


def check_step(part: Part, values: Mapping[str, Any], settings: Settings, *, number: int = 1) -> Step | None:
    """The one step at `part`; None when something is wrong with it, which is told."""
    kind = _kind(part)
    options = None if kind is None else part.check(load_destination(kind).Options)
    if kind is None or options is None:
        return None
    before = len(part.problems)
    writing = None
    if isinstance(options, FileStepOptions) and options.wants_files:
        writing = check_writing(options, part, values, settings.directory)
    try:
        destination = open_step(kind, options, settings)
    except BadStep as bad:
        part.tell_key(bad.key, str(bad), bad.hint)
        return None
    return Step(number, kind, options, destination, writing) if len(part.problems) == before else None


def _kind(part: Part) -> str | None:
    """The name of the destination; None when there is none that can be used."""
    said = part.document.at(part.at)
    if "to" not in said:
        part.tell_key((), "the key 'to' is missing", f"Say where the step delivers to: {_places()}.")
        return None
    kind = destination_of(said["to"])
    if kind is None:
        _tell_unknown(said["to"], part)
    elif missing := to_install(kind):
        part.tell_key(("to",), f"nothing can be delivered there from here ({DESTINATIONS[kind].summary})", missing)
        return None
    return kind


def _tell_unknown(to: object, part: Part) -> None:
    schemes = {scheme for entry in DESTINATIONS.values() for scheme in entry.schemes}
    is_address = isinstance(to, str) and "://" in to
    if not is_address and not (isinstance(to, Mapping) and len(to) == 1):
        part.tell_key(("to",), "this is no destination", f"Write {_places()}.")
        return
    word = to.partition("://")[0] if isinstance(to, str) else str(next(iter(to)))  # type: ignore[call-overload]
    hint = did_you_mean(word, schemes) or f"Known: {_places()}."
    message = f"there is no destination of the kind '{shortened(word)}{'://' if is_address else ''}'"
    part.tell_key(("to",), message, hint)


def _places() -> str:
    schemes = sorted({scheme for entry in DESTINATIONS.values() for scheme in entry.schemes} - {"file"})
    return "a folder" + (f", or one of {', '.join(schemes)}" if schemes else "")


def _refuse_together(steps: Sequence[Step], transfer: Part) -> None:
    """What is wrong with steps that are each right."""
    names: set[str] = set()
    for step in steps:
        part = transfer.below("steps", step.number - 1)
        if step.name in names:
            part.tell(("name",), f"another step is called '{step.name}' already", "Rename one.")
        names.add(step.name)
        if step.number == 1 and step.options.when == "failure":
            hint = "Leave `when:` out: the first step is always done."
            part.tell(("when",), "there is no step before this one that could fail", hint)


def refuse_same_names(steps: Sequence[Step], transfer: Part) -> None:
    """Files that each have other rows, and all the same name: one would replace the other before it was read."""
    for step in steps:
        options, writing = step.options, step.writing
        replaces = getattr(options, "overwrite", "") == "replace" and "overwrite" not in options.model_fields_set
        if writing is not None and replaces and not {"slot", "run", "now", "today"} & set(writing.name.names):
            message = "the changes of each run would replace those of the last one, whether they were read or not"
            hint = "Put {{ slot.date }} or {{ run.id }} into the name, or say overwrite: replace, or number."
            transfer.below("steps", step.number - 1).tell(("file",), message, hint)
