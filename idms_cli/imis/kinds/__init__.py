"""Kinds of record that an import or update can write. To add one: one new file here and one line in `KINDS`."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast, runtime_checkable

from idms_cli.imis.properties import Property, Value

if TYPE_CHECKING:
    from idms_cli.imis.site import Site

Key = tuple[str, ...]
"""A record's identity on the site, in the order of its key properties; all strings, as the site gives them."""


def key_in_words(key: Key) -> str:
    """`101|2` as people read it, with `?` for a part that the site did not tell when it made the record."""
    return "|".join(part or "?" for part in key)


def key_of_words(words: str) -> Key:
    """The key that `key_in_words` was given."""
    return tuple("" if part == "?" else part for part in words.split("|"))


class Entry(NamedTuple):
    """Where a kind lives, imported on first use; and what can be said of it without the site."""

    module: str
    summary: str
    needs_name: bool = False
    """Written `{panel: ABC_Scores}` rather than `contact`."""
    entity: str = ""
    """The site's entity that is written, for locks: addresses are parts of `Party`. Empty: the name given."""
    owner: tuple[str, ...] = ()
    """The properties that hold the contact's ID, where one contact may have many records."""
    contact: tuple[str, ...] = ("ID",)
    """Properties that may hold the ID of the contact to whom a new record is added; the first that the site has."""
    site_knows: bool = False
    """Whether a contact has one or many is known from the metadata only: ask `names_one` when it is at hand."""
    delete_by: tuple[tuple[str, ...], ...] = ()
    """A delete must match on all of one of these; empty: on anything."""
    put_back_with: tuple[str, ...] = ()
    """A deleted record can be made again only where these are known of it, beside its key."""
    looked_for_by: tuple[str, ...] = ()
    """The key by which an insert looks whether there is such a record, where the job does not say what to match on."""
    refuses: Mapping[str, str] = MappingProxyType({})
    """Action -> why this kind cannot do it, and what to do instead; an insert is also part of others."""

    def why_not(self, action: str) -> str:
        """Why a job's `action` cannot be done with this kind, empty when it can."""
        parts = {"insert-matching": ("insert-matching", "insert"), "upsert": ("insert", "update")}.get(
            action, (action,)
        )
        return next((self.refuses[part] for part in parts if part in self.refuses), "")

    def too_wide(self, action: str, match: Collection[str]) -> str:
        """Why `match` reaches more records than an update or delete should, unless the job says `all`; or empty."""
        if action not in {"update", "upsert", "delete"} or not match:
            return ""
        words = {word.strip().casefold() for word in match}
        if not self.site_knows and words <= {name.casefold() for name in self.owner}:
            if len(words) > 1:
                return "the contacts' IDs alone match every such record of the two"
            return "the contact's ID alone matches every such record of the contact"
        ways = [{name.casefold() for name in way} for way in self.delete_by]
        if action == "delete" and ways and not any(way <= words for way in ways):
            return f"a delete needs {' or '.join(' + '.join(way) for way in self.delete_by)}"
        return ""


_RELATIONSHIP_KEYS = (("SEQN",), ("ID", "RELATION_TYPE", "TARGET_ID"))

KINDS: dict[str, Entry] = {
    "contact": Entry(
        "idms_cli.imis.kinds.contact",
        "persons and organizations, through Party",
        entity="Party",
        contact=(),
        refuses={
            "insert-matching": "that adds data to contacts that are there. For contacts themselves there are insert, "
            "with match: to leave those alone that are there, and upsert",
            "delete": "contacts are never deleted. Set the erasure mark with an update (the mark itself, or Status D), "
            "and let the Contact erasure task of iMIS do it",
        },
    ),
    "panel": Entry(
        "idms_cli.imis.kinds.panel",
        "rows of any business object",
        needs_name=True,
        owner=("ID", "PartyId", "ContactKey"),
        contact=("PartyId", "ID", "ContactId"),
        site_knows=True,
    ),
    "activity": Entry(
        "idms_cli.imis.kinds.activity",
        "activities of a contact",
        entity="Activity",
        owner=("PartyId", "ID"),
        contact=("PartyId",),
    ),
    "address": Entry(
        "idms_cli.imis.kinds.address",
        "addresses of a contact, by purpose",
        entity="Party",
        owner=("ID",),
        refuses={"delete": "addresses are not deleted. Clear their lines with an update"},
    ),
    "group_member": Entry(
        "idms_cli.imis.kinds.group_member",
        "members of groups and committees, and their roles",
        entity="GroupMember",
        owner=("ID",),
        delete_by=(("GroupId", "ID"), ("GroupName", "ID")),
        put_back_with=("Role",),
    ),
    "relationship": Entry(
        "idms_cli.imis.kinds.relationship",
        "relationships between two contacts",
        entity="Relationship",
        owner=("ID", "TARGET_ID"),
        delete_by=_RELATIONSHIP_KEYS,
    ),
    "communication_preference": Entry(
        "idms_cli.imis.kinds.communication_preference",
        "a contact's opt-in to one type of communication",
        entity="Party",
        owner=("ID",),
        refuses={"delete": "a preference is not deleted. Set OptInFlag to no"},
    ),
    "event_registration": Entry(
        "idms_cli.imis.kinds.event_registration",
        "registrations of contacts for events",
        entity="EventRegistration",
        looked_for_by=("EventId", "ID", "FunctionId"),
        refuses={
            "update": "registrations can only be inserted. Change one in iMIS",
            "delete": "registrations can only be inserted. Cancel one in iMIS",
        },
    ),
    "user_login": Entry(
        "idms_cli.imis.kinds.user_login",
        "logins of contacts",
        entity="User",
        looked_for_by=("ID",),
        refuses={
            "update": "a login can only be created: no public source says how one is locked or unlocked over REST",
            "delete": "a login can only be created. Remove one in iMIS",
        },
    ),
    "lookup_value": Entry(
        "idms_cli.imis.kinds.lookup_value",
        "values of the general lookup tables",
        entity="GenTable",
        contact=(),
        refuses={"insert-matching": "a lookup value belongs to no contact"},
    ),
}


def names_one(properties: Mapping[str, Property], match: Collection[str]) -> bool:
    """Whether `match` covers the whole key, as the metadata tells it, so that it finds one record at most."""
    words = {word.strip().casefold() for word in match}
    keys = [name.casefold() for name, one in properties.items() if one.key]
    return bool(keys) and words.issuperset(keys)


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

    def find(self, match: Mapping[str, Value], *, every: bool = False) -> list[Record]:
        """The records whose properties equal all of `match` (checked again here: the site may ignore a filter).

        Without `every` it may be content with some, at least two, where they are very many.
        """

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

    def delete(self, record: Record) -> None:
        """Remove the record; one that is gone already is fine. A lost answer is settled here: by looking.

        Raises `RecordRefused` when the site says no, and with the code `not-allowed` where the kind never deletes.
        """


@runtime_checkable
class Whole(Protocol):
    """A kind whose records may also be read in whole pages, where that is fewer calls."""

    is_read_whole_unasked: bool
    """False for contacts, which only a job that says so reads whole: the site's owner asks integrations not to scan its
    directory (https://developer.imis.com/docs/usage-guidelines-best-practices)."""

    def all(self, names: Collection[str]) -> Iterator[tuple[Key, Mapping[str, Value]]]:
        """Every record, each once, page by page: its key, and what `Record.values` says of these properties.

        Names are in the site's spelling. Other properties may be given as well.
        """

    def size(self) -> int:
        """How many records there are: one call."""

    def is_loose(self, name: str) -> bool:
        """Whether `find` compares this property without regard to case."""


@runtime_checkable
class Choosy(Protocol):
    """A kind of which some records cannot be written, as is seen without sending anything."""

    def refuse_write(self, record: Record | None, changes: Mapping[str, Value]) -> None:
        """Raises `RecordRefused` where `record` cannot be given these values; without any: where it cannot be deleted.

        Makes no call. None is a new record; one out of whole pages has no body, and is let pass.
        """


def open_kind(site: "Site", kind: str, name: str | None) -> Kind:
    """The kind of record that a job's `destination:` names. Raises KeyError for one that is not in `KINDS`."""
    return cast("Kind", import_module(KINDS[kind].module).open_kind(site, name))
