"""Members of groups and committees: memberships, and the roles within them."""

from datetime import datetime

import pytest

from idms_cli.errors import InputError, OutcomeUnknown, RecordRefused
from idms_cli.imis.kinds.group_member import open_kind

from .lost import SAVED, insert_as_a_run_does

MENTORS = "556FE5A0-86A3-4910-BB44-5957D73388E2"
AWARDS = "COMMITTEE/AWARDS"
TODAY = datetime.fromisoformat("2027-01-15")
"""Of the test's clock."""


def day(text):
    return datetime.fromisoformat(text)


@pytest.fixture
def members(live):
    return open_kind(live, None)


@pytest.fixture
def chair(members):
    """Contact 101 is Member and Chair of the mentors; the key of the membership."""
    members.insert({"GroupId": MENTORS, "ID": "101", "EffectiveDate": day("2026-01-01")})
    members.insert({"GroupId": MENTORS, "ID": "101", "Role": "Chair", "ExpirationDate": day("2028-12-31")})
    return (MENTORS, "101")


def roles(members, contact="101", group=MENTORS):
    body = members.read((group, contact)).body
    return [one["Role"]["Name"] for one in body["MembershipDetails"]["$values"]]


def test_a_new_member_is_a_member_from_today(sandbox, members):
    key = members.insert({"groupname": "mentors", "ID": "101"})
    assert key[:2] == (MENTORS, "101")
    assert members.read(key).values == {
        "GroupId": MENTORS,
        "GroupName": "Mentors",
        "ID": "101",
        "Role": "Member",
        "IsActive": True,
        "JoinDate": TODAY,
        "EffectiveDate": TODAY,
        "ExpirationDate": None,
    }
    assert [write.method for write in sandbox.writes] == ["POST"]


def test_a_membership_without_a_role_matched_is_one_record_however_many_roles_it_has(members, chair):
    (record,) = members.find({"GroupId": MENTORS, "ID": "101"})
    assert record.key == chair
    assert (record.values["Role"], record.values["EffectiveDate"]) == (None, None)


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ({"GroupId": MENTORS, "ID": "102"}, 0),
        ({"GroupId": "NONE", "ID": "101"}, 0),
        ({"GroupName": "Mentors", "ID": "101", "Role": "Treasurer"}, 0),
        ({"GroupName": "Mentors", "ID": "101", "Role": "chair"}, 1),
        ({"GroupName": "Mentors", "ID": "101", "EffectiveDate": day("2026-01-01"), "Role": "Member"}, 1),
        ({"ID": "101"}, 2),
        ({"GroupId": MENTORS}, 1),
    ],
    ids=str,
)
def test_none_one_or_many_are_found(members, chair, match, found):
    members.insert({"GroupId": AWARDS, "ID": "101"})
    assert len(members.find(match)) == found


def test_a_role_that_is_mapped_but_not_matched_is_added(members):
    members.insert({"GroupId": MENTORS, "ID": "101", "EffectiveDate": day("2026-01-01")})
    (record,) = members.find({"GroupId": MENTORS, "ID": "101"})
    members.update(record, {"Role": "Chair", "ExpirationDate": day("2027-12-31")})
    assert roles(members) == ["Member", "Chair"]
    (added,) = members.find({"GroupId": MENTORS, "ID": "101", "Role": "Chair"})
    assert (added.values["EffectiveDate"], added.values["ExpirationDate"]) == (TODAY, day("2027-12-31"))
    (kept,) = members.find({"GroupId": MENTORS, "ID": "101", "Role": "Member"})
    assert (kept.values["EffectiveDate"], kept.values["ExpirationDate"]) == (day("2026-01-01"), None)


def test_a_role_that_is_there_is_not_added_again(sandbox, members, chair):
    before = len(sandbox.writes)
    (record,) = members.find({"GroupId": MENTORS, "ID": "101"})
    members.update(record, {"Role": "Chair"})
    assert len(sandbox.writes) == before


def test_a_role_that_is_matched_is_changed_alone(sandbox, members, chair):
    sandbox.put_missing = "blank"
    (record,) = members.find({"GroupId": MENTORS, "ID": "101", "Role": "Chair"})
    assert len(record.key) == 3
    members.update(record, {"ExpirationDate": day("2027-06-30")})
    assert members.read(record.key).values["ExpirationDate"] == day("2027-06-30")
    (other,) = members.find({"GroupId": MENTORS, "ID": "101", "Role": "Member"})
    assert (other.values["ExpirationDate"], other.values["JoinDate"]) == (None, TODAY)


def test_the_membership_is_changed_without_touching_its_roles(members, chair):
    (record,) = members.find({"GroupId": MENTORS, "ID": "101"})
    members.update(record, {"IsActive": False, "JoinDate": day("2020-01-01")})
    values = members.read(chair).values
    assert (values["IsActive"], values["JoinDate"]) == (False, day("2020-01-01"))
    assert roles(members) == ["Member", "Chair"]


def test_dates_of_the_only_role_can_be_changed_without_naming_it(sandbox, members):
    members.insert({"GroupId": MENTORS, "ID": "101"})
    (record,) = members.find({"GroupId": MENTORS, "ID": "101"})
    members.update(record, {"ExpirationDate": day("2027-06-30")})
    before = len(sandbox.writes)
    (again,) = members.find({"GroupId": MENTORS, "ID": "101"})
    assert again.values["ExpirationDate"] == day("2027-06-30")
    members.update(again, {"ExpirationDate": day("2027-06-30")})
    assert len(sandbox.writes) == before


def test_dates_without_a_role_are_refused_where_there_are_several(members, chair):
    (record,) = members.find({"GroupId": MENTORS, "ID": "101"})
    with pytest.raises(RecordRefused, match=r"has 2 roles in .*: match on Role") as caught:
        members.update(record, {"ExpirationDate": day("2027-06-30")})
    assert caught.value.code == "many-roles"


def test_two_roles_read_before_either_is_written_both_change(members, chair):
    (member,) = members.find({"GroupId": MENTORS, "ID": "101", "Role": "Member"})
    (chaired,) = members.find({"GroupId": MENTORS, "ID": "101", "Role": "Chair"})
    members.update(member, {"ExpirationDate": day("2027-01-31")})
    members.update(chaired, {"ExpirationDate": day("2027-02-28")})
    assert members.read(member.key).values["ExpirationDate"] == day("2027-01-31")
    assert members.read(chaired.key).values["ExpirationDate"] == day("2027-02-28")


@pytest.mark.parametrize(
    ("values", "code", "said"),
    [
        ({"GroupId": MENTORS}, "validation", "ID is missing"),
        ({"ID": "101"}, "validation", "GroupId or GroupName is missing"),
        ({"GroupName": "Mentor", "ID": "101"}, "unknown-group", "No group has the Name 'Mentor'"),
        ({"GroupId": MENTORS, "ID": "101", "Role": "Chairr"}, "unknown-role", "Did you mean 'Chair'"),
        ({"GroupId": MENTORS, "ID": "99999"}, "validation", "Contact 99999 does not exist"),
        ({"GroupId": MENTORS, "ID": "101", "Post": "X"}, "unknown-property", "no property 'Post'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_member_that_cannot_be_is_refused(sandbox, members, values, code, said):
    with pytest.raises(RecordRefused, match=said) as caught:
        members.insert(values)
    assert caught.value.code == code
    assert sandbox.writes == []


def test_a_role_that_a_member_has_is_not_inserted_again(members, chair):
    with pytest.raises(RecordRefused, match="Contact 101 is Chair of Mentors already") as caught:
        members.insert({"GroupId": MENTORS, "ID": "101", "Role": "Chair"})
    assert caught.value.code == "exists"


@pytest.mark.parametrize("change", [{"ID": "102"}, {"GroupId": AWARDS}, {"GroupName": "Awards"}], ids=str)
def test_a_member_stays_in_its_group(members, chair, change):
    with pytest.raises(RecordRefused, match="cannot be moved"):
        members.update(members.read(chair), change)


def test_members_are_found_by_group_or_contact_only(members):
    with pytest.raises(InputError, match="by group and contact only"):
        members.find({"Role": "Chair"})


def test_deleting_a_role_leaves_the_others(members, chair):
    members.delete(members.find({"GroupId": MENTORS, "ID": "101", "Role": "Chair"})[0])
    assert roles(members) == ["Member"]


def test_deleting_a_membership_takes_all_its_roles(sandbox, members, chair):
    record = members.read(chair)
    members.delete(record)
    assert members.read(chair) is None
    assert sandbox.rows("GroupMemberDetail") == []
    members.delete(record)


def test_a_committee_takes_members_though_its_keys_cannot_stand_in_an_address(sandbox, members):
    key = members.insert({"GroupId": AWARDS, "ID": "101"})
    assert key == (AWARDS, "101", "COMMITTEE/AWARDS:101:1")
    record = members.read(key)
    for refused in (
        lambda: members.refuse_write(record, {"ExpirationDate": TODAY}),
        lambda: members.refuse_write(record, {}),
        lambda: members.update(record, {"ExpirationDate": TODAY}),
        lambda: members.delete(record),
    ):
        with pytest.raises(RecordRefused, match="Members of committees can only be added") as error:
            refused()
        assert error.value.code == "not-allowed"
    assert not [call for call in sandbox.calls["calls"] if call.startswith(("PUT", "DELETE"))]
    members.refuse_write(members.read(key[:2]), {"Role": "member"})
    with pytest.raises(RecordRefused, match="can only be added"):
        members.insert({"GroupId": AWARDS, "ID": "101", "Role": "Chair"})
    with pytest.raises(RecordRefused, match="already"):
        members.insert({"GroupId": AWARDS, "ID": "101", "Role": "Member"})
    assert len(sandbox.writes) == 1


@pytest.mark.parametrize("fault", SAVED)
def test_a_lost_answer_leads_to_one_member(sandbox, members, fault):
    sandbox.set_fault(fault, 1)
    values = {"GroupId": MENTORS, "ID": "101", "Role": "Member"}
    assert insert_as_a_run_does(members, values, by=("GroupId", "ID", "Role"))[:2] == (MENTORS, "101")
    assert len(sandbox.rows("GroupMember")) == len(sandbox.rows("GroupMemberDetail")) == 1


@pytest.mark.parametrize("fault", SAVED)
def test_a_lost_answer_to_an_added_role_leads_to_one_role(sandbox, members, fault):
    members.insert({"GroupId": MENTORS, "ID": "101"})
    sandbox.set_fault(fault, 1)
    values = {"GroupId": MENTORS, "ID": "101", "Role": "Chair"}
    insert_as_a_run_does(members, values, by=("GroupId", "ID", "Role"))
    assert roles(members) == ["Member", "Chair"]
    members.update(members.find({"GroupId": MENTORS, "ID": "101"})[0], {"Role": "Chair"})
    assert roles(members) == ["Member", "Chair"]


def test_an_insert_is_sent_once(sandbox, members):
    sandbox.set_fault("write-500", 1)
    with pytest.raises(OutcomeUnknown):
        members.insert({"GroupId": MENTORS, "ID": "101"})
    assert sandbox.calls["calls"]["POST GroupMember"] == 1


def test_a_lost_answer_to_a_delete_is_settled_by_looking(sandbox, members, chair):
    record = members.find({"GroupId": MENTORS, "ID": "101", "Role": "Chair"})[0]
    sandbox.set_fault("write-500-saved", 1)
    members.delete(record)
    assert roles(members) == ["Member"]


def test_groups_are_asked_for_once(sandbox, members):
    for contact in ("101", "102", "103"):
        members.insert({"GroupName": "Mentors", "ID": contact})
    assert sandbox.calls["calls"]["GET Group"] == 1
