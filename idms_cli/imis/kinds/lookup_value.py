"""Values of the general lookup tables."""

from collections.abc import Mapping

from idms_cli.errors import InputError, OutcomeUnknown, RecordRefused
from idms_cli.imis.assumptions import TABLE_NAMES
from idms_cli.imis.entities import address, addressable, agree, filtered, hits, read_one, remove, replace_whole
from idms_cli.imis.kinds import Key, Kind, Record
from idms_cli.imis.party import text_member
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.sharedbodies import Body
from idms_cli.imis.site import Site
from idms_cli.imis.spelling import needed, spelled, text_of
from idms_cli.imis.values import typed

ENTITY = "GenTable"
CONTRACT = "Asi.Soa.Core.DataContracts.GenTableData, Asi.Contracts"
MEMBERS = {"Description": "Description", "Expansion": "Substitute"}
"""Our name -> member."""
PROPERTIES = (
    Property("TableName", key=True),
    Property("Code", key=True, max_length=60),
    Property("Description"),
    Property("Expansion"),
)


def open_kind(site: Site, name: str | None) -> Kind:
    """All lookup tables of the site; the table is a property, so `name` must be None."""
    if name is not None:
        hint = "Write `destination: lookup_value`, and map TableName."
        raise InputError(f"Lookup values have no name, but {name!r} is given.", hint=hint)
    return LookupValues(site)


class LookupValues:
    """Values by table and code."""

    entity = ENTITY

    def __init__(self, site: Site) -> None:
        self._site = site

    def properties(self) -> Mapping[str, Property]:
        """As `Kind.properties`; without asking the site."""
        return {one.name: one for one in PROPERTIES}

    def find(self, match: Mapping[str, Value], *, every: bool = False) -> list[Record]:
        """As `Kind.find`. The table must be among what is matched."""
        wanted = self._spelled(match)
        table, code = text_of(wanted.get("TableName")), text_of(wanted.get("Code"))
        if not table:
            raise InputError(
                "iMIS finds lookup values by their table only.", hint="Match on TableName, and on Code beside it."
            )
        if addressable((table, code)):
            record = self.read((table, code))
            return [record] if record and agree(wanted, record.values, loose=_is_loose) else []

        def meets(row: Body) -> Record | None:
            record = _record(row, table)
            return record if agree(wanted, record.values, loose=_is_loose) else None

        rows = filtered(self._site, ENTITY, {"TableName": table}, every=every)
        return hits(rows, meets, what=f"Searching the table {table}")

    def read(self, key: Key) -> Record | None:
        """As `Kind.read`."""
        if len(key) != 2 or not addressable(key):
            return None
        body = read_one(self._site, ENTITY, key)
        return _record(body, key[0]) if body is not None else None

    def insert(self, values: Mapping[str, Value]) -> Key:
        """As `Kind.insert`."""
        wanted = self._spelled(values)
        table, code = needed(wanted, "TableName", "Code")
        body: Body = {"$type": CONTRACT, TABLE_NAMES[0]: table, "Code": code, "Upper_Code": code.upper()}
        body |= {member: text_member(wanted[name]) for name, member in MEMBERS.items() if wanted.get(name) is not None}
        reply = self._site.post(f"/api/{ENTITY}", body)
        if not isinstance(reply, dict):
            raise OutcomeUnknown(f"POST /api/{ENTITY}: stored, it seems, but the answer does not say as what.")
        return (table, code)

    def update(self, record: Record, changes: Mapping[str, Value]) -> None:
        """As `Kind.update`."""
        wanted = self._spelled(changes)
        if not MEMBERS.keys() >= wanted.keys():
            raise RecordRefused(["The table and the code of a lookup value cannot be changed"], code="key")
        changed = {MEMBERS[name]: text_member(value) for name, value in wanted.items()}
        body = {"$type": CONTRACT, **record.body, **changed}

        def stored() -> bool | None:
            found = self.read(record.key)
            return None if found is None else agree(wanted, found.values, loose=_is_loose)

        replace_whole(self._site, address(ENTITY, record.key), body, stored=stored)

    def delete(self, record: Record) -> None:
        """As `Kind.delete`."""
        remove(self._site, address(ENTITY, record.key), there=lambda: self.read(record.key) is not None)

    def _spelled(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return spelled(values, self.properties(), what="A lookup value")


def _record(body: Body, asked_table: str) -> Record:
    """The table may stand under either name, or not at all in a reply that was asked for by table."""
    table = next((str(body[name]) for name in TABLE_NAMES if body.get(name)), asked_table)
    code = str(body.get("Code") or "")
    values: dict[str, Value] = {"TableName": table, "Code": code}
    values |= {name: typed(body.get(member), "String") for name, member in MEMBERS.items()}
    return Record((table, code), values, body)


def _is_loose(name: str) -> bool:
    return name in {"TableName", "Code"}
