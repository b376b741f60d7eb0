"""Data from a document becomes a checked model, or all its problems at once, each with its place."""

from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from idms_cli.config.annotations import required_keys
from idms_cli.config.documents import Document, Loc
from idms_cli.config.faults import Fault, faults
from idms_cli.config.problems import Problem, ProblemsFound
from idms_cli.config.wording import needed_keys, words_for


class Section(BaseModel):
    """A mapping in a file: every key is known, no value is bent into another type, nothing changes afterwards.

    A key that is a Python word has an alias (`with_` for `with`); files use the alias, Python may use both. A tuple
    of items is written `ListOf[...]` (`fields.py`), because a YAML list is no tuple.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        strict=True,
        hide_input_in_errors=True,
        defer_build=True,
    )

    confidential: ClassVar[bool] = False
    """Values below this mapping are never shown in a problem."""


S = TypeVar("S", bound=Section)


def check(model: type[S], document: Document, at: Loc = ()) -> S:
    """The mapping at `at` as a `model`.

    Raises `ProblemsFound` with every mistake in it. A mapping that is not there is taken as empty; when the model has
    keys that must be written, the missing mapping itself is the problem.
    """
    if not document.has(at) and required_keys(model):
        raise ProblemsFound([_missing_section(model, document, at)])
    data = document.at(at) if document.has(at) else {}
    try:
        return model.model_validate(data, by_alias=True, by_name=False)
    except ValidationError:
        found = faults(model, data, at)
    raise ProblemsFound(dict.fromkeys(_problem(fault, document) for fault in found))


def _missing_section(model: type[Section], document: Document, at: Loc) -> Problem:
    hint = needed_keys(model).replace("needed here", "needed in it")
    return document.problem(at[:-1], f"the key '{at[-1]}' is missing", hint=hint, on_key=True, value="")


def _problem(fault: Fault, document: Document) -> Problem:
    message, hint = words_for(fault)
    if fault.kind == "missing":
        return document.problem(fault.loc[:-1], message, hint=hint, on_key=True, value="")
    if fault.kind == "extra_forbidden":
        # The value is not shown: under a mistyped key it may be a password.
        return document.problem(fault.loc, message, hint=hint, on_key=True, value="")
    visible = getattr(fault.context.get("error"), "show_value", True)
    shown = None if visible and not fault.secret and not fault.in_key else ""
    on_key = fault.in_key or isinstance(fault.value, dict | list)  # a block starts a line below its key
    return document.problem(fault.loc, message, hint=hint, on_key=on_key, value=shown)
