"""What the table of kinds says without the site."""

from pathlib import Path

import pytest

from idms_cli.errors import InputError
from idms_cli.imis.kinds import KINDS, names_one, open_kind
from idms_cli.imis.properties import Property


def test_every_kind_opens_without_asking_the_site(sandbox, live):
    for word, entry in KINDS.items():
        kind = open_kind(live, word, "ABC_Scores" if entry.needs_name else None)
        for method in ("properties", "find", "read", "insert", "update", "delete"):
            assert callable(getattr(kind, method))
        assert kind.entity == (entry.entity or "ABC_Scores")
    assert sandbox.calls["total"] == 0


@pytest.mark.parametrize("word", [word for word, entry in KINDS.items() if not entry.needs_name])
def test_a_kind_that_has_no_name_says_so(live, word):
    with pytest.raises(InputError, match="have no name") as caught:
        open_kind(live, word, "X")
    assert f"destination: {word}" in caught.value.hint


@pytest.mark.parametrize(
    ("word", "action", "said"),
    [
        ("contact", "delete", "erasure mark"),
        ("address", "delete", "Clear their lines"),
        ("communication_preference", "delete", "Set OptInFlag to no"),
        ("event_registration", "upsert", "only be inserted"),
        ("user_login", "update", "locked or unlocked"),
    ],
)
def test_an_action_that_a_kind_cannot_do_has_its_reason(word, action, said):
    assert said in KINDS[word].why_not(action)


def test_every_kind_can_be_inserted():
    assert {word for word, entry in KINDS.items() if entry.why_not("insert")} == set()


def test_every_kind_that_belongs_to_a_contact_can_be_added_to_one_that_is_found():
    assert {word for word, entry in KINDS.items() if entry.why_not("insert-matching")} == {"contact", "lookup_value"}
    assert {word for word, entry in KINDS.items() if not entry.contact} == {"contact", "lookup_value"}


def test_what_can_be_deleted_is_known():
    assert {word for word, entry in KINDS.items() if not entry.why_not("delete")} == {
        "panel",
        "activity",
        "group_member",
        "relationship",
        "lookup_value",
    }


@pytest.mark.parametrize("action", ["update", "upsert", "delete"])
@pytest.mark.parametrize(
    ("word", "match"),
    [("activity", ["partyid"]), ("relationship", ["ID"]), ("group_member", ["ID"]), ("address", [" id "])],
)
def test_the_contact_alone_is_too_wide_a_match(word, match, action):
    assert "ID alone" in KINDS[word].too_wide(action, match)


@pytest.mark.parametrize(
    ("word", "action", "match"),
    [
        ("contact", "update", ["ID"]),
        ("panel", "update", ["ID"]),
        ("activity", "delete", ["SEQN"]),
        ("activity", "insert", ["PartyId"]),
        ("activity", "update", ["PartyId", "ACTIVITY_TYPE"]),
        ("relationship", "delete", ["id", "Relation_Type", "TARGET_ID"]),
        ("relationship", "delete", ["SEQN"]),
        ("group_member", "delete", ["GroupName", "ID"]),
        ("lookup_value", "delete", ["TableName", "Code"]),
    ],
)
def test_other_matches_are_not(word, action, match):
    assert KINDS[word].too_wide(action, match) == ""


def test_a_relationship_is_deleted_by_all_of_its_keys():
    assert KINDS["relationship"].too_wide("delete", ["ID", "TARGET_ID"]) == (
        "the contacts' IDs alone match every such record of the two"
    )
    assert KINDS["relationship"].too_wide("delete", ["ID", "RELATION_TYPE"]) == (
        "a delete needs SEQN or ID + RELATION_TYPE + TARGET_ID"
    )


def test_the_metadata_tells_whether_a_match_names_one_panel_row():
    single = {"ID": Property("ID", key=True), "Standing": Property("Standing")}
    several = {**single, "Ordinal": Property("Ordinal", key=True)}
    assert names_one(single, ["id"])
    assert not names_one(several, ["ID"])
    assert names_one(several, ["ID", "ORDINAL"])
    assert not names_one({"Standing": Property("Standing")}, ["Standing"])


def test_every_kind_and_its_properties_are_in_the_readme(live):
    text = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    for word, entry in KINDS.items():
        assert f"`{{{word}: NAME}}`" in text if entry.needs_name else f"| `{word}` |" in text
    for word in ("address", "group_member", "communication_preference", "event_registration", "lookup_value"):
        names = open_kind(live, word, None).properties()
        assert [
            name for name in names if f"`{name}" not in text and name != "Address2" and f" {name}`" not in text
        ] == []
