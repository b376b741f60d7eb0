"""Logins of contacts."""

import pytest

from idms_cli.errors import OutcomeUnknown, RecordRefused
from idms_cli.imis.kinds.contact import open_kind as open_contacts
from idms_cli.imis.kinds.user_login import open_kind

from ..stub import Reply
from .lost import SAVED, insert_as_a_run_does


@pytest.fixture
def logins(live):
    return open_kind(live, None)


@pytest.fixture
def ada(live):
    return open_contacts(live, None).insert({"FirstName": "Ada", "LastName": "Byron", "Email": "ada@example.org"})[0]


def test_a_login_is_created_and_found_by_contact_or_name(sandbox, logins, ada):
    assert logins.insert({"id": ada, "username": "ada.b"}) == (ada,)
    for match in ({"ID": ada}, {"UserName": "ADA.B"}, {"ID": ada, "UserName": "ada.b"}):
        assert [record.key for record in logins.find(match)] == [(ada,)]
    assert logins.read((ada,)).values == {"ID": ada, "UserName": "ada.b"}
    assert sandbox.rows("User") == [{"UserId": ada, "UserName": "ada.b"}]


def test_without_a_name_it_is_the_e_mail_address(sandbox, logins, ada):
    logins.insert({"ID": ada})
    assert sandbox.rows("User")[0]["UserName"] == "ada@example.org"


@pytest.mark.parametrize("match", [{"ID": "101"}, {"ID": ""}, {"UserName": "nobody"}], ids=str)
def test_no_login_is_found(logins, match):
    assert logins.find(match) == []


def test_a_contact_without_an_e_mail_address_gets_no_login(sandbox, live, logins):
    contact = open_contacts(live, None).insert({"LastName": "Byron"})[0]
    before = len(sandbox.writes)
    with pytest.raises(RecordRefused, match="needs an e-mail address before a login"):
        logins.insert({"ID": contact})
    with pytest.raises(RecordRefused, match="has no e-mail address"):
        logins.insert({"ID": contact, "UserName": "byron"})
    assert len(sandbox.writes) == before


@pytest.mark.parametrize(
    ("values", "said"), [({"UserName": "x"}, "ID is missing"), ({"ID": "99999"}, "no contact 99999")], ids=["", "gone"]
)
def test_a_login_needs_a_contact(logins, values, said):
    with pytest.raises(RecordRefused, match=said):
        logins.insert(values)


def test_a_second_login_is_refused_as_existing(sandbox, logins, ada):
    logins.insert({"ID": ada})
    with pytest.raises(RecordRefused, match=f"Contact {ada} has a login already") as caught:
        logins.insert({"ID": ada, "UserName": "other"})
    assert caught.value.code == "exists"
    assert len(sandbox.rows("User")) == 1


@pytest.mark.parametrize("status", [400, 409, 500])
def test_the_word_of_the_site_counts_whatever_its_status(stub, site, status):
    stub.will(Reply(status, {"Message": "CreateUser failed: DuplicateProviderUserKey"}))
    with pytest.raises(RecordRefused) as caught:
        open_kind(site, None).insert({"ID": "101", "UserName": "ada"})
    assert (caught.value.code, caught.value.status) == ("exists", status)


def test_a_name_that_another_has_is_refused(logins, ada):
    logins.insert({"ID": ada, "UserName": "taken"})
    with pytest.raises(RecordRefused, match="DuplicateUserName"):
        logins.insert({"ID": "101", "UserName": "Taken"})


def test_a_login_is_neither_changed_nor_deleted(logins, ada):
    logins.insert({"ID": ada})
    record = logins.read((ada,))
    with pytest.raises(RecordRefused, match=r"no public source says.*\(UserName\)"):
        logins.update(record, {"UserName": "x"})
    with pytest.raises(RecordRefused, match="Remove one in iMIS") as caught:
        logins.delete(record)
    assert caught.value.code == "not-allowed"


@pytest.mark.parametrize("fault", SAVED)
def test_a_lost_answer_leads_to_one_login(sandbox, logins, ada, fault):
    sandbox.set_fault(fault, 1)
    assert insert_as_a_run_does(logins, {"ID": ada, "UserName": "ada"}, by=("ID",)) == (ada,)
    assert len(sandbox.rows("User")) == 1


def test_an_insert_is_sent_once(sandbox, logins, ada):
    sandbox.set_fault("write-500", 1)
    with pytest.raises(OutcomeUnknown):
        logins.insert({"ID": ada, "UserName": "ada"})
    assert sandbox.calls["calls"]["POST User"] == 1
