"""Request bodies and readings of replies, typed in by hand."""

from typing import Any

import httpx

PERSON = "Asi.Soa.Membership.DataContracts.PersonData, Asi.Contracts"
ORGANIZATION = "Asi.Soa.Membership.DataContracts.OrganizationData, Asi.Contracts"
GENERIC = "Asi.Soa.Core.DataContracts.GenericEntityData, Asi.Contracts"


def generic(entity: str, **properties: Any) -> dict[str, Any]:
    """The body of a POST or PUT of a generic entity."""
    items = [{"Name": name, "Value": value} for name, value in properties.items()]
    return {"$type": GENERIC, "EntityTypeName": entity, "Properties": {"$values": items}}


def person(**names: str) -> dict[str, Any]:
    """The smallest person, with these members of `PersonName`."""
    return {"$type": PERSON, "PersonName": names}


def values(entity: dict[str, Any]) -> dict[str, Any]:
    """A generic entity's properties as they came: wrapped, and without a value where there is none."""
    return {item["Name"]: item.get("Value") for item in entity["Properties"]["$values"]}


def items(reply: httpx.Response) -> list[dict[str, Any]]:
    """The rows of a page."""
    assert reply.status_code == 200, reply.text
    rows: list[dict[str, Any]] = reply.json()["Items"]["$values"]
    return rows


def messages(reply: httpx.Response) -> list[str]:
    """What a validation reply says."""
    assert reply.status_code == 400, reply.text
    assert "ValidationResultsData" in reply.json()["$type"]
    assert reply.json()["Warnings"]["$values"] == []
    return [item["Message"] for item in reply.json()["Errors"]["$values"]]
