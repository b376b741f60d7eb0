"""The `parameters:` of a workflow: typed, with defaults; given on the command line, or by the workflow that runs it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from idms_cli.config.checked import Section
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean
from idms_cli.errors import InputError
from idms_cli.modules.part import Part
from idms_cli.modules.workflows.scope import Scope
from idms_cli.modules.workflows.shapes import Shape
from idms_cli.templates.moments import OCCASION

Plain = StrictStr | StrictBool | StrictInt | StrictFloat
Type = Literal["text", "number", "whole", "boolean", "date"]

_WORDS = {"true": True, "yes": True, "false": False, "no": False}
_ARTICLES: Mapping[str, str] = {
    "text": "text", "number": "a number", "whole": "a whole number", "boolean": "true or false", "date": "a date"
}  # fmt: skip


def _parameter_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,59}", text):
        raise BadValue("a parameter's name is one word of letters, digits and _", hint="it is input.NAME in templates")
    return text


class ParameterOptions(Section):
    """One parameter."""

    type: Type = Field(default="text", description="text, number, whole, boolean or date (2026-12-31).")
    default: Plain | None = Field(default=None, description="Where nobody says it; it may be a template of the run.")
    choices: list[Plain] | None = Field(default=None, min_length=1, description="It is one of these.")
    description: str = ""


ParametersOption = dict[Annotated[str, AfterValidator(_parameter_name)], ParameterOptions | Plain]


@dataclass(frozen=True)
class Parameter:
    """One checked parameter."""

    name: str
    type: Type
    default: Shape | None
    """None: it has to be given."""
    choices: tuple[Any, ...] | None
    description: str

    def value(self, given: Any) -> Any:
        """A value of its type: text as it was typed, or a value of JSON. Raises `InputError`."""
        found = _CONVERSIONS[self.type](given)
        if found is None:
            hint = "Write it as 2026-12-31." if self.type == "date" else ""
            raise InputError(f"{self.name} is {_ARTICLES[self.type]}, not '{shortened(str(given))}'", hint=hint)
        if self.choices is not None and found not in self.choices:
            hint = f"Choices: {', '.join(map(str, self.choices))}."
            raise InputError(f"{self.name} cannot be '{shortened(str(given))}'", hint=hint)
        return found


def check_parameters(given: ParametersOption, part: Part, scope: Scope) -> dict[str, Parameter]:
    """All that are right; `part` is told the rest."""
    found = {}
    for name, said in given.items():
        options = said if isinstance(said, ParameterOptions) else ParameterOptions(type=_type_of(said), default=said)
        key = (name, "default") if isinstance(said, ParameterOptions) else (name,)
        default = _default(part, key, scope) if options.default is not None else None
        plain = Parameter(name, options.type, default, None, options.description)
        try:
            choices = None if options.choices is None else tuple(map(plain.value, options.choices))
            one = Parameter(name, options.type, default, choices, options.description)
            if default is not None and not any(default.templates):
                one.value(options.default)
        except InputError as wrong:
            part.tell_key((name,), str(wrong), wrong.hint)
            continue
        found[name] = one
    return found


def input_of(
    parameters: Mapping[str, Parameter], given: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """The value of every parameter; `values` are those of the run, for defaults. Raises `InputError`."""
    refuse_unknown(parameters, given)
    found = {}
    for name, one in parameters.items():
        if name in given:
            found[name] = one.value(given[name])
        elif one.default is not None:
            found[name] = one.value(one.default.render(values))
        else:
            raise InputError(f"the parameter {name} is missing", hint=f"Say it: -p {name}=VALUE, or give it a default.")
    return found


def refuse_unknown(parameters: Mapping[str, Parameter], given: Mapping[str, Any]) -> None:
    """Raises `InputError` for a name that is no parameter."""
    for name in given:
        if name not in parameters:
            hint = did_you_mean(name, parameters) or f"Parameters: {', '.join(parameters) or 'none'}."
            raise InputError(f"there is no parameter '{shortened(name)}'", hint=hint)


def _default(part: Part, key: tuple[str, ...], scope: Scope) -> Shape | None:
    shape = scope.shape(part, key)
    for at, template in shape.templates if shape else ():
        if not set(template.names) <= set(OCCASION):
            part.tell(at, "a default is made of the run alone", f"There are: {', '.join(OCCASION)}.")
    return shape


def _type_of(value: Any) -> Type:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    return "whole" if isinstance(value, int) else "number"


def _number(given: Any) -> Any:
    if isinstance(given, bool) or not isinstance(given, str | int | float | Decimal):
        return None
    try:
        number = Decimal(str(given).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _whole(given: Any) -> Any:
    number = _number(given)
    return int(number) if number is not None and abs(number) < 10**18 and number == int(number) else None


def _boolean(given: Any) -> Any:
    return given if isinstance(given, bool) else _WORDS.get(given.strip().lower()) if isinstance(given, str) else None


def _text(given: Any) -> Any:
    if isinstance(given, bool):
        return "true" if given else "false"
    return str(given) if isinstance(given, str | int | float | Decimal) else None


def _date(given: Any) -> Any:
    if isinstance(given, Mapping):  # a moment of a template
        given = given.get("date")
    try:
        return date.fromisoformat(given.strip()).isoformat() if isinstance(given, str) else None
    except ValueError:
        return None


_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text, "number": _number, "whole": _whole, "boolean": _boolean, "date": _date
}  # fmt: skip
