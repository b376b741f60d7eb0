"""Text from a file becomes a typed value that a property can hold, or a fault that says why not."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache

from idms_cli.codes import Code
from idms_cli.config.foreign import shortened
from idms_cli.config.spelling import did_you_mean
from idms_cli.imis.properties import Property, Value
from idms_cli.records.dates import DateReader, date_reader
from idms_cli.records.faults import Fault
from idms_cli.records.forms import Unclear
from idms_cli.records.numbers import SAMPLES, NumberReader, number_reader

Converter = Callable[[str], Value | Fault]
"""Makes of a cell that is not blank the value of one property, or tells the fault. Never raises."""

TRUE_WORDS = frozenset({"1", "t", "true", "y", "yes"})
FALSE_WORDS = frozenset({"0", "f", "false", "n", "no"})

# https://learn.microsoft.com/en-us/sql/t-sql/data-types/datetime-transact-sql: the site's DateTime begins here
_FIRST_DAY = datetime.fromisoformat("1753-01-01")
# the same manual: int-bigint-smallint-and-tinyint, decimal-and-numeric, money-and-smallmoney (-transact-sql)
_INTEGER_LIMIT = 2**63
MOST_NAMED = 5
"""Codes of a list that a message names."""
_MOST_DIGITS = 38
_MONEY_DIGITS, _MONEY_SCALE = 19, 4


def converter(
    target: Property,
    *,
    date_format: str | None = None,
    number: str | None = None,
    words: Mapping[str, bool] | None = None,
) -> Converter:
    """The conversion of cells into values of `target`.

    `date_format` is in the words of strptime, `number` the way in which 1234.56 is written, `words` are more words for
    true and false, in lower case; they go before the usual ones. Raises `NotAFormat` and `NotASample` for one that
    cannot be used. Space around a cell counts only for String.
    """
    match target.type:
        case "Integer":
            return _remembered(_listed(target, _to_integer(target, number_reader(number or SAMPLES[0]), number)))
        case "Decimal" | "Monetary":
            return _remembered(_listed(target, _to_decimal(target, number_reader(number or SAMPLES[0]), number)))
        case "Boolean":
            return _to_boolean(target, words or {})
        case "Date":
            return _remembered(_to_date(target, date_reader(date_format), date_format))
        case "Binary":
            return _to_binary(target)
        case _:
            return _to_string(target)


def show(value: Value) -> str:
    """A value as plain text for reports: ISO dates, numbers with a point and no exponent, empty for None."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.date().isoformat() if value.time() == time.min else value.isoformat()
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _remembered(convert: Converter) -> Converter:
    """Numbers and dates are slow to read, and a column says the same few thousand again and again."""
    return lru_cache(maxsize=4096, typed=True)(convert)  # text and a number of the file may look the same


def _to_string(target: Property) -> Converter:
    limit, choices = target.max_length, frozenset(target.choices)

    def convert(text: str) -> Value | Fault:
        if choices:
            code = text.strip()
            return code if code in choices else _not_a_choice(target, text)
        if limit is not None and len(text) > limit:
            message = f"'{shortened(text)}' has {len(text):,} characters; {target.name} holds {limit:,}."
            return _fault(target, "too-long", message)
        return str(text)

    return convert


def _to_integer(target: Property, read: NumberReader, sample: str | None) -> Converter:
    def convert(text: str) -> Value | Fault:
        try:
            number = read(text)
        except Unclear as unclear:
            return _unclear(target, text, unclear)
        if number is None or number != number.to_integral_value():
            return _fault(target, "not-an-integer", f"'{shortened(text)}' is not a whole number{_written_as(sample)}.")
        if not -_INTEGER_LIMIT <= number < _INTEGER_LIMIT:
            return _fault(target, "out-of-range", f"'{shortened(text)}' is too large for a whole number of the site.")
        return int(number)

    return convert


def _to_decimal(target: Property, read: NumberReader, sample: str | None) -> Converter:
    digits, scale = _capacity(target)

    def convert(text: str) -> Value | Fault:
        try:
            number = read(text)
        except Unclear as unclear:
            return _unclear(target, text, unclear)
        if number is None:
            return _fault(target, "not-a-number", f"'{shortened(text)}' is not a number{_written_as(sample)}.")
        before, after = _digits(number)
        if scale is not None and after > scale:
            message = f"'{shortened(text)}' has {after} digits after the decimal point; {target.name} holds {scale}."
            return _fault(target, "too-precise", message)
        if before > digits - (scale or 0) or before + after > digits:
            return _fault(target, "out-of-range", f"'{shortened(text)}' has more digits than {target.name} holds.")
        return number

    return convert


def _to_boolean(target: Property, words: Mapping[str, bool]) -> Converter:
    meanings = {**dict.fromkeys(TRUE_WORDS, True), **dict.fromkeys(FALSE_WORDS, False), **words}
    true = ", ".join([*_meaning(words, True), "1, T, True, Y, Yes"])
    false = ", ".join([*_meaning(words, False), "0, F, False, N, No"])

    def convert(text: str) -> Value | Fault:
        found = meanings.get(text.strip().lower())
        if found is None:
            message = f"'{shortened(text)}' is neither true ({true}) nor false ({false})."
            return _fault(target, "not-a-boolean", message)
        return found

    return convert


def _meaning(words: Mapping[str, bool], meant: bool) -> list[str]:
    return [shortened(word) for word, meaning in words.items() if meaning is meant]


def _to_date(target: Property, read: DateReader, date_format: str | None) -> Converter:
    wanted = date_format or "2026-01-31 or 2026-01-31T08:30:00"

    def convert(text: str) -> Value | Fault:
        try:
            moment = read(text)
        except Unclear as unclear:
            return _unclear(target, text, unclear)
        if moment is None:
            message = f"'{shortened(text)}' is not a date written as {wanted}, or there is no such day."
            return _fault(target, "not-a-date", message)
        if moment < _FIRST_DAY:
            message = f"'{shortened(text)}' is before 1753, which the site cannot hold; the year needs four digits."
            return _fault(target, "out-of-range", message)
        return moment

    return convert


def _to_binary(target: Property) -> Converter:
    def convert(_text: str) -> Value | Fault:
        return _fault(target, "no-text", f"{target.name} holds binary data, which cannot be written from text.")

    return convert


def _listed(target: Property, convert: Converter) -> Converter:
    """Values that are not text are compared with the codes of a list as the site would show them."""
    if not target.choices:
        return convert
    choices = frozenset(target.choices)

    def listed(text: str) -> Value | Fault:
        value = convert(text)
        if isinstance(value, Fault) or show(value) in choices:
            return value
        return _not_a_choice(target, text)

    return listed


def _not_a_choice(target: Property, text: str) -> Fault:
    near = did_you_mean(text.strip(), target.choices)
    which = "They are" if len(target.choices) <= MOST_NAMED else "Some of them"
    listed = ", ".join(map(shortened, target.choices[:MOST_NAMED]))
    allowed = near[:1].upper() + near[1:] or f"{which}: {listed}."
    return _fault(target, "not-a-choice", f"'{shortened(text)}' is not among the codes of {target.name}. {allowed}")


def _fault(target: Property, code: Code, message: str) -> Fault:
    return Fault("map", target.name, code, message)


def _unclear(target: Property, text: str, unclear: Unclear) -> Fault:
    return _fault(
        target, "unclear", f"'{shortened(text)}' {unclear}; write it in another way, or as text in a workbook."
    )


def _written_as(sample: str | None) -> str:
    return f" written as {sample}" if sample else ""


def _capacity(target: Property) -> tuple[int, int | None]:
    """Digits in all, and after the decimal point."""
    if target.type == "Monetary":
        return target.precision or _MONEY_DIGITS, _MONEY_SCALE if target.scale is None else target.scale
    return target.precision or _MOST_DIGITS, target.scale


def _digits(number: Decimal) -> tuple[int, int]:
    """Digits before and after the decimal point, without zeros that say nothing."""
    whole, _, fraction = format(number, "f").lstrip("-").partition(".")
    return len(whole.lstrip("0")), len(fraction.rstrip("0"))
