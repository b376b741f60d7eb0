"""`GenericEntityData`: the body that panels, activities and all other business objects have in common."""

from collections.abc import Mapping
from typing import Any

from idms_cli.imis.definitions import Definition, items
from idms_cli.imis.kinds import Key, Record
from idms_cli.imis.properties import Property, Value
from idms_cli.imis.values import plain_name, typed, wrap

_CONTRACTS = "Asi.Soa.Core.DataContracts"
ENTITY = f"{_CONTRACTS}.GenericEntityData, Asi.Contracts"
IDENTITY = f"{_CONTRACTS}.IdentityData, Asi.Contracts"
PROPERTY = f"{_CONTRACTS}.GenericPropertyData, Asi.Contracts"
PROPERTIES = f"{_CONTRACTS}.GenericPropertyDataCollection, Asi.Contracts"
STRINGS = "System.Collections.ObjectModel.Collection`1[[System.String, mscorlib]], mscorlib"


def record_of(body: Any, definition: Definition) -> Record:
    """The record in a body: values typed by the definition, in the site's spelling."""
    values = values_of(body, definition)
    return Record(key_of(body, definition, values), values, body)


def values_of(body: Any, definition: Definition) -> dict[str, Value]:
    """The properties in the order of the body; one without `Value` is None."""
    return read_pairs(body.get("Properties"), definition.properties)


def read_pairs(collection: Any, properties: Mapping[str, Property]) -> dict[str, Value]:
    """A name/value collection as values, typed and spelled as `properties` say."""
    values: dict[str, Value] = {}
    for pair in items(collection):
        name, kind = property_named(str(pair.get("Name", "")), properties)
        values[name] = typed(pair.get("Value"), kind)
    return values


def property_named(wire: str, properties: Mapping[str, Property]) -> tuple[str, str]:
    """The site's spelling of a property as it is named on the wire, and its type; as it comes when it is none."""
    name = plain_name(wire)
    one = properties.get(name) or _in_any_case(name, properties)
    return (name, "") if one is None else (one.name, one.type)


def _in_any_case(name: str, properties: Mapping[str, Property]) -> Property | None:
    folded = name.casefold()
    return next((one for known, one in properties.items() if known.casefold() == folded), None)


def write_pairs(collection: Any, changes: Mapping[str, Value], properties: Mapping[str, Property]) -> dict[str, Any]:
    """A copy of a name/value collection with `changes` made; what is not named stays as it is, in its order."""
    whole = dict(collection) if isinstance(collection, dict) else {}
    pairs = [dict(pair) for pair in items(collection)]
    by_name = {plain_name(str(pair.get("Name", ""))).casefold(): pair for pair in pairs}
    for name, value in changes.items():
        wire = wrap(value, properties[name].type if name in properties else "String")
        pair = by_name.get(name.casefold())
        if pair is None:
            pairs.append({"$type": PROPERTY, "Name": name, "Value": wire})
        else:
            pair["Value"] = wire
    return {"$type": whole.pop("$type", PROPERTIES), **whole, "$values": pairs}


def key_of(body: Any, definition: Definition, values: Mapping[str, Value]) -> Key:
    """The identity that the site gives, or else the values of the key properties."""
    elements = identity_elements(body)
    if elements:
        return elements
    return tuple("" if values.get(name) is None else str(values[name]) for name in definition.keys)


def identity_elements(body: Any) -> Key:
    """`Identity.IdentityElements`, all strings; empty when the body has none."""
    identity = body.get("Identity") if isinstance(body, dict) else None
    elements = identity.get("IdentityElements") if isinstance(identity, dict) else None
    if isinstance(elements, dict):
        elements = elements.get("$values")
    return tuple(str(one) for one in elements) if isinstance(elements, list) else ()


def new_body(definition: Definition, values: Mapping[str, Value], *, parent_id: str | None) -> dict[str, Any]:
    """A body to create a row with, below the contact `parent_id` where the entity hangs below Party."""
    body: dict[str, Any] = {"$type": ENTITY, "EntityTypeName": definition.name}
    if definition.parent:
        body["PrimaryParentEntityTypeName"] = definition.parent
        body["PrimaryParentIdentity"] = _parent(definition.parent, parent_id)
    given = {name: value for name, value in values.items() if value is not None}
    return {**body, "Properties": write_pairs(None, given, definition.properties)}


def changed_body(body: Any, changes: Mapping[str, Value], definition: Definition) -> dict[str, Any]:
    """A copy of the whole `body` with `changes` made in its properties."""
    whole: dict[str, Any] = dict(body)
    whole["Properties"] = write_pairs(whole.get("Properties"), changes, definition.properties)
    return {"$type": whole.pop("$type", ENTITY), **whole}


def _parent(entity: str, parent_id: str | None) -> dict[str, Any]:
    identity: dict[str, Any] = {"$type": IDENTITY, "EntityTypeName": entity}
    if parent_id is not None and entity != "Standalone":
        identity["IdentityElements"] = {"$type": STRINGS, "$values": [parent_id]}
    return identity
