"""The `map:` of a job as it is written: one rule for each property, and what can be wrong with one.

A rule makes a value in this order, whatever the order in which it is written:

1. `only_if` false: the property is left alone.
2. `column`, `value` or `template` gives a text. A `value` is final; of the rest only `append` means something to it.
3. `strip` takes the space around it away; `split` cuts it into several texts, and 4 and 5 are done to each.
4. `case`.
5. `lookup`; what is not in it becomes `default`, else the row is rejected.
6. Nothing left: `default`, else what `blank` says.
7. `join`, then `date`, `number` or `boolean` and the property's own type and list of codes make the value.
8. `append`: the value is added to those that the record has.

`current` makes no value: it is the column that has what the record has now, where the source knows that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.errors import InputError
from idms_cli.records.dates import NotAFormat, date_reader
from idms_cli.records.numbers import SAMPLES, NotASample, number_reader
from idms_cli.records.texts import CASES, Case

Constant = StrictStr | StrictInt | StrictFloat | StrictBool | None

_OF_TEXT = ("strip", "split", "case", "lookup", "default", "blank")
_FILE_KEYS = frozenset({"file", "key", "value"})
_FILE_HINT = "write lookup: {file: grades.csv, key: code, value: name}"


class LookupFile(NamedTuple):
    """A lookup table in a file: two of its columns."""

    file: str
    """Relative to the directory of idms.yaml."""
    key: str
    value: str


def _template(text: str) -> str:
    from idms_cli.records.templates import parse_template  # noqa: PLC0415 - jinja2 only where it is used

    return _parsed(text, parse_template)


def _condition(text: str) -> str:
    from idms_cli.records.templates import parse_condition  # noqa: PLC0415 - as above

    return _parsed(text, parse_condition)


def _parsed(text: str, parse: Callable[[str], object]) -> str:
    from idms_cli.records.language import NotATemplate  # noqa: PLC0415 - as above

    try:
        parse(text)
    except NotATemplate as error:
        raise BadValue(str(error), hint=error.hint) from None
    return text


def _mark(text: str) -> str:
    if not text or len(text) > 10:
        raise BadValue("a mark of 1 to 10 characters is wanted here", hint='such as ";" or ", "')
    return text


def _date_format(text: str) -> str:
    try:
        date_reader(text)
    except NotAFormat as error:
        message = f"the format '{shortened(text)}' cannot be used: {error}"
        raise BadValue(message, hint="write it in the words of strptime, for example %d/%m/%Y") from None
    return text


def _sample(text: str) -> str:
    try:
        number_reader(text)
    except NotASample:
        message = f"'{shortened(text)}' is not the number 1234.56 in some way of writing"
        raise BadValue(message, hint=f"write one of these: {'   '.join(SAMPLES)}") from None
    return text


def _table(table: dict[str, Constant]) -> dict[str, Constant]:
    if _is_file(table):
        if set(table) != _FILE_KEYS or not all(isinstance(table[key], str) and table[key] for key in _FILE_KEYS):
            raise BadValue("a lookup in a file needs file, key and value", hint=_FILE_HINT)
    elif not table:
        raise BadValue("the lookup is empty", hint=f"write lookup: {{A: Distinction, B: Merit}}, or {_FILE_HINT}")
    elif not all(key.strip() for key in table):
        raise BadValue("a lookup has no blank key", hint="default: says what a blank cell becomes")
    return table


def _is_file(table: dict[str, Constant]) -> bool:
    return "file" in table and _FILE_KEYS.issuperset(table)


def _two_things(table: dict[str, Constant], case: Case | None) -> str | None:
    """A key that has two values once it is in the case of the rule and without the space around it."""
    found: dict[str, Constant] = {}
    for written, value in table.items():
        key = written.strip() if case is None else CASES[case](written.strip())
        if str(found.setdefault(key, value)) != str(value):
            return key
    return None


class BooleanWords(Section):
    """Words for true and false, beside those that are always known."""

    true: list[str] = Field(default_factory=list, description='Words for true: [Ja, "+"].')
    false: list[str] = Field(default_factory=list, description='Words for false: [Nein, "-"].')

    @model_validator(mode="after")
    def _differ(self) -> Self:
        words = [word.strip().casefold() for word in (*self.true, *self.false)]
        if not words or not all(words):
            raise BadValue("words are wanted here", hint='write boolean: {"true": [Ja], "false": [Nein]}')
        both = {word.strip().casefold() for word in self.true} & {word.strip().casefold() for word in self.false}
        if both:
            raise BadValue(f"'{min(both)}' cannot mean both true and false", hint="take it out of one of them")
        return self

    def meanings(self) -> dict[str, bool]:
        """Each word in lower case, and what it means."""
        folded = {word.strip().lower(): True for word in self.true}
        return folded | {word.strip().lower(): False for word in self.false}


class Rule(Section):
    """The right side of a line in `map:` when it is more than a column's name."""

    column: str | None = Field(default=None, description="The column that the value comes from.")
    value: Constant = Field(default=None, description="The same value for every row; empty clears the property.")
    template: Annotated[str, AfterValidator(_template)] | None = Field(
        default=None, description='Text with columns in it, in the language of Jinja2: "{{ course }} ({{ hours }} h)".'
    )
    only_if: Annotated[str, AfterValidator(_condition)] | None = Field(
        default=None, description="A condition on the row; where it is false the property is left alone."
    )
    strip: bool = Field(default=True, description="Take the space around a cell away.")
    split: Annotated[str, AfterValidator(_mark)] | None = Field(
        default=None, description="What stands between the values where a cell has several."
    )
    case: Case | None = Field(default=None, description="upper, lower or title.")
    lookup: Annotated[dict[str, Constant], AfterValidator(_table)] | None = Field(
        default=None,
        description="What each text stands for: {A: Distinction}, or {file: CSV, key: COLUMN, value: COLUMN}.",
    )
    default: Constant = Field(default=None, description="For a blank cell, and for what the lookup does not have.")
    blank: Literal["keep", "clear"] = Field(
        default="keep", description="What a blank cell does: leave the property as it is, or clear it."
    )
    date: Annotated[str, AfterValidator(_date_format)] | None = Field(
        default=None, description='How dates are written, as in strptime: "%d/%m/%Y".'
    )
    number: Annotated[str, AfterValidator(_sample)] | None = Field(
        default=None, description='How the number 1234.56 is written: "1.234,56".'
    )
    boolean: BooleanWords | None = Field(default=None, description="More words for true and false.")
    join: Annotated[str, AfterValidator(_mark)] = Field(
        default=",", description="What stands between several values on the site."
    )
    append: bool = Field(default=False, description="Add to the values that the record has (multi-select).")
    current: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="module: update: the column that has what is stored now; what changes nothing is not looked up.",
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        from idms_cli.records.templates import parse_condition, parse_template  # noqa: PLC0415 - as above

        found = [] if self.column is None else [self.column]
        if self.template is not None:
            found += parse_template(self.template).columns
        if self.only_if is not None:
            found += parse_condition(self.only_if).columns
        if self.current is not None:
            found.append(self.current)
        return tuple(found)

    @property
    def lookup_file(self) -> LookupFile | None:
        """The file of the lookup; None when it is written out, or there is none."""
        if self.lookup is None or not _is_file(self.lookup):
            return None
        return LookupFile(**{key: str(text) for key, text in self.lookup.items()})

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        written = self.model_fields_set
        sources = ("value" in written) + (self.column is not None) + (self.template is not None)
        if sources != 1:
            raise BadValue(
                "exactly one of column, value and template is wanted here",
                hint="write {column: NAME}, {value: CONSTANT} or {template: TEXT}",
            )
        if "value" in written and not written.isdisjoint(_OF_TEXT):
            idle = ", ".join(word for word in _OF_TEXT if word in written)
            raise BadValue("a constant is never blank, and is written as it is to be", hint=f"leave out {idle}")
        return self

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        written = self.model_fields_set
        if "default" in written and (self.default is None or not str(self.default).strip()):
            raise BadValue("an empty default says nothing", hint="write blank: clear to clear the property")
        if "default" in written and "blank" in written and self.lookup is None:
            raise BadValue("default says what a blank cell does, and so does blank", hint="leave one of them out")
        if "join" in written and self.split is None and not self.append:
            raise BadValue("join is for several values", hint='add split: ";" or append: true, or leave it out')
        if self.lookup is not None and self.lookup_file is None and (key := _two_things(self.lookup, self.case)):
            message = f"'{shortened(key)}' stands for two things in the lookup, since case is {self.case or 'kept'}"
            raise BadValue(message, hint="leave one of its keys out")
        if self.append and self.blank == "clear":
            raise BadValue("a blank cell adds nothing, so it cannot clear", hint="leave out blank, or append")
        return self


MapOptions = dict[str, str | Rule]
"""What stands under `map:`: property -> column name, or a `Rule`."""


@dataclass(frozen=True)
class MapFault:
    """One thing that is wrong with one line of `map:`, given the file and the site."""

    word: str
    """The property as the job spells it: the key in `map:` that the fault belongs to."""
    code: str
    """`unknown-property`, `read-only`, `mapped-twice`, `unknown-column`, `ambiguous-column`, or the modifier that does
    not fit: `date`, `number`, `boolean`, `case`, `split`, `append`, `lookup`, `default`, `value`."""
    message: str
    hint: str = ""


class MapRefused(InputError):
    """A `map:` that does not fit the file or the site. `faults` has all of it."""

    def __init__(self, faults: Sequence[MapFault]) -> None:
        hints = dict.fromkeys(fault.hint for fault in faults if fault.hint)
        super().__init__("; ".join(f"map, {fault.word}: {fault.message}" for fault in faults), hint="; ".join(hints))
        self.faults = tuple(faults)
