"""`idms check` tells which jobs will wait for each other, and when they would not."""

import json
from datetime import UTC, datetime

from tests.commands.conftest import GOOD, Desk, Past


def test_jobs_that_will_meet_are_told_with_a_free_time(desk: Desk) -> None:
    hour = (datetime.now(UTC).hour + 12) % 24  # the 14 days begin now: not between the two
    desk.job("good", f'{GOOD}schedule: {{cron: "0 {hour} * * *"}}\n')
    desk.job("other", f'{GOOD}schedule: {{cron: "2 {hour} * * *"}}\n')
    told = desk.idms("check")
    assert told.code == 0
    assert "In the next 14 days, one of these will wait for the other:\n" in told.out
    assert "    good and other over abc_scores on test: 14 times, first " in told.out
    assert " other would meet nobody 5 minutes later (" in told.out
    assert "    A job that never ran is taken to last 5m.\n" in told.out
    data = json.loads(desk.idms("check", "other", "--json").out)
    (meeting,) = data["meetings"]
    assert meeting["jobs"] == ["good", "other"]
    assert (meeting["resource"], meeting["times"], meeting["exact"]) == ("imis:test/abc_scores", 14, True)
    assert meeting["suggestion"]["later_min"] == 5
    assert [each["job"] for each in data["jobs"]] == ["other"]
    assert not desk.state.exists()


def test_how_long_the_last_runs_took_decides(desk: Desk, past: Past) -> None:
    desk.job("good", f'{GOOD}schedule: {{cron: "0 2 * * *"}}\n')
    desk.job("other", f'{GOOD}schedule: {{cron: "2 2 * * *"}}\n')
    past.ended("completed")  # after a minute
    told = desk.idms("check").out
    assert "will wait" not in told
    assert json.loads(desk.idms("check", "--json").out)["meetings"] == []


def test_disabled_and_broken_jobs_meet_nobody(desk: Desk) -> None:
    desk.job("good", f'{GOOD}schedule: {{cron: "0 2 * * *"}}\n')
    desk.job("off", f'{GOOD}schedule: {{cron: "0 2 * * *"}}\nenabled: false\n')
    desk.job("broken", f'{GOOD}schedule: {{cron: "0 2 * * *"}}\ntimeout: never\n')
    assert json.loads(desk.idms("check", "--json").out)["meetings"] == []


def test_a_lock_that_only_the_jobs_name_is_data_too_and_a_job_that_somebody_disabled_meets_nobody(desk: Desk) -> None:
    panels = {"scores": GOOD, "members": GOOD.replace("ABC_Scores", "ABC_Membership")}
    for name, text in panels.items():
        desk.job(name, f'{text}locks: [ledger]\nschedule: {{cron: "0 2 * * *"}}\n')
    assert "members and scores over the lock ledger: 14 times, first " in desk.idms("check").out
    desk.idms("run-due")
    desk.idms("disable", "scores", "--why", "no feed")
    assert "will wait" not in desk.idms("check").out


def test_a_paused_job_meets_nobody_before_its_pause_ends_nor_does_what_comes_after_it(desk: Desk) -> None:
    desk.job("good", f'{GOOD}schedule: {{cron: "0 2 * * *"}}\n')
    desk.job("later", f"{GOOD}schedule: {{after: good}}\n")
    desk.job("other", f'{GOOD}schedule: {{cron: "3 2 * * *"}}\n')
    desk.idms("run-due")

    def times() -> dict[tuple[str, ...], int]:
        told = json.loads(desk.idms("check", "--json").out)["meetings"]
        return {tuple(sorted(met["jobs"])): met["times"] for met in told}

    assert times() == {("good", "other"): 14, ("later", "other"): 14}
    desk.idms("pause", "good", "--until", "7d")
    assert times() == {("good", "other"): 7, ("later", "other"): 7}
    desk.idms("pause", "good")
    assert times() == {}


def test_a_job_after_another_one_meets_whoever_starts_when_that_one_ends(desk: Desk) -> None:
    desk.job("good", f'{GOOD.replace("ABC_Scores", "ABC_Notes")}schedule: {{cron: "0 2 * * *"}}\n')
    desk.job("later", f"{GOOD}schedule: {{after: good}}\n")
    desk.job("other", f'{GOOD}schedule: {{cron: "6 2 * * *"}}\n')
    (meeting,) = json.loads(desk.idms("check", "--json").out)["meetings"]
    assert (meeting["jobs"], meeting["times"]) == (["later", "other"], 14)
    assert meeting["suggestion"]["job"] == "other"
