"""A slot that comes while an earlier run of its job is not over: skip, wait or replace."""

from idms_cli.sandbox import Sandbox
from tests.conftest import Place, courses, until

HOURLY = '{cron: "0 * * * *"}'


def _first_run(place: Place, site: Sandbox, overlap: str, *, rows: int = 280) -> None:
    """Run 1 is at work, in no hurry."""
    site.latency_s = 0.1
    place.job("scores", schedule=HOURLY, more=f"overlap: {overlap}")
    place.scores("scores", rows)
    place.at("2026-12-01 00:30")
    place.at("2026-12-01 01:00")
    until(lambda: courses(site).get(("101", "Bookbinding")))


def test_wait_gives_the_slot_its_run_which_begins_when_the_earlier_one_has_ended(place: Place, site: Sandbox) -> None:
    _first_run(place, site, "wait")
    assert place.at("2026-12-01 02:00").stdout == "scores: run 2\n"
    assert place.runs()[1].reason == "waits for run 1 of the same job"
    site.latency_s = 0
    until(lambda: not any(run.is_open for run in place.runs()))
    first, second = place.runs()
    assert (first.status, second.status) == ("completed", "completed")
    assert first.ended_at is not None
    assert second.started_at is not None
    assert first.ended_at <= second.started_at
    assert place.slots("scores") == [("2026-12-01 01:00", "run", ""), ("2026-12-01 02:00", "run", "")]


def test_of_slots_that_wait_only_the_newest_stays(place: Place, site: Sandbox) -> None:
    _first_run(place, site, "wait")
    place.at("2026-12-01 02:00")
    place.at("2026-12-01 03:00")
    first, second, third = place.runs()
    assert (first.status, third.status, third.reason) == ("running", "pending", "waits for run 1 of the same job")
    assert (second.status, second.reason) == ("skipped", "replaced by a newer one: run 3")
    assert "replaced by a newer one: run 3" in place.idms("history", "--status", "skipped").stdout


def test_replace_stops_the_running_one_cleanly_and_goes_when_it_has(place: Place, site: Sandbox) -> None:
    _first_run(place, site, "replace")
    assert place.at("2026-12-01 02:00").stdout == "scores: run 2\n"
    until(lambda: not place.runs()[0].is_open)
    site.latency_s = 0
    until(lambda: not any(run.is_open for run in place.runs()))  # and no tick was needed for it
    first, second = place.runs()
    assert (first.status, first.reason, first.exit_code) == ("cancelled", "replaced by a newer one: run 2", 130)
    assert first.counts["inserted"] + first.counts["rejected"] == 280
    assert first.counts["inserted"] > 0
    assert (second.status, second.counts["unchanged"]) == ("completed", first.counts["inserted"])
    assert set(courses(site).values()) == {1}


def test_a_run_by_hand_is_not_replaced_but_waited_for(place: Place, site: Sandbox) -> None:
    site.latency_s = 0.1
    place.job("scores", schedule=HOURLY, more="overlap: replace")
    place.scores("scores", 280)
    place.at("2026-12-01 00:30")
    by_hand = place.start("run", "scores")
    until(lambda: courses(site).get(("101", "Bookbinding")))
    place.at("2026-12-01 01:00")
    assert place.runs()[1].reason == "waits for run 1 of the same job"
    site.latency_s = 0
    by_hand.communicate(timeout=60)
    until(lambda: not any(run.is_open for run in place.runs()))
    assert [run.status for run in place.runs()] == ["completed", "completed"]


def test_another_word_is_refused_with_its_place(place: Place) -> None:
    place.job("scores", more="overlap: queue")
    told = place.idms("check")
    assert told.returncode == 2
    assert "jobs.d/scores.yaml:10:10:" in told.stdout
    assert "skip" in told.stdout
    assert "replace" in told.stdout
