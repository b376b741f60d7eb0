"""The names of properties as a job spells them, given back as the site does."""

from collections.abc import Iterable, Mapping

from idms_cli.errors import RecordRefused
from idms_cli.imis.definitions import near_match
from idms_cli.imis.properties import Value


def spelled(values: Mapping[str, Value], names: Iterable[str], *, what: str) -> dict[str, Value]:
    """`values` under the spelling of `names`, taken in any case. Raises `RecordRefused` for every name that is none."""
    known = {name.casefold(): name for name in names}
    unknown = [name for name in values if name.casefold() not in known]
    if unknown:
        reasons = [f"{what} has no property {one!r}.{near_match(one, known.values())}" for one in unknown]
        raise RecordRefused(reasons, code="unknown-property")
    return {known[name.casefold()]: value for name, value in values.items()}


def needed(values: Mapping[str, Value], *names: str) -> tuple[str, ...]:
    """The texts of these values. Raises `RecordRefused` with a reason for each that is blank."""
    texts = tuple(text_of(values.get(name)) for name in names)
    missing = [f"{name} is missing" for name, text in zip(names, texts, strict=True) if not text]
    if missing:
        raise RecordRefused(missing, code="validation")
    return texts


def text_of(value: Value) -> str:
    """A value as a key holds it: text without blanks around it, empty for None."""
    return "" if value is None else str(value).strip()
