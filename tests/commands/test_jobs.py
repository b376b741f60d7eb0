"""The list of jobs, and what `check` tells, as JSON with fields that stay."""

import json

from tests.commands.conftest import GOOD, Desk
from tests.commands.test_status import PROBLEM_FIELDS

FIELDS = {"job", "problems", "description", "module", "enabled", "schedule", "does", "next"}


def test_jobs_are_listed_by_name(desk: Desk) -> None:
    desk.job("b-nightly", GOOD + 'schedule: {cron: "15 2 * * 1-5", timezone: Europe/Zurich}\n')
    desk.job("b", GOOD + "enabled: false\n")
    desk.job("broken", "module: import\n")
    told = desk.idms("jobs")
    assert (told.code, told.err) == (0, "")
    assert told.out == (
        "JOB        MODULE  STATE     SCHEDULE                        DESCRIPTION\n"
        "b          import  disabled  -                               Scores\n"
        "b-nightly  import  ok        weekdays 02:15 (Europe/Zurich)  Scores\n"
        "broken     -       broken    -                               1 problem; see idms check broken\n"
        "good       import  ok        -                               Scores\n"
    )


def test_the_fields_of_a_job_are_the_same_whether_it_is_broken_or_not(desk: Desk) -> None:
    desk.job("yearly", GOOD + "schedule: {at: 2999-06-01 18:30}\n")
    desk.job("broken", "module: import\n")
    for command, more, fields in (
        ("check", {"broken", "meetings", "more_meetings"}, {"tested", "online"}),
        ("jobs", set(), set()),
    ):
        told = json.loads(desk.idms(command, "--json").out)
        assert told.keys() == {"version", "jobs"} | more
        assert told["version"] == 1
        assert told.get("broken", 1) == 1
        broken, good, yearly = told["jobs"]
        assert broken.keys() == good.keys() == yearly.keys() == FIELDS | fields
        assert [problem.keys() for problem in broken["problems"]] == [PROBLEM_FIELDS]
        assert broken["problems"][0]["message"] == "the key 'with' is missing"
        assert (broken["module"], broken["next"]) == (None, [])
        assert (good["module"], good["enabled"], good["schedule"], good["next"]) == ("import", True, None, [])
        assert good["does"] == "upsert panel ABC_Scores on test from scores.csv, found by ID, Course"
        assert yearly["next"] == ["2999-06-01T18:30:00+00:00"]
