"""Kinds of record that an import or update can write. To add one: one new file here and one line in `KINDS`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from idms_cli.imis.properties import Property, Value

if TYPE_CHECKING:
    from idms_cli.imis.site import Site

Key = tuple[str, ...]
"""A record's identity on the site, in the order of its key properties; all strings, as the site gives them."""


class Entry(NamedTuple):
    """Where a kind lives; imported on first use."""

    module: str
    summary: str
    needs_name: bool = False
    """Written `{panel: ABC_Scores}` rather than `contact`."""


KINDS: dict[str, Entry] = {
    "contact": Entry("idms_cli.imis.kinds.contact", "persons and organizations, through Party"),
    "panel": Entry("idms_cli.imis.kinds.panel", "rows of any business object", needs_name=True),
    "activity": Entry("idms_cli.imis.kinds.activity", "activities of a contact"),
}


@dataclass(frozen=True)
class Record:
    """One record as read from the site."""

    key: Key
    values: Mapping[str, Value]
    """Flat, under the site's own property names; a property the record lacks is absent or None."""
    body: Any = field(repr=False, compare=False)
    """The object as the site sent it (JSON), for writing it back whole and for the before-image."""


class Kind(Protocol):
    """One kind of record on one site. Each module in `KINDS` has `open_kind(site, name) -> Kind`.

    Property names are taken without regard to case and given back in the site's spelling. All methods may be called
    from several threads. Besides the errors named, any may raise `LoginRefused`, `Unreachable` and `SiteError`.
    """

    entity: str
    """The site's name of the entity: `Party`, `Activity`, `ABC_Scores`."""

    def properties(self) -> Mapping[str, Property]:
        """All that may be mapped or matched on, by the site's spelling. One metadata call per run at most."""

    def find(self, match: Mapping[str, Value]) -> list[Record]:
        """The records whose properties equal all of `match` (checked again here: the site may ignore a filter)."""

    def read(self, key: Key) -> Record | None:
        """One record by its key, None when it is not there."""

    def insert(self, values: Mapping[str, Value]) -> Key:
        """Create a record, once: never repeated here.

        Raises `RecordRefused` when the site says no, `OutcomeUnknown` when it may or may not have been stored.
        """

    def update(self, record: Record, changes: Mapping[str, Value]) -> None:
        """Write `record.body` back whole with `changes` made (None clears a property).

        May be repeated, so a lost answer is settled here: by looking. Raises `RecordRefused` when the site says no or
        the record is no longer there.
        """


def open_kind(site: "Site", kind: str, name: str | None) -> Kind:
    """The kind of record that a job's `destination:` names. Raises KeyError for one that is not in `KINDS`."""
    return cast("Kind", import_module(KINDS[kind].module).open_kind(site, name))
