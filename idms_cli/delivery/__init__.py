"""Where a transfer can go. To add a destination: one new file here and one line in `DESTINATIONS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, cast, runtime_checkable

from idms_cli.config.secret_sources import SecretSource, resolve
from idms_cli.config.settings import Settings
from idms_cli.delivery.steps import StepOptions
from idms_cli.files.writers import Rows


class Entry(NamedTuple):
    """Where a destination lives, imported on first use."""

    module: str
    summary: str
    schemes: tuple[str, ...]
    """Of the addresses in `to:` that mean it; or the one key of a mapping there, as in `to: {mail: [...]}`."""
    takes: str
    """`files`: it is given parcels, with the keys of `FileStepOptions`; `rows`: it does with the rows what it wants."""
    extra: str = ""
    """What has to be installed beside idms, if anything: `idms-cli[EXTRA]`..."""
    library: str = ""
    """...and the package by which one sees whether it is."""


DESTINATIONS: dict[str, Entry] = {
    "https": Entry("idms_cli.delivery.https", "requests to a web server", ("https", "http"), "files"),
    "mail": Entry("idms_cli.delivery.mail", "a mail with the files attached", ("mail",), "files"),
    "folder": Entry("idms_cli.delivery.local", "a folder of this machine", ("file",), "files"),
    "ftps": Entry("idms_cli.delivery.ftps", "a folder on an FTP server, over TLS", ("ftps", "ftp"), "files"),
    "s3": Entry("idms_cli.delivery.s3", "a bucket", ("s3",), "files", extra="s3", library="obstore"),
    "sftp": Entry(
        "idms_cli.delivery.sftp", "a folder on an SSH server", ("sftp",), "files", extra="sftp", library="asyncssh"
    ),
    "database": Entry(
        "idms_cli.delivery.database",
        "rows into a table of an SQL database",
        ("postgresql", "sqlite", "mysql", "mariadb", "mssql", "oracle"),
        "rows",  # what has to be installed depends on the kind of database, and is told by the step itself
    ),
}


@dataclass(frozen=True)
class Parcel:
    """A file that is complete, in the run's directory."""

    path: Path
    name: str
    """Under which it is to be there: one name, without a folder, blank or `..`."""
    rows: int
    media_type: str = "application/octet-stream"


class Cargo(Protocol):
    """What one step delivers. The same, byte by byte, each time it is asked for, also after a crash."""

    @property
    def rows(self) -> Rows: ...

    def parcels(self) -> Sequence[Parcel]:
        """The files of a step that takes files, made when first asked for; more than one only with `batch:`."""

    def document(self, rows: Rows) -> bytes:
        """Some rows in the step's format, in memory: for destinations that send many small bodies."""


@dataclass(frozen=True)
class Receipt:
    """What was certainly delivered."""

    address: str
    """Where it is now, as people know it, without anything secret."""
    items: int = 0
    """Files, requests, rows of a table, or mails."""
    size: int = 0
    """In bytes; 0 where nobody knows."""
    refused: int = 0
    """Rows that the destination did not take, each told in the step's own directory."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """More figures, by name."""
    refused_rows: Sequence[int] = ()
    """The places of the refused ones among the rows, from 1: they are not remembered as delivered. Where they are not
    told, no row of the run is."""


@dataclass(frozen=True)
class Delivery:
    """What a destination is given for one delivery, or for going on with it."""

    run_id: int
    folder: Path
    """The step's own directory, in the run's. What is in it from an earlier attempt is there to go on with."""
    directory: Path
    """Where relative paths start."""
    values: Mapping[str, Any]
    """What templates see: `slot`, `run`, `now`, `today`, `job`. The same at each attempt."""
    log: Callable[[str], None]
    progress: Callable[[Mapping[str, int]], None]
    """Tell the counts so far; may be called for every item."""
    stopping: Callable[[], bool]
    """Whether to end cleanly: raise `Interrupted` at the next point at which nothing is half done."""

    def secret(self, source: SecretSource) -> str:
        """Raises `InputError` when it cannot be had."""
        return resolve(source, self.directory).reveal()


class Destination(Protocol):
    """One step's checked destination.

    A destination has the whole of a file or nothing under its final name. Done again after a crash at any moment, a
    delivery does no harm: it finds what was done, or does the same once more where that cannot be told from once; where
    neither is possible it raises `OutcomeUnknown`.
    """

    def describe(self) -> str:
        """Where it goes, in a few words: `sftp://feeds@partner.example.net/in/`."""

    def resource(self) -> str:
        """What of the world it changes, for the locks: as in `file:/srv/out/`."""

    def deliver(self, cargo: Cargo, delivery: Delivery) -> Receipt:
        """Deliver, durably as far as the other side promises it.

        Raises `Unreachable` for what can pass, `LoginRefused` for what must not be tried again, `DeliveryRefused` for
        what the other side will not take, `InputError` for a mistake of the job, `Interrupted`, and `OutcomeUnknown`.
        """

    def rehearse(self, cargo: Cargo, delivery: Delivery) -> str:
        """What `deliver` would do, in a sentence, without a change anywhere: for a dry run. Asks no server."""


class Offer(Protocol):
    """What a file in this folder offers."""

    Options: ClassVar[type[StepOptions]]
    """All that a step to this destination may say."""

    def open_destination(self, options: Any, directory: Path) -> Destination:
        """`directory` is where relative paths start. Raises `BadStep` for keys that do not go together."""


@runtime_checkable
class Completing(Protocol):
    """An offer whose steps may leave to idms.yaml what holds for all of them, such as the mail server."""

    def complete(self, options: Any, settings: Settings) -> Any:
        """The step's options, and what idms.yaml says of those that it leaves out."""


class BadStep(ValueError):
    """A step's keys are each right by themselves, but not together."""

    def __init__(self, key: tuple[str | int, ...], message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.hint = hint


def destination_of(to: object) -> str | None:
    """The name of the destination that the value of `to:` means; None for none."""
    if isinstance(to, Mapping) and len(to) == 1:
        word = str(next(iter(to)))
    elif isinstance(to, str):
        word = to.partition("://")[0].partition("+")[0].casefold() if "://" in to else "file"
    else:
        return None
    return next((name for name, entry in DESTINATIONS.items() if word in entry.schemes), None)


def load_destination(name: str) -> Offer:
    """Raises KeyError for a name that is not in `DESTINATIONS`."""
    return cast("Offer", import_module(DESTINATIONS[name].module))


def open_step(name: str, options: Any, settings: Settings) -> Destination:
    """The destination of a step whose keys were checked. Raises `BadStep`, and KeyError as `load_destination`."""
    offer = load_destination(name)
    if isinstance(offer, Completing):
        options = offer.complete(options, settings)
    return offer.open_destination(options, settings.directory)


def to_install(name: str) -> str:
    """What to do before anything can be delivered there; empty when nothing is missing."""
    entry = DESTINATIONS[name]
    if not entry.library or find_spec(entry.library) is not None:
        return ""
    return f"Install what it needs: pip install 'idms-cli[{entry.extra}]'"
