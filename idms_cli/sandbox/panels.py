"""Generic entities: rows of panels and business objects, as `GenericEntityData`."""

from idms_cli.sandbox.bodies import listed, member, pairs, required_body
from idms_cli.sandbox.definitions import CodesOf, Entity
from idms_cli.sandbox.exchange import (
    SOA,
    Json,
    Reply,
    Request,
    bad_data,
    http_error,
    invalid,
    not_found,
    validation_results,
)
from idms_cli.sandbox.filters import conditions
from idms_cli.sandbox.paging import paged
from idms_cli.sandbox.site import Sandbox
from idms_cli.sandbox.tables import Key, Table
from idms_cli.sandbox.values import BadValueError, Row, typed, wrapped

GENERIC = f"{SOA}.GenericEntityData, Asi.Contracts"
IDENTITY = f"{SOA}.IdentityData, Asi.Contracts"
PROPERTY = f"{SOA}.GenericPropertyData, Asi.Contracts"
PROPERTIES = f"{SOA}.GenericPropertyDataCollection, Asi.Contracts"
STRINGS = "System.Collections.ObjectModel.Collection`1[[System.String, mscorlib]], mscorlib"


def list_rows(site: Sandbox, request: Request, table: Table) -> Reply:
    """One page of the rows that meet the filters."""
    wanted = conditions(table.entity, request.query)
    window, rows = site.faults.page(request, table.find(wanted))
    return paged(window, [as_json(table.entity, row) for row in rows], item_type=GENERIC)


def read_row(_site: Sandbox, request: Request, table: Table) -> Reply:
    """One row by its key."""
    return Reply(200, as_json(table.entity, _existing(request, table)))


def create_row(site: Sandbox, request: Request, table: Table) -> Reply:
    """Store a new row and answer with it; the Ordinal in the answer is 0, whatever was stored.

    That trap is the real site's: https://developer.imis.com/discuss/5ed7eb67c4742d002189baaa
    """
    row = _new_row(request, table)
    messages = _objections(site, table, row) or _clash(table, row)
    if messages:
        raise invalid(messages)
    table.number(row)
    key = table.put(row)
    site.ledger.wrote(request, table.entity.name, key, _summary(row))
    hidden = {"Ordinal": 0} if table.numbered_by == "Ordinal" else {}
    return Reply(201, as_json(table.entity, {**row, **hidden}))


def replace_row(site: Sandbox, request: Request, table: Table) -> Reply:
    """Write a row anew. Properties that are not sent are kept or blanked, as the sandbox is set (assumption A14)."""
    old = _existing(request, table)
    sent = _sent(table.entity, request)
    keys = {kind.name: old[kind.name] for kind in table.entity.keys}
    start = old if site.put_missing == "keep" else dict.fromkeys(old)
    row: Row = {**start, **sent, **keys}
    messages = _objections(site, table, row)
    if messages:
        raise invalid(messages)
    key = table.put(row)
    changes = [f"{name}: {old[name]} -> {row[name]}" for name in row if row[name] != old[name]]
    site.ledger.wrote(request, table.entity.name, key, ", ".join(changes) or "nothing changed")
    return Reply(site.put_status, as_json(table.entity, row))


def delete_row(site: Sandbox, request: Request, table: Table) -> Reply:
    """Remove a row; the answer is empty."""
    row = _existing(request, table)
    table.remove(table.key_of(row))
    site.ledger.wrote(request, table.entity.name, table.key_of(row), _summary(row))
    return Reply(200)


def validate_row(site: Sandbox, request: Request, table: Table) -> Reply:
    """What a POST would say, and nothing stored."""
    row = _new_row(request, table)
    messages = _objections(site, table, row)
    return verdict(messages, as_json(table.entity, row))


def verdict(messages: list[str], entity: Json) -> Reply:
    """The reply of `_validate`: 200 also when something is wrong (assumption A24)."""
    return Reply(200, {"IsValid": not messages, "ValidationResults": validation_results(messages), "Entity": entity})


def as_json(entity: Entity, row: Row) -> Json:
    """A row as the site sends it: typed values wrapped, nulls without a `Value`."""
    return {
        "$type": GENERIC,
        "EntityTypeName": entity.name,
        "PrimaryParentEntityTypeName": entity.parent,
        "Identity": _identity(entity.name, [str(row[kind.name]) for kind in entity.keys]),
        "PrimaryParentIdentity": _identity(
            entity.parent, [str(row[entity.parent_property])] if entity.parent_property else None
        ),
        "Properties": {
            "$type": PROPERTIES,
            "$values": [
                {"$type": PROPERTY, "Name": kind.name}
                if row[kind.name] is None
                else {"$type": PROPERTY, "Name": kind.name, "Value": wrapped(kind, row[kind.name])}
                for kind in entity.properties
            ],
        },
    }


def key_in(request: Request, parts: int) -> Key:
    """The key in the address: `/api/Entity/101`, or `/api/Entity/~101|2` for several parts."""
    text = request.parts[2]
    key = tuple(text[1:].split("|")) if text.startswith("~") else (text,)
    if len(key) != parts:
        raise http_error(400, "ArgumentFault: Incorrect number of identity elements")
    return key


def _identity(name: str, elements: list[str] | None) -> Json:
    identity: Json = {"$type": IDENTITY, "EntityTypeName": name}
    if elements is not None:
        identity["IdentityElements"] = {"$type": STRINGS, "$values": elements}
    return identity


def _existing(request: Request, table: Table) -> Row:
    row = table.rows.get(key_in(request, len(table.entity.keys)))
    if row is None:
        raise not_found()
    return row


def _sent(entity: Entity, request: Request) -> Row:
    body = required_body(request.content)
    sent: Row = {}
    for name, value in pairs(member(body, "Properties") or []).items():
        kind = entity.property_named(name)
        if kind is None:
            raise invalid([f"{name} is not a property of {entity.name}."])
        if kind.assigned:
            continue
        try:
            sent[kind.name] = typed(kind, value)
        except BadValueError:
            raise bad_data() from None
    return sent


def _new_row(request: Request, table: Table) -> Row:
    row: Row = {**table.empty_row(), **_sent(table.entity, request)}
    parent = table.entity.parent_property
    if parent and not row[parent]:
        identity = member(request.content, "PrimaryParentIdentity")
        elements = listed(member(identity, "IdentityElements"))
        row[parent] = str(elements[0]) if elements else None
    return row


def _objections(site: Sandbox, table: Table, row: Row) -> list[str]:
    messages = []
    for kind in table.entity.properties:
        value = row[kind.name]
        text = "" if value is None else str(value)
        if kind.required and not kind.assigned and not text.strip():
            messages.append(f"{kind.name} is required.")
        elif kind.max_length is not None and len(text) > kind.max_length:
            messages.append(f"{kind.name} is longer than {kind.max_length} characters.")
        elif text and ((kind.choices and text not in kind.choices) or not _listed(site, kind.codes_of, text)):
            messages.append(f"{kind.name} '{text}' is not in the list of allowed values.")
    parent = table.entity.parent_property
    if parent and row[parent] and not site.parties.exists(str(row[parent])):
        messages.append(f"Contact {row[parent]} does not exist.")
    return messages


def _listed(site: Sandbox, codes: CodesOf | None, text: str) -> bool:
    if codes is None:
        return True
    rows = site.table(codes.entity).rows.values()
    return any(row[codes.value] == text and all(row[name] == value for name, value in codes.where) for row in rows)


def _clash(table: Table, row: Row) -> list[str]:
    if table.numbered_by or table.key_of(row) not in table.rows:
        return []
    return [f"A row of {table.entity.name} for contact {row[table.entity.parent_property]} exists already."]


def _summary(row: Row) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.items() if value not in {None, ""})
