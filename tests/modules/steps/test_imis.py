"""The step `imis`: any call of the site's API, on the sandbox, and what becomes of it when things go wrong."""

from decimal import Decimal
from threading import Event
from typing import Any

import pytest

from idms_cli.errors import DeliveryRefused, InputError, Interrupted, OutcomeUnknown, Unreachable
from idms_cli.sandbox import Sandbox
from tests.conftest import courses as all_courses
from tests.modules.steps.doing import killed_when
from tests.modules.steps.stand import QuickClock, Stand


class OneFault(QuickClock):
    """A fault of the site passes while the step waits."""

    def __init__(self, site: Sandbox) -> None:
        super().__init__()
        self._site = site

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._site.faults.set("write-500-saved", 0)


def courses(site: Sandbox) -> dict[tuple[str, str], int]:
    """Rows of the course that is written here."""
    return {key: number for key, number in all_courses(site).items() if key[1] == "Weaving"}


def score(member: str = "{{ input.id }}", course: str = "Weaving") -> dict[str, object]:
    """The body of a new row of ABC_Scores."""
    properties = [{"Name": "ID", "Value": member}, {"Name": "Course", "Value": course}, {"Name": "Grade", "Value": "A"}]
    return {
        "$type": "Asi.Soa.Core.DataContracts.GenericEntityData, Asi.Contracts",
        "EntityTypeName": "ABC_Scores",
        "PrimaryParentEntityTypeName": "Party",
        "Properties": {"$values": properties},
    }


def posts(**keys: object) -> dict[str, object]:
    return {"imis": {"path": "/api/ABC_Scores", "json": score(), **keys}}


def test_a_path_alone_is_a_get_with_the_connections_token(site_stand: Stand) -> None:
    site_stand.inputs = {"id": "101"}
    result = site_stand.run({"imis": "/api/Party/{{ input.id }}"})
    assert result.output["status"] == 200
    assert result.output["json"]["PartyId"] == "101"
    assert result.counts == {"get": 1, "calls": 1}
    assert "content-type" in result.output["headers"]


def test_a_body_is_posted_and_its_templates_keep_their_type(site_stand: Stand, site: Sandbox) -> None:
    site_stand.inputs = {"id": "101", "hours": Decimal("12.50")}
    result = site_stand.run(posts())
    assert result.output["status"] in (200, 201)
    assert courses(site) == {("101", "Weaving"): 1}
    assert site_stand.run(posts()).output == result.output
    assert courses(site) == {("101", "Weaving"): 1}


def test_query_parameters_are_encoded(site_stand: Stand) -> None:
    site_stand.inputs = {"name": "x&limit=500"}
    found = site_stand.run({"imis": {"path": "/api/Party", "query": {"limit": 2, "LastName": "{{ input.name }}"}}})
    assert found.output["json"]["Count"] == 0


@pytest.mark.parametrize("fault", ["cut-after-write", "write-500-saved", "write-500"])
def test_a_post_that_may_have_been_carried_out_is_not_repeated(site_stand: Stand, site: Sandbox, fault: str) -> None:
    site_stand.inputs = {"id": "101"}
    site.faults.set(fault, 1)
    with pytest.raises(OutcomeUnknown) as caught:
        site_stand.run(posts())
    assert "Look whether it is there in iMIS" in caught.value.hint
    site.faults.set(fault, 0)
    with pytest.raises(OutcomeUnknown):
        site_stand.run(posts())
    assert courses(site).get(("101", "Weaving"), 0) == (0 if fault == "write-500" else 1)
    assert site.faults.struck[fault] == 1


def test_what_was_certainly_not_carried_out_is_tried_three_times_five_seconds_apart(
    site_stand: Stand, site: Sandbox
) -> None:
    site_stand.inputs = {"id": "101"}
    site_stand.run({"imis": "/api/Party/101"})
    site.faults.set("too-many", 1)
    other = site_stand.beside("other", url=site_stand.url)
    with pytest.raises(Unreachable, match="429"):
        other.run(posts())
    assert site.faults.struck["too-many"] == 3
    assert site_stand.log[-2:] == ["POST /api/ABC_Scores is sent again in 5 s"] * 2
    site.faults.set("too-many", 0)
    assert other.run(posts()).output["status"] in (200, 201)
    assert courses(site) == {("101", "Weaving"): 1}


def test_a_get_is_tried_again_after_anything_that_can_pass(site_stand: Stand, site: Sandbox) -> None:
    site.faults.set("too-many-retry", 1)
    with pytest.raises(Unreachable):
        site_stand.run({"imis": {"path": "/api/Party/101", "attempts": 2, "delay": "1s"}})
    assert site.faults.struck["too-many-retry"] == 2


def test_a_refusal_is_told_in_the_sites_words_and_an_expected_status_is_an_answer(site_stand: Stand) -> None:
    with pytest.raises(DeliveryRefused, match="GET /api/Party/999999: 404 Not found") as caught:
        site_stand.run({"imis": "/api/Party/999999"})
    assert caught.value.hint == "A status that is no failure here: `expect: [2xx, 404]`."
    found = site_stand.run({"imis": {"path": "/api/Party/999999", "expect": ["2xx", 404]}})
    assert found.output["status"] == 404


def test_a_delete_that_comes_again_and_finds_nothing_was_done(site_stand: Stand, site: Sandbox) -> None:
    site_stand.inputs = {"id": "101"}
    site_stand.run(posts())
    (row,) = [row for row in site.rows("ABC_Scores") if row["Course"] == "Weaving"]
    site.faults.set("write-500-saved", 1)
    site_stand.clock = OneFault(site)
    result = site_stand.beside("other").run(
        {"imis": {"path": f"/api/ABC_Scores/~101%7C{row['Ordinal']}", "method": "DELETE"}}
    )
    assert result.output["status"] == 404
    assert not courses(site)


def test_killed_on_its_way_a_post_is_unknown(site_stand: Stand, site: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    step = {"imis": {"path": "/api/ABC_Scores", "json": score("101")}}
    over, after = Event(), site.faults.after

    def late(request: Any, reply: Any) -> Any:
        over.wait(60 if request.method == "POST" and not request.asks_token else 0)
        return after(request, reply)

    monkeypatch.setattr(site.faults, "after", late)
    killed_when(lambda: courses(site), site_stand, step)
    over.set()
    with pytest.raises(OutcomeUnknown, match="the run died while it was on its way"):
        site_stand.run(step)
    assert courses(site) == {("101", "Weaving"): 1}


@pytest.mark.parametrize("given", ["..", "a/../../token", "%2e%2e", "%252e%252e", "..\\x", "."])
def test_no_value_leads_out_of_the_api(site_stand: Stand, site: Sandbox, given: str) -> None:
    site_stand.inputs = {"id": given}
    with pytest.raises(InputError, match=r"another (path|address)"):
        site_stand.run({"imis": "/api/Party/{{ input.id }}/x"})
    assert not any(site.calls.values())


def test_a_dry_run_gets_and_writes_nothing(site_stand: Stand, site: Sandbox) -> None:
    site_stand.inputs = {"id": "101"}
    assert site_stand.rehearse({"imis": "/api/Party/101"}).output["status"] == 200
    told = site_stand.rehearse(posts())
    assert (told.status, told.reason, told.unknown) == ("rehearsed", "would POST /api/ABC_Scores", True)
    assert site_stand.rehearse({"imis": "/api/Party/101"}, offline=True).unknown
    assert not courses(site)


def test_a_stopped_step_asks_nothing(site_stand: Stand) -> None:
    site_stand.stopping = lambda: True
    with pytest.raises(Interrupted):
        site_stand.run({"imis": "/api/Party/101"})


def test_mistakes_are_told_before_the_run(stand: Stand) -> None:
    for path in (
        "https://elsewhere.example/api/Party",
        "/Party/1",
        "//elsewhere/api/",
        "api/Party",
        "{{ input.path }}",
    ):
        assert "a path of the site that begins with /api/" in stand.refused({"imis": path})
    assert "a part of the address is . or .." in stand.refused({"imis": "/api/../token"})
    assert "there is no connection 'lve'" in stand.refused({"imis": {"path": "/api/Party", "connection": "lve"}})
    assert "there is no 'rows' here" in stand.refused({"imis": {"path": "/api/Party", "json": "{{ rows }}"}})
    assert "a GET has no body" in stand.refused({"imis": {"path": "/api/Party", "json": 1, "method": "GET"}})
    _, problems = stand.checked({"imis": {"path": "/api/Party", "method": "PATCH"}})
    assert problems[0].message == "'PATCH' is not one of: GET, POST, PUT, DELETE"


def test_what_it_reads_and_writes_is_locked(stand: Stand) -> None:
    action = stand.step({"imis": "/api/Party/101"}).action
    assert [(lock.resource, lock.write) for lock in action.locks()] == [("imis:test/party", False)]
    action = stand.step({"imis": {"path": "/api/ABC_Scores", "json": {}}}).action
    assert [(lock.resource, lock.write) for lock in action.locks()] == [("imis:test/abc_scores", True)]
    assert action.describe() == "POST /api/ABC_Scores on test"
