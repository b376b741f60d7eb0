"""All that a step to a database may say."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from idms_cli.config.checked import Section
from idms_cli.config.fields import ListOf, PositiveDuration, RelativePath
from idms_cli.config.problems import BadValue
from idms_cli.config.secret_sources import SecretSource
from idms_cli.delivery.sql.address import DatabaseTo
from idms_cli.delivery.steps import StepOptions

OWN = frozenset({"postgresql", "sqlite"})
"""The kinds that everything is done for: upserts, tables made from rows."""

_NAME = r'[^\x00-\x1f\x7f".\[\]`]+'
_TABLE = re.compile(rf"(?:{_NAME}\.){{0,2}}{_NAME}")
_TYPE = re.compile(
    r"[A-Za-z][A-Za-z0-9_]*(?: [A-Za-z][A-Za-z0-9_]*)*"  # double precision, timestamp with time zone
    r"(?: ?\( ?[A-Za-z0-9]+(?: ?, ?[0-9]+)? ?\))?(?: with(?:out)? time zone)?(?:\[\])?"
)


def _table(text: str) -> str:
    if not _TABLE.fullmatch(text):
        raise BadValue("this cannot be the name of a table", hint="write members, or schema.members")
    return text


def _type(text: str) -> str:
    if not _TYPE.fullmatch(text):
        raise BadValue("this cannot be the type of a column", hint='write it as in SQL: "numeric(12,2)", "date"')
    return text


class DatabaseAuth(Section):
    """How to log in."""

    password: SecretSource


class DatabaseOptions(StepOptions):
    """A step that writes rows into a table."""

    to: DatabaseTo = Field(description="postgresql://user@host:5432/database, sqlite:///file.db...")
    auth: DatabaseAuth | None = Field(default=None, description="{password: ...}, from where it is kept.")
    table: Annotated[str, AfterValidator(_table)] = Field(description="members, or schema.members.")
    mode: Literal["append", "replace", "upsert"] = Field(
        description="Add the rows; put them in place of all that is there; or write each over the one of its key."
    )
    key: ListOf[str] | None = Field(default=None, min_length=1, description="upsert: the columns that find a row.")
    delete_vanished: str | None = Field(
        default=None, min_length=1, description="upsert: the column of a delta that says `vanished`; those are deleted."
    )
    create: bool = Field(default=False, description="Make the table from the rows where it is not there.")
    columns: dict[str, Annotated[str, AfterValidator(_type)]] | None = Field(
        default=None, min_length=1, description="create: the types of columns; else the rows tell."
    )
    empty: Literal["refuse", "allow"] = Field(
        default="refuse", description="replace: whether no rows at all may empty the table."
    )
    ledger: bool | None = Field(
        default=None, description="Note each delivery in idms_deliveries, so that none is done twice. append: true."
    )
    tls: Literal["verify", "encrypt", "off"] | None = Field(
        default=None, description="verify, unless the database is on this machine."
    )
    ca_file: RelativePath | None = Field(default=None, description="Certificates of a private authority, as PEM.")
    lock_timeout: PositiveDuration = Field(
        default=timedelta(minutes=1), description="How long to wait for what another session has locked."
    )
    statement_timeout: PositiveDuration = Field(
        default=timedelta(minutes=10), description="How long a statement may take, and the server be silent."
    )

    @property
    def keeps_ledger(self) -> bool:
        """A repeated upsert or replace does no harm; rows that are appended twice are there twice."""
        return self.mode == "append" if self.ledger is None else self.ledger

    @property
    def tls_mode(self) -> str:
        """`verify`, `encrypt`, `off`, or `prefer` where nothing leaves this machine."""
        return self.tls or ("prefer" if self.to.is_here and not self.ca_file else "verify")


class Misfit(NamedTuple):
    """Something that does not go with the rest."""

    key: tuple[str | int, ...]
    message: str
    hint: str


def misfits(options: DatabaseOptions) -> Iterator[Misfit]:
    """All that is wrong with a step's keys although each is right by itself."""
    scheme, kind, said = options.to.scheme, options.to.kind, options.model_fields_set
    if missing := options.to.missing():
        yield Misfit(("to",), f"{scheme} cannot be reached here: what speaks with it is missing", f"{missing}.")
    for key in ("auth", "tls", "ca_file", "lock_timeout", "statement_timeout"):
        if key in said and key not in kind.keys:
            hint = f"Keys for it: {', '.join(sorted(kind.keys))}."
            yield Misfit((key,), f"`{key}:` means nothing for {scheme}", hint)
    if options.mode == "upsert" and scheme not in OWN:
        yield Misfit(("mode",), f"there is no upsert for {scheme}", "Write `mode: append` or `mode: replace`.")
    yield from _mode_misfits(options)
    if options.columns and not options.create:
        yield Misfit(
            ("columns",), "`columns:` is for a table that idms makes", "Write `create: true`, or leave it out."
        )
    if options.ca_file and options.tls_mode in ("encrypt", "off"):
        yield Misfit(("ca_file",), f"nothing is verified with `tls: {options.tls_mode}`", "Write `tls: verify`.")


def _mode_misfits(options: DatabaseOptions) -> Iterator[Misfit]:
    if options.mode == "upsert" and not options.key:
        yield Misfit(("mode",), "upsert needs `key:`", "Name the columns that find a row: key: [ID].")
    if options.mode != "upsert" and options.key:
        yield Misfit(("key",), f"`key:` means nothing for {options.mode}", "It is for `mode: upsert`.")
    if options.mode != "upsert" and options.delete_vanished:
        hint = "It is for `mode: upsert`."
        yield Misfit(("delete_vanished",), f"`delete_vanished:` means nothing for {options.mode}", hint)
    if options.delete_vanished in (options.key or ()):
        hint = "Name the column of the delta: `change`, or that of its `mark:`."
        yield Misfit(("delete_vanished",), "a key cannot say that a row vanished", hint)
    if options.mode != "replace" and "empty" in options.model_fields_set:
        yield Misfit(("empty",), f"`empty:` means nothing for {options.mode}", "It is for `mode: replace`.")
