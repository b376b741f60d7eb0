"""Deleting what may be deleted; contacts never."""

import pytest

from idms_cli.errors import RecordRefused
from idms_cli.imis.kinds import open_kind


@pytest.fixture
def scores(live):
    return open_kind(live, "panel", "ABC_Scores")


@pytest.fixture
def score(scores):
    scores.insert({"ID": "101", "Course": "Bookbinding"})
    return scores.find({"ID": "101", "Course": "Bookbinding"})[0]


def test_a_contact_is_never_deleted_and_the_message_names_the_erasure_mark(sandbox, live):
    contacts = open_kind(live, "contact", None)
    with pytest.raises(RecordRefused, match=r"Contact 101 is not deleted: .*erasure mark") as caught:
        contacts.delete(contacts.read(("101",)))
    assert caught.value.code == "not-allowed"
    assert sandbox.writes == []


def test_a_panel_row_is_deleted(sandbox, scores, score):
    before = len(sandbox.rows("ABC_Scores"))
    scores.delete(score)
    assert len(sandbox.rows("ABC_Scores")) == before - 1
    assert scores.find({"ID": "101", "Course": "Bookbinding"}) == []


def test_an_activity_is_deleted(sandbox, live):
    activities = open_kind(live, "activity", None)
    key = activities.insert({"PartyId": "101", "ACTIVITY_TYPE": "CALL"})
    activities.delete(activities.read(key))
    assert activities.read(key) is None


def test_what_is_gone_already_counts_as_deleted(scores, score):
    scores.delete(score)
    scores.delete(score)


def test_a_lost_answer_to_a_delete_is_settled_by_looking(sandbox, scores, score):
    sandbox.set_fault("write-500-saved", 1)
    scores.delete(score)
    assert scores.read(score.key) is None
    assert [write.method for write in sandbox.writes].count("DELETE") == 1


def test_a_delete_that_keeps_failing_is_refused(sandbox, scores, score):
    sandbox.set_fault("write-500", 1)
    with pytest.raises(RecordRefused, match="contact the administrator") as caught:
        scores.delete(score)
    assert (caught.value.status, caught.value.code) == (500, "server-error")
    assert scores.read(score.key) is not None
