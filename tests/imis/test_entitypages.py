"""Pages of generic entities are read the same in whichever form a site sends them."""

import json
from decimal import Decimal
from typing import Any

import pytest

from idms_cli.errors import SiteError
from idms_cli.imis.definitions import Definition
from idms_cli.imis.entitypages import EntityPage, Selection, decode, identity_of, read_page
from idms_cli.imis.properties import Property

SCORES = Definition(
    "ABC_Scores",
    {
        one.name: one
        for one in (
            Property("ID", key=True),
            Property("Ordinal", type="Integer", key=True),
            Property("Grade"),
            Property("Hours", type="Decimal"),
        )
    },
)
ROW: dict[str, Any] = {
    "$type": "Asi.Soa.Core.DataContracts.GenericEntityData, Asi.Contracts",
    "EntityTypeName": "ABC_Scores",
    "Identity": {"EntityTypeName": "ABC_Scores", "IdentityElements": {"$type": "x", "$values": ["101", "2"]}},
    "Properties": {
        "$type": "x",
        "$values": [
            {"Name": "ID", "Value": "101"},
            {"Name": "Ordinal", "Value": {"$type": "System.Int32", "$value": 2}},
            {"Name": "Grade", "Value": "A"},
            {"Name": "Hours", "Value": {"$type": "System.Decimal", "$value": 1.50}},
            {"Name": "Note", "Value": "not wanted"},
        ],
    },
}
GUID = "6f9619ff-8b86-d011-b42d-00c04fc964ff"


def page(row: Any, **members: Any) -> dict[str, Any]:
    return {"Items": {"$values": [row]}, "TotalCount": 1, "HasNext": False, "NextOffset": 0, **members}


def changed(**members: Any) -> dict[str, Any]:
    return {**ROW, **members}


def pairs(*pairs: Any) -> dict[str, Any]:
    return changed(Properties={"$values": list(pairs)})


def read(content: Any) -> Any:
    """As a client does: by the short way if it can."""
    body = json.dumps(content).encode()
    found = read_page(decode(body) or json.loads(body), 0, "ABC_Scores")
    return list(Selection(SCORES, ("Grade", "Hours")).read(iter(found.rows)))


def test_the_usual_form_is_read_the_short_way() -> None:
    found = decode(json.dumps(page(ROW)).encode())
    assert isinstance(found, EntityPage)
    assert read(page(ROW)) == [
        (("101", "2"), {"Grade": "A", "Hours": Decimal("1.5")}),
    ]


@pytest.mark.parametrize(
    "content",
    [
        {**page(ROW), "Items": [ROW]},
        {"Items": {"$values": [ROW]}},
        page(ROW, TotalCount=None),
        page(changed(Identity={"IdentityElements": ["101", 2]})),
        page(changed(Identity=None)),
        page(changed(Properties=ROW["Properties"]["$values"])),
        page(pairs(*ROW["Properties"]["$values"], None, "x")),
        page(pairs(*({**pair, "Name": pair["Name"].upper()} for pair in ROW["Properties"]["$values"]))),
        page(pairs(*({**pair, "Name": f"{GUID}.{pair['Name']}"} for pair in ROW["Properties"]["$values"]))),
    ],
    ids=["bare list", "no total", "null", "bare key", "no key", "bare pairs", "other pairs", "in capitals", "GUIDs"],
)
def test_other_forms_say_the_same(content: Any) -> None:
    assert read(content) == read(page(ROW))


def test_half_a_character_comes_through() -> None:
    assert read(page(pairs({"Name": "Grade", "Value": "x\ud800"}))) == [(("101", "2"), {"Grade": "x\ud800"})]


def test_a_property_without_a_value_is_blank() -> None:
    assert read(page(pairs({"Name": "Grade"}, {"Name": "Hours", "Value": ""}))) == [
        (("101", "2"), {"Grade": None, "Hours": None})
    ]


def test_how_the_pages_go_on_is_read_in_both_forms() -> None:
    for content in (page(ROW, HasNext=True, NextOffset=500), {"Items": [ROW], "HasNext": True, "NextOffset": 500}):
        found = read_page(decode(json.dumps(content).encode()) or content, 100, "ABC_Scores")
        assert (found.offset, found.has_next, found.next_offset) == (100, True, 500)


def test_rows_are_told_apart_by_their_whole_key() -> None:
    keys = (["a", "b"], ["a', 'b"], ["b", "a"], ["ab"])
    rows = [changed(Identity={"IdentityElements": {"$values": key}}) for key in keys]
    found = read_page({"Items": rows}, 0, "ABC_Scores").rows
    assert len({identity_of(row) for row in found}) == 4
    assert identity_of(read_page({"Items": [changed(Identity=None)]}, 0, "ABC_Scores").rows[0]) is None


def test_a_body_without_end_is_not_read_the_short_way() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert decode(json.dumps(page(ROW)).encode().replace(b'"A"', deep)) is None


def test_what_is_no_page_is_an_error() -> None:
    with pytest.raises(SiteError, match="not a page of rows"):
        read({"Items": "none"})
