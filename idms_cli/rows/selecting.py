"""Which columns go out, in which order and under which names, and what is added to each row: the words of a job."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf
from idms_cli.config.problems import BadValue
from idms_cli.files.writers import Cell
from idms_cli.rows.misfits import Misfit


def _template(text: str) -> str:
    from idms_cli.records.language import NotATemplate  # noqa: PLC0415 - jinja2 only where it is used
    from idms_cli.records.templates import parse_template  # noqa: PLC0415 - as above

    try:
        parse_template(text)
    except NotATemplate as error:
        raise BadValue(str(error), hint=error.hint) from None
    return text


class AddOptions(Section):
    """A column that the source does not have: the same for all rows, or made of each."""

    template: Annotated[str, AfterValidator(_template)] | None = Field(
        default=None, description="Text with columns in it: '{{ FirstName }} {{ LastName }}'."
    )
    value: StrictStr | StrictInt | StrictFloat | StrictBool | None = Field(
        default=None, description="The same for every row."
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if ("value" in self.model_fields_set) + (self.template is not None) != 1:
            hint = "write {template: TEXT} or {value: CONSTANT}"
            raise BadValue("exactly one of template and value is wanted here", hint=hint)
        return self

    @property
    def constant(self) -> Cell:
        """The value as a cell."""
        return Decimal(repr(self.value)) if isinstance(self.value, float) else self.value


class SelectOptions(Section):
    """The part of a transfer's `with:` that says what goes out."""

    select: ListOf[str] | None = Field(
        default=None, min_length=1, description="The columns that go out, in this order; all if unset."
    )
    rename: dict[str, str] = Field(default_factory=dict, description="New names: {old: new}.")
    drop: ListOf[str] = Field(default=(), description="Columns that do not go out.")
    add: dict[str, AddOptions] = Field(
        default_factory=dict,
        description="More columns; one with the name of a column of the source takes its place.",
    )
    bad_rows: Literal["fail", "skip"] = Field(
        default="fail", description="What becomes of a transfer in which a row cannot be read or made."
    )

    @property
    def asks_for_nothing(self) -> bool:
        """Whether rows go out as they come."""
        return self.select is None and not (self.rename or self.drop or self.add)


def misfits(options: SelectOptions) -> Iterator[Misfit]:
    """All that is wrong with it, whatever columns there are."""
    if options.select and options.drop:
        message = "what goes out is said twice: select: leaves everything else out already"
        yield Misfit(("drop",), message, "Write one of them.", on_key=True)
    for key in ("select", "drop"):
        names: Sequence[str] = getattr(options, key) or ()
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Misfit((key, index), f"the column '{name}' is there twice")
    for name in options.add:
        if not name.strip():
            yield Misfit(("add", name), "a column needs a name", on_key=True)
    taken = set(options.add) - set(options.rename)
    for old, new in options.rename.items():
        if not new.strip():
            yield Misfit(("rename", old), "a column needs a name")
        elif new in taken:
            yield Misfit(("rename", old), f"there would be two columns named '{new}'", "Name one of them otherwise.")
        taken.add(new)
