"""Jobs that come after another job: each slot of the one is a slot of the other, and has its verdict."""

import pytest

from idms_cli.history.store import Store
from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until

EVENING, NIGHT = "2026-11-30 20:00", "2026-12-01 02:00"


def settled_slots(place: Place, job: str) -> list[tuple[str, str, str]]:
    """The slots of a job, once its upstream's end has been answered to."""
    found: list[tuple[str, str, str]] = until(lambda: place.slots(job))
    place.settled()
    return found


def reasons(place: Place, job: str) -> list[str]:
    with Store(place.state) as store:
        return [slot.reason for slot in store.slots.of(job)[::-1]]


def chain(place: Place, *, first: str = '{cron: "0 2 * * *"}', after: str = "{after: first}", rows: int = 1) -> None:
    place.job("first", schedule=first)
    place.job("second", schedule=after)
    if rows:
        place.scores("first", rows)
    place.scores("second", 1, course="Second")


def test_it_runs_when_the_other_has_completed_and_is_of_the_same_moment(place: Place) -> None:
    chain(place)
    place.at(EVENING)
    place.at(NIGHT)
    assert settled_slots(place, "second") == [("2026-12-01 02:00", "run", "")]
    assert [(run.job, run.status) for run in place.runs()] == [("first", "completed"), ("second", "completed")]


def test_a_chain_of_three_goes_through_without_another_tick(place: Place) -> None:
    chain(place)
    place.job("third", schedule="{after: second}")
    place.scores("third", 1, course="Third")
    place.at(EVENING)
    place.at(NIGHT)
    assert settled_slots(place, "third") == [("2026-12-01 02:00", "run", "")]
    assert [run.job for run in place.runs()] == ["first", "second", "third"]


def test_run_due_that_waits_stays_for_what_comes_after_its_runs(place: Place) -> None:
    slow = "import time\nfrom idms_cli.dispatch import supervise\nclaim = supervise.claim_followers\n"
    slow += "supervise.claim_followers = lambda *given: (time.sleep(0.5), claim(*given))[1]\n"
    place.write("slow/sitecustomize.py", slow)  # a loaded machine: between the end of a run and what it starts
    place.environment["PYTHONPATH"] = str(place.directory / "slow")
    chain(place)
    place.at(EVENING)
    assert place.at(NIGHT, "--wait").returncode == 0
    assert [(run.job, run.status) for run in place.runs()] == [("first", "completed"), ("second", "completed")]


def test_a_failure_of_the_other_is_the_reason_why_it_does_not_run(place: Place) -> None:
    chain(place, rows=0)  # and no file for it
    place.at(EVENING)
    place.at(NIGHT)
    assert settled_slots(place, "second") == [("2026-12-01 02:00", "skipped", "after first")]
    assert reasons(place, "second") == [
        f"after first: it failed (missing: {place.directory}/first.csv: there is no such file.)",
    ]


@pytest.mark.parametrize(
    ("after", "verdict"),
    [("{after: first}", "skipped"), ("{after: {job: first, accept: [completed, partial]}}", "run")],
    ids=["not said", "said"],
)
def test_a_partial_run_counts_only_if_the_job_says_so(place: Place, after: str, verdict: str) -> None:
    chain(place, after=after)
    place.write("first.csv", "member,course,grade\n101,Ethics,A\nnobody-has-this-id,Ethics,A\n")
    place.at(EVENING)
    place.at(NIGHT)
    ((_, told, _),) = settled_slots(place, "second")
    assert place.runs()[0].status == "partial"
    assert told == verdict


def test_a_slot_of_the_other_that_was_skipped_is_skipped_with_its_reason(place: Place) -> None:
    chain(place)
    place.at(EVENING)
    path = place.directory / "jobs.d/first.yaml"
    path.write_text(path.read_text() + "enabled: false\n")
    place.at(NIGHT)
    place.at("2026-12-01 02:01")
    assert reasons(place, "second") == ["after first: it was skipped (disabled: the job file says enabled: false)"]


def test_nothing_is_owed_for_runs_from_before_it_was_seen(place: Place) -> None:
    place.job("first")
    place.scores("first", 1)
    place.at(EVENING)
    place.at(NIGHT, "--wait")
    place.job("second", schedule="{after: first}")
    place.at("2026-12-01 03:00", "--wait")
    assert place.slots("second") == []


def test_an_idle_tick_sees_that_the_other_has_ended_without_its_supervisor_telling(place: Place) -> None:
    from idms_cli.dispatch.glance import had_nothing_to_do

    chain(place, first="{every: 366d, from: 2026-01-01}")
    config = str(place.directory / "idms.yaml")
    place.idms("run-due")
    assert had_nothing_to_do(config)
    with Store(place.state) as store:
        since = store.catalog.all()["second"].decided_until
        store.slots.skip("first", [since + 60], since + 60, reason="overlap: run 1 is still running")
    assert not had_nothing_to_do(config)
    place.idms("run-due")
    assert reasons(place, "second") == ["after first: it was skipped (overlap: run 1 is still running)"]
    assert had_nothing_to_do(config)


def test_a_run_by_hand_is_of_no_period_and_starts_nothing(place: Place) -> None:
    chain(place)
    place.idms("run-due")
    place.idms("run", "first")
    place.idms("run-due", "--wait")
    assert place.slots("second") == []


@pytest.mark.parametrize(
    ("schedules", "message"),
    [
        ({"a": "{after: b}", "b": "{after: c}", "c": "{after: a}"}, "these jobs wait for each other: a -> b -> c -> a"),
        ({"a": "{after: a}"}, "these jobs wait for each other: a -> a"),
        ({"a": "{after: scorse}", "scores": "hourly"}, "there is no job 'scorse' to come after"),
        ({"a": "{after: {job: manual}}"}, "'manual' has no schedule to come after"),
    ],
    ids=["a ring of three", "itself", "a mistyped name", "one without a schedule"],
)
def test_a_chain_that_cannot_work_is_told_by_check_and_by_the_tick(
    place: Place, schedules: dict[str, str], message: str
) -> None:
    for name, schedule in schedules.items():
        place.job(name, schedule=schedule)
    manual = place.job("manual", schedule="x")
    manual.write_text(manual.read_text().replace("schedule: x\n", ""))
    told = place.idms("check", "a")
    assert told.returncode == 2
    assert f"a.yaml:3:19: {message}" in told.stdout or f"a.yaml:3:25: {message}" in told.stdout
    ticked = place.idms("run-due")
    assert ticked.returncode == 2
    assert message in ticked.stderr


def test_a_ring_is_mended_by_a_change_of_any_of_its_jobs(place: Place) -> None:
    place.job("a", schedule="{after: b}")
    place.job("b", schedule="{after: a}")
    assert place.idms("run-due").returncode == 2
    place.job("b", schedule="hourly")
    assert place.idms("run-due").returncode == 0
    assert [job["state"] for job in place.json("status")["jobs"]] == ["new", "new"]


def test_a_job_whose_upstream_is_removed_is_told(place: Place) -> None:
    chain(place)
    assert place.idms("run-due").returncode == 0
    (place.directory / "jobs.d/first.yaml").unlink()
    told = place.idms("run-due")
    assert told.returncode == 2
    assert "there is no job 'first' to come after" in told.stderr


@pytest.fixture
def under_way(place: Place, site: Sandbox) -> Place:
    """The upstream's run of the night is at its records."""
    chain(place, rows=20)
    place.at(EVENING)
    site.latency_s = 0.05
    place.at(NIGHT)
    until(lambda: any(course != "Second" for _, course in courses(site)))
    return place


def test_a_job_whose_file_is_removed_meanwhile_is_not_told_as_broken(under_way: Place) -> None:
    (under_way.directory / "jobs.d/second.yaml").unlink()
    under_way.settled()
    assert [(run.job, run.status) for run in under_way.runs()] == [("first", "completed")]
    assert under_way.slots("second") == []
    under_way.at("2026-12-01 02:01")
    assert under_way.slots("second") == [(NIGHT, "skipped", "removed")]


def test_a_job_whose_file_is_edited_meanwhile_waits_for_the_next_tick_and_goes_by_what_it_says_then(
    under_way: Place,
) -> None:
    under_way.job("second", schedule="{after: first}", more="enabled: false")
    under_way.settled()
    assert under_way.slots("second") == []
    under_way.at("2026-12-01 02:01")
    assert [slot[:2] for slot in under_way.slots("second")] == [(NIGHT, "skipped")]
    assert reasons(under_way, "second")[-1].startswith("disabled: ")
