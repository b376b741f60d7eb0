"""What a model refuses, in words for the person who wrote the file."""

from collections.abc import Callable
from enum import Enum
from typing import Any, Literal, NamedTuple, get_args, get_origin

from idms_cli.config.annotations import fields_by_key, is_model, required_keys, shape_of, shapes
from idms_cli.config.faults import NO_BRANCH, Fault
from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean, nearest

_NOUNS = {
    "text": "text",
    "number": "a number",
    "boolean": "true or false",
    "list": "a list",
    "mapping": "a mapping (key: value)",
}
_WANTED_BY_KIND = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
}
_BOOLEAN_WORDS = {
    "true": "true",
    "false": "false",
    "yes": "true",
    "on": "true",
    "y": "true",
    "no": "false",
    "off": "false",
    "n": "false",
}
_MANY_KEYS = 25


class Words(NamedTuple):
    """A message, and what to do next."""

    message: str
    hint: str = ""


def words_for(fault: Fault) -> Words:
    """The message and hint for a fault; never a secret's value, never a word of pydantic's."""
    if fault.kind in _WANTED_BY_KIND:
        return _wrong_type(fault, _WANTED_BY_KIND[fault.kind])
    if fault.kind in _LIMITS:
        phrase, key = _LIMITS[fault.kind]
        limit = fault.context.get(key)
        return Words((_OF_ONE.get(fault.kind, phrase) if limit == 1 else phrase).format(limit))
    return _BY_KIND.get(fault.kind, _other)(fault)


def _unknown_key(fault: Fault) -> Words:
    key = str(fault.loc[-1])
    known = list(fields_by_key(fault.owner)) if fault.owner else []
    listed = f"known here: {', '.join(known)}" if 0 < len(known) <= _MANY_KEYS else ""
    name = "this key" if fault.secret else f"the key '{shortened(key)}'"  # {hunter2} is a key too
    return Words(f"{name} is not known here", did_you_mean(key, known) or listed)


def _missing_key(fault: Fault) -> Words:
    return Words(f"the key '{fault.loc[-1]}' is missing", needed_keys(fault.owner) if fault.owner else "")


def needed_keys(model: type[Any]) -> str:
    """`needed here: a, b`: the keys that a mapping of this model must have."""
    return f"needed here: {', '.join(required_keys(model))}"


def _wrong_type(fault: Fault, wanted: str) -> Words:
    return Words(f"{wanted} is wanted here{_instead(fault)}", _type_hint(fault))


def _no_branch(fault: Fault) -> Words:
    nouns = [noun for shape, noun in _NOUNS.items() if shape in shapes(fault.wanted)]
    return _wrong_type(fault, " or ".join(nouns))


def _instead(fault: Fault) -> str:
    """What stands there in place of what is wanted."""
    value, shape = fault.value, shape_of(fault.value)
    if shape == "nothing":
        return ", but the value is empty"
    if shape in ("list", "mapping"):
        return f", not a {shape}"
    if fault.secret:
        return ""
    if shape == "boolean":
        return f", not {str(value).lower()}"
    return f", not the {shape} '{shortened(str(value))}'"


def _type_hint(fault: Fault) -> str:
    value, shape = fault.value, shape_of(fault.value)
    if shape == "nothing":
        return "write a value, or delete the key"
    if is_model(fault.wanted):
        return f"known here: {', '.join(fields_by_key(fault.wanted))}"
    written = str(value).lower() if shape == "boolean" else shortened(str(value))
    return _rewrite_hint(fault.kind, "..." if fault.secret else written, shape)


def _rewrite_hint(kind: str, written: str, shape: str) -> str:
    """How to write what was probably meant."""
    if kind == "bool_type":
        return f"write {_BOOLEAN_WORDS.get(written.lower(), 'true or false')}, without quotes"
    if kind == "string_type" and shape in ("number", "boolean"):
        return f'put it in quotes: "{written}"'
    if kind in ("int_type", "float_type") and shape == "text":
        return "write digits, without quotes"
    if kind in ("list_type", "tuple_type") and shape == "text":
        return f"write it as a list: [{written}]"
    return ""


def _not_a_choice(fault: Fault) -> Words:
    choices = _choices(fault.wanted)
    listed = ", ".join(choices)
    if fault.secret or shape_of(fault.value) not in ("text", "number", "boolean"):
        return Words(f"one of these is wanted here: {listed}")
    word = str(fault.value)
    if isinstance(fault.value, bool):
        word = word.lower()
    near = nearest(word, choices)
    return Words(f"'{shortened(word)}' is not one of: {listed}", f"did you mean '{near}'?" if near else "")


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(choice.value) for choice in annotation]
    return []


def _own_words(fault: Fault) -> Words:
    error = fault.context.get("error")
    return Words(str(error), getattr(error, "hint", ""))


def _pattern(fault: Fault) -> Words:
    return Words("this text does not have the form that is wanted here", f"the form is {fault.context.get('pattern')}")


def _other(fault: Fault) -> Words:
    return Words(f"this value does not fit here{_instead(fault)}")


_BY_KIND: dict[str, Callable[[Fault], Words]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing_key,
    "literal_error": _not_a_choice,
    "enum": _not_a_choice,
    "value_error": _own_words,
    "assertion_error": _own_words,
    "string_pattern_mismatch": _pattern,
    NO_BRANCH: _no_branch,
}
_OF_ONE = {
    "too_short": "this must not be empty",
    "too_long": "only one may be written here",
    "string_too_short": "the text must not be empty",
    "string_too_long": "only one character may be written here",
}
_LIMITS = {
    "greater_than": ("the number must be more than {}", "gt"),
    "greater_than_equal": ("the number must be at least {}", "ge"),
    "less_than": ("the number must be less than {}", "lt"),
    "less_than_equal": ("the number must be at most {}", "le"),
    "multiple_of": ("the number must be a multiple of {}", "multiple_of"),
    "too_short": ("at least {} must be written here", "min_length"),
    "too_long": ("at most {} may be written here", "max_length"),
    "string_too_short": ("the text must have at least {} characters", "min_length"),
    "string_too_long": ("the text must have at most {} characters", "max_length"),
}
