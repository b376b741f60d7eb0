"""Values of a step with templates in them: checked before the run, worked out when the step's turn comes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from idms_cli.errors import InputError
from idms_cli.modules.workflows.views import refuse_unanswered
from idms_cli.templates.texts import Text, Unrendered, Value, parse_value
from idms_cli.templates.values import Unfit, written

Key = tuple[str | int, ...]

HINT_VALUES = "`idms show RUN --data STEP` has what the steps gave; `idms test JOB --step STEP` tries this one on it."


@dataclass(frozen=True)
class Shape:
    """A JSON value in which texts may be templates. A text that is one whole `{{ expression }}` keeps its type."""

    key: Key
    """Where it stands in the step, for messages."""
    content: Any
    """As written, with a `Value` or `Text` in the place of each template."""

    def render(self, values: Mapping[str, Any]) -> Any:
        """The value. Raises `InputError` for a template that cannot be worked out, and `NotKnown` in a dry run."""
        return refuse_unanswered(self._made(self.content, self.key, values))

    def text(self, values: Mapping[str, Any]) -> str:
        """The value as text. Raises as `render`, and `InputError` for what is no text."""
        try:
            return written(self.render(values))
        except Unfit as unfit:
            raise InputError(f"{named(self.key)}: {unfit}") from unfit

    @property
    def templates(self) -> Iterator[tuple[Key, Value | Text]]:
        """All templates in it, each with its place."""
        yield from _templates(self.content, self.key)

    def _made(self, content: Any, key: Key, values: Mapping[str, Any]) -> Any:
        match content:
            case Value() | Text():
                return _rendered(content, key, values)
            case dict():
                return {name: self._made(one, (*key, name), values) for name, one in content.items()}
            case list():
                return [self._made(one, (*key, index), values) for index, one in enumerate(content)]
        return content


@dataclass(frozen=True)
class Condition:
    """A template that says true or false."""

    key: Key
    template: Value

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Raises `InputError` for a template that cannot be worked out or says anything else; `NotKnown`."""
        found = refuse_unanswered(_rendered(self.template, self.key, values))
        if isinstance(found, bool):
            return found
        hint = "Compare it with something: {{ rows|length > 0 }}, {{ answer.status == 200 }}."
        raise InputError(f"{named(self.key)}: a condition is true or false, and this is {_kind(found)}", hint=hint)


def read_shape(data: Any, key: Key) -> Shape:
    """Raises `NotAText`, with `key` as its second argument, for a template that is not allowed."""
    return Shape(key, _read(data))


def named(key: Key) -> str:
    """A place in words: `http.json[0].name`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")


def _read(data: Any) -> Any:
    if isinstance(data, str):
        return parse_value(data) if "{" in data else data
    if isinstance(data, dict):
        return {name: _read(one) for name, one in data.items()}
    return [_read(one) for one in data] if isinstance(data, list | tuple) else data


def _templates(content: Any, key: Key) -> Iterator[tuple[Key, Value | Text]]:
    match content:
        case Value() | Text():
            yield key, content
        case dict():
            for name, one in content.items():
                yield from _templates(one, (*key, name))
        case list():
            for index, one in enumerate(content):
                yield from _templates(one, (*key, index))


def _rendered(template: Value | Text, key: Key, values: Mapping[str, Any]) -> Any:
    try:
        return template.render(values)
    except Unrendered as wrong:
        raise InputError(f"{named(key)}: {wrong}", hint=_hint(template, values)) from wrong


def _hint(template: Value | Text, values: Mapping[str, Any]) -> str:
    """Of a name that is not there because its step gave nothing: why."""
    steps = values.get("steps", {})
    for name in template.names:
        if name not in values and name in steps:
            told = steps[name]
            why = f": {told['reason']}" if told.get("reason") else ""
            return f"Step {name} gave nothing: it is {told['status']}{why}."
    return ""


def _kind(value: Any) -> str:
    return {"str": "text", "NoneType": "nothing", "dict": "a mapping", "list": "a list"}.get(
        type(value).__name__, "rows" if hasattr(value, "records") else "a number"
    )
