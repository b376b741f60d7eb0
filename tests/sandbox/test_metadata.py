"""What the site says of itself."""

from typing import Any

import httpx
import pytest

from idms_cli.sandbox.definitions import Entity, Property

from .conftest import Start
from .wire import items


def definition(client: httpx.Client, name: str) -> dict[str, Any]:
    """The definition of one business object."""
    return next(row for row in items(client.get("/api/BoEntityDefinition?limit=500")) if row["EntityTypeName"] == name)


def test_definitions_are_a_page_whose_limit_is_0(client: httpx.Client) -> None:
    page = client.get("/api/BoEntityDefinition?limit=500&EntityTypeName=Activity").json()
    assert page["Limit"] == 0
    assert page["TotalCount"] == page["Count"] == 6
    assert [row["EntityTypeName"] for row in page["Items"]["$values"]] == [
        "ABC_Membership",
        "ABC_Scores",
        "ABC_Codes",
        "ABC_Visits",
        "Activity",
        "Relationship",
    ]
    assert [row["ObjectTypeName"] for row in page["Items"]["$values"]] == [
        "Single",
        "Multi",
        "Multi",
        "Multi",
        "Standard",
        "Standard",
    ]


def test_definitions_come_in_pages_too(start: Start) -> None:
    site, client = start()
    for number in range(100):
        site.add_entity(Entity(f"ABC_{number}", "Single", "Party", "", (Property("ID", key=True),)))
    page = client.get("/api/boentitydefinition").json()
    assert (page["Count"], page["TotalCount"], page["HasNext"], page["NextOffset"]) == (100, 106, True, 100)
    assert client.get("/api/BoEntityDefinition?offset=100").json()["Count"] == 6


def test_a_property_tells_type_length_key_and_choices_and_nothing_that_is_false(client: httpx.Client) -> None:
    properties = {each["Name"]: each for each in definition(client, "ABC_Scores")["Properties"]["$values"]}
    assert properties["Course"] == {
        "$type": "Asi.Soa.Core.DataContracts.PropertyTypeStringData, Asi.Contracts",
        "PropertyTypeName": "String",
        "Name": "Course",
        "Caption": "Course",
        "MaxLength": 40,
        "Required": True,
        "Visible": True,
        "ExtendedPropertyInformation": {
            "$type": "Asi.Soa.Core.DataContracts.ExtendedPropertyInformationData, Asi.Contracts",
            "DatabaseColumnName": "Course",
            "DbDataType": "NVarChar",
        },
    }
    assert properties["ID"]["IsIdentity"] is properties["Ordinal"]["IsIdentity"] is True
    assert (properties["Hours"]["Precision"], properties["Hours"]["Scale"]) == (9, 2)
    assert properties["TakenOn"]["DateTimeDataType"] == 0
    rule = properties["Grade"]["Rule"]
    assert "PropertyRuleValueListData" in rule["$type"]
    assert [(item["Name"], item["Value"]) for item in rule["ValueList"]["$values"]] == [
        ("A", "Distinction"),
        ("B", "Merit"),
        ("C", "Pass"),
        ("F", "Failed"),
    ]


def test_the_number_of_an_activity_is_the_sites_own(client: httpx.Client) -> None:
    properties = {each["Name"]: each for each in definition(client, "Activity")["Properties"]["$values"]}
    information = properties["SEQN"]["ExtendedPropertyInformation"]
    assert information["IsReadOnly"] is information["IsDbIdentity"] is True
    assert properties["AMOUNT"]["PropertyTypeName"] == "Monetary"
    assert properties["AMOUNT"]["ExtendedPropertyInformation"]["DbDataType"] == "Money"


def test_metadata_describes_a_party_with_its_nested_members(client: httpx.Client) -> None:
    reply = client.get("/api/metadata/Party")
    assert reply.status_code == 200
    members = {each["Name"]: each for each in reply.json()["Properties"]["$values"]}
    assert members["BirthDate"]["PropertyTypeName"] == "Date"
    assert members["Id"]["IsIdentity"] is True
    name = members["PersonName"]
    assert name["PropertyTypeName"] == "EntityDefinitionData"
    inner = {each["Name"]: each for each in name["EntityDefinition"]["Properties"]["$values"]}
    assert inner["LastName"]["MaxLength"] == 30
    email = members["Emails"]["ItemEntityPropertyDefinition"]["EntityDefinition"]["Properties"]["$values"]
    assert [each["Name"] for each in email] == ["Address", "EmailType", "IsPrimary"]
    extra = members["AdditionalAttributes"]
    assert extra["PropertyTypeName"] == "GenericPropertyDataCollection"
    assert [each["Name"] for each in extra["GenericPropertyDefinitions"]["$values"]] == [
        "CustomerTypeCode",
        "JoinDate",
        "PaidThruDate",
        "RenewedThruDate",
        "Chapter",
    ]


@pytest.mark.parametrize("name", ["Person", "Organization", "activity", "ABC_Codes"])
def test_metadata_is_there_for_every_entity(client: httpx.Client, name: str) -> None:
    assert client.get(f"/api/metadata/{name}").json()["Properties"]["$values"]


def test_metadata_of_an_unknown_entity_is_404(client: httpx.Client) -> None:
    assert client.get("/api/metadata/Nothing").status_code == 404


def find_by_path(client: httpx.Client, path: str) -> dict[str, Any]:
    """The reply to `FindByPath`."""
    body = {
        "$type": "Asi.Soa.Core.DataContracts.GenericExecuteRequest, Asi.Contracts",
        "OperationName": "FindByPath",
        "EntityTypeName": "QueryDefinition",
        "Parameters": {"$values": [{"$type": "System.String", "$value": path}]},
        "UseJson": False,
    }
    reply = client.post("/api/QueryDefinition/_execute", json=body)
    assert reply.status_code == 200
    found: dict[str, Any] = reply.json()
    return found


def test_an_older_site_gives_a_definition_without_the_wrapper_around_it(start: Start) -> None:
    _, client = start(query_service=False)
    assert find_by_path(client, "$/Idms/Members")["Path"] == "$/Idms/Members"


def test_a_public_user_is_shown_no_definition(start: Start) -> None:
    _, client = start(describes_queries=False)
    assert client.post("/api/QueryDefinition/_execute", json={"OperationName": "FindByPath"}).status_code == 403


def test_a_query_definition_tells_columns_and_prompts(client: httpx.Client) -> None:
    reply = find_by_path(client, "$/Idms/Lapsed members")
    assert (reply["IsSuccessStatusCode"], reply["StatusCode"]) == (True, 200)
    found = reply["Result"]
    assert found["Path"] == "$/Idms/Lapsed members"
    assert [each["Prompt"] for each in found["Parameters"]["$values"]] == ["MemberType"]
    assert [(each["Alias"], each["DataTypeName"]) for each in found["Properties"]["$values"]] == [
        ("ID", "String"),
        ("FullName", "String"),
        ("MemberType", "String"),
        ("PaidThru", "DateTime"),
        ("Standing", "String"),
    ]


def test_a_missing_query_has_no_definition(client: httpx.Client) -> None:
    assert find_by_path(client, "$/Idms/Nothing")["Result"] is None


def test_address_purposes_have_one_default(client: httpx.Client) -> None:
    rows = items(client.get("/api/AddressPurpose"))
    assert [(row["Name"], row["IsDefaultAddress"]) for row in rows] == [
        ("Address", True),
        ("Billing", False),
        ("Shipping", False),
    ]
