"""What the site says of itself: entity definitions, metadata, query definitions, address purposes."""

from collections.abc import Iterable
from typing import Any

from idms_cli.sandbox.bodies import listed, member
from idms_cli.sandbox.definitions import (
    ADDRESS_PURPOSES,
    ATTRIBUTES,
    COMMUNICATION_TYPES,
    PARTY,
    CodesOf,
    Entity,
    Property,
)
from idms_cli.sandbox.exchange import SOA, Json, Reply, Request, http_error
from idms_cli.sandbox.paging import paged
from idms_cli.sandbox.party_requests import LONGEST
from idms_cli.sandbox.party_shape import ADDRESS_MEMBERS, COLLECTIONS, FLAGS, OBJECTS, SCALARS
from idms_cli.sandbox.queries import Query
from idms_cli.sandbox.site import Sandbox
from idms_cli.sandbox.values import unwrapped

DB_TYPES = {
    "String": "NVarChar",
    "Integer": "Int",
    "Boolean": "Bit",
    "Date": "DateTime",
    "Decimal": "Decimal",
    "Monetary": "Money",
}
QUERY_TYPES = {"String": "String", "Integer": "Int32", "Boolean": "Boolean", "Date": "DateTime"}
IDENTITIES = frozenset({"Id", "PartyId", "UniformId"})


def list_definitions(site: Sandbox, request: Request) -> Reply:
    """All business objects. The list cannot be filtered, and its `Limit` is 0, as on the real site."""
    entities = [table.entity for table in site.tables.values() if not table.entity.typed]
    window, chosen = site.faults.page(request, entities)
    item_type = f"{SOA}.BOEntityDefinitionData, Asi.Contracts"
    reply = paged(window, [_definition(each) for each in chosen], item_type=item_type)
    return Reply(200, {**reply.content, "Limit": 0} if isinstance(reply.content, dict) else reply.content)


def show_metadata(site: Sandbox, request: Request) -> Reply:
    """The members of one entity, typed contracts too."""
    name = request.parts[2]
    if name.lower() in {"party", "person", "organization"}:
        return Reply(200, _metadata(name, _party_members()))
    table = site.table_named(name)
    if table is None:
        raise http_error(404, f"There is no service defined for {name}")
    return Reply(200, _metadata(table.entity.name, [_property(each) for each in table.entity.properties]))


def execute_query_definition(site: Sandbox, request: Request) -> Reply:
    """`FindByPath`: the definition of a query, or a `Result` of null; older sites without the wrapper around it."""
    if not site.describes_queries:
        raise http_error(403, "You do not have permission to read query definitions.")
    operation = member(request.content, "OperationName")
    if operation != "FindByPath":
        raise http_error(501, f"The operation {operation} is not implemented.")
    parameters = listed(member(request.content, "Parameters"))
    path = str(unwrapped(parameters[0])) if parameters else ""
    query = site.queries.get(path.lower())
    found = _query_definition(query) if query else None
    if not site.query_service:
        return Reply(200, found)
    return Reply(
        200,
        {
            "$type": f"{SOA}.ServiceResponse`1[[System.Object, mscorlib]], Asi.Contracts",
            "Result": found,
            "IsSuccessStatusCode": True,
            "StatusCode": 200,
            "Message": "",
            "ValidationResults": {"Errors": {"$values": []}, "Warnings": {"$values": []}},
            "IsCachedResult": False,
        },
    )


def list_address_purposes(site: Sandbox, request: Request) -> Reply:
    """The allowed words for `AddressPurpose`; the first is the default."""
    item_type = "Asi.Soa.Membership.DataContracts.AddressPurposeData, Asi.Contracts"
    items = [
        {"$type": item_type, "Name": name, "IsDefaultAddress": number == 0}
        for number, name in enumerate(ADDRESS_PURPOSES)
    ]
    window, chosen = site.faults.page(request, items)
    return paged(window, chosen, item_type=item_type)


def list_communication_types(site: Sandbox, request: Request) -> Reply:
    """What a contact may opt in to."""
    item_type = "Asi.Soa.Communications.DataContracts.CommunicationTypeData, Asi.Contracts"
    items = [
        {
            "$type": item_type,
            "CommunicationTypeId": code,
            "ReasonCode": code.lower(),
            "CommunicationTypeDisplay": text,
            "IsSystem": False,
        }
        for code, text in COMMUNICATION_TYPES.items()
    ]
    window, chosen = site.faults.page(request, items)
    return paged(window, chosen, item_type=item_type)


def _definition(entity: Entity) -> Json:
    return {
        "$type": f"{SOA}.BOEntityDefinitionData, Asi.Contracts",
        "ObjectTypeName": entity.shape,
        "EntityTypeName": entity.name,
        "Description": entity.description,
        "PrimaryParentEntityTypeName": entity.parent,
        "IsDesignable": True,
        "Properties": {
            "$type": f"{SOA}.EntityPropertyDefinitionDataCollection, Asi.Contracts",
            "$values": [_property(each) for each in entity.properties],
        },
        "Indexes": {"$type": f"{SOA}.IndexDataCollection, Asi.Contracts", "$values": [_primary_index(entity)]},
    }


def _primary_index(entity: Entity) -> Json:
    return {
        "$type": f"{SOA}.IndexData, Asi.Contracts",
        "Name": f"PK_{entity.name}",
        "IsPrimary": True,
        "IsUnique": True,
        "Columns": {
            "$type": f"{SOA}.IndexColumnDataCollection, Asi.Contracts",
            "$values": [k.name for k in entity.keys],
        },
    }


def _property(kind: Property) -> Json:
    """Sparse: what is false or empty is left out."""
    class_name = "DateTime" if kind.type == "Date" else kind.type
    described: Json = {
        "$type": f"{SOA}.PropertyType{class_name}Data, Asi.Contracts",
        "PropertyTypeName": kind.type,
        "Name": kind.name,
        "Caption": kind.name,
        "MaxLength": kind.max_length,
        "IsIdentity": kind.key,
        "Required": kind.required,
        "Visible": True,
        "ExtendedPropertyInformation": _sparse(
            {
                "$type": f"{SOA}.ExtendedPropertyInformationData, Asi.Contracts",
                "DatabaseColumnName": kind.name,
                "DbDataType": DB_TYPES[kind.type],
                "IsNullable": not kind.required,
                "IsReadOnly": kind.assigned,
                "IsDbIdentity": kind.assigned and kind.name == "SEQN",
            }
        ),
        "Rule": _rule(kind),
    }
    if kind.type in {"Decimal", "Monetary"}:
        described |= {"Precision": kind.precision, "Scale": kind.scale}
    return _sparse(described) | ({"DateTimeDataType": 0} if kind.type == "Date" else {})


def _sparse(described: Json) -> Json:
    return {name: value for name, value in described.items() if value not in (None, False, "")}


def _rule(kind: Property) -> Json | None:
    if kind.codes_of:
        return _query_rule(kind.codes_of)
    return _value_list(kind.choices) if kind.choices else None


def _query_rule(codes: CodesOf) -> Json:
    return {
        "$type": f"{SOA}.PropertyRuleQueryData, Asi.Contracts",
        "Query": {
            "$type": f"{SOA}.QueryData, Asi.Contracts",
            "EntityTypeName": codes.entity,
            "Criteria": {
                "$type": f"{SOA}.CriteriaDataCollection, Asi.Contracts",
                "$values": [
                    {
                        "$type": f"{SOA}.CriteriaData, Asi.Contracts",
                        "Operation": codes.operation,
                        "PropertyName": name,
                        "Values": {"$type": "System.Collections.ObjectModel.Collection", "$values": [value]},
                    }
                    for name, value in codes.where
                ],
            },
        },
        "ValuePropertyName": codes.value,
        "DescriptionPropertyName": codes.description,
    }


def _value_list(choices: Any) -> Json:
    item = f"{SOA}.GenericPropertyData, Asi.Contracts"
    return {
        "$type": f"{SOA}.PropertyRuleValueListData, Asi.Contracts",
        "ValueList": {
            "$type": f"{SOA}.GenericPropertyDataCollection, Asi.Contracts",
            "$values": [{"$type": item, "Name": code, "Value": text} for code, text in choices.items()],
        },
    }


def _metadata(name: str, members: list[Json]) -> Json:
    return {
        "$type": f"{SOA}.EntityDefinitionData, Asi.Contracts",
        "EntityTypeName": name,
        "Properties": {"$type": f"{SOA}.EntityPropertyDefinitionDataCollection, Asi.Contracts", "$values": members},
    }


def _party_members() -> list[Json]:
    plain = [*IDENTITIES, "Name", *SCALARS]
    return [
        *(_property(_party_property(name)) for name in sorted(plain)),
        *(_nested(name, _metadata(kind, _described(names))) for name, (kind, names) in OBJECTS.items()),
        *(
            _nested(name, _metadata(kind, _item_members(name, names)), many=True)
            for name, (kind, names) in COLLECTIONS.items()
        ),
        _attributes(),
    ]


def _party_property(name: str) -> Property:
    kind = "Boolean" if name in FLAGS or name == "SortIsOverridden" else "Date" if name == "BirthDate" else "String"
    return Property(name, kind, max_length=LONGEST.get(name), key=name == "Id")


def _described(names: Iterable[str]) -> list[Json]:
    return [_property(_party_property(name)) for name in names]


def _item_members(collection: str, names: tuple[str, ...]) -> list[Json]:
    if collection != "Addresses":
        return _described(names)
    address = _metadata("AddressData", _described(("AddressLines", *ADDRESS_MEMBERS)))
    marks = _metadata("CommunicationPreferenceData", _described(("Reason",)))
    plain = [name for name in names if name not in {"Address", "CommunicationPreferences"}]
    return [*_described(plain), _nested("Address", address), _nested("CommunicationPreferences", marks, many=True)]


def _nested(name: str, definition: Json, *, many: bool = False) -> Json:
    if many:
        item = {"$type": f"{SOA}.ItemEntityPropertyDefinitionData, Asi.Contracts", "EntityDefinition": definition}
        return {"PropertyTypeName": "EntityDefinitionData", "Name": name, "ItemEntityPropertyDefinition": item}
    return {"PropertyTypeName": "EntityDefinitionData", "Name": name, "EntityDefinition": definition}


def _attributes() -> Json:
    kinds = [kind for kind in PARTY.properties if kind.name in ATTRIBUTES]
    return {
        "PropertyTypeName": "GenericPropertyDataCollection",
        "Name": "AdditionalAttributes",
        "GenericPropertyDefinitions": {
            "$type": f"{SOA}.EntityPropertyDefinitionDataCollection, Asi.Contracts",
            "$values": [_property(kind) for kind in kinds],
        },
    }


def _query_definition(query: Query) -> Json:
    item = f"{SOA}.QueryPropertyData, Asi.Contracts"
    return {
        "$type": f"{SOA}.IqaQueryDefinitionData, Asi.Contracts",
        "Path": query.path,
        "Name": query.name,
        "QueryDefinitionId": query.path.lower(),
        "LimitResultsCount": 0,
        "Parameters": {
            "$type": f"{SOA}.QueryParameterDataCollection, Asi.Contracts",
            "$values": [
                {"PropertyName": each.property, "Operation": "Equal", "Prompt": each.alias, "AllowMultiple": False}
                for each in query.prompts
            ],
        },
        "Properties": {
            "$type": f"{SOA}.QueryPropertyDataCollection, Asi.Contracts",
            "$values": [
                {
                    "$type": item,
                    "Name": each.property,
                    "PropertyName": each.property,
                    "Alias": each.alias,
                    "Caption": each.alias,
                    "DataTypeName": QUERY_TYPES.get(each.kind(query.entity).type, "Decimal"),
                    "DisplayOrder": number,
                }
                for number, each in enumerate(query.columns, start=1)
            ],
        },
    }
