"""Whatever stands in jobs.d: each mistake is told with its place, value and hint, and stops no other job."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commands.bad_job_files import BAD, Bad
from tests.commands.conftest import GOOD, SETTINGS, Desk


def _put(bad: Bad, folder: Path) -> str:
    """Put the file there; gives what must be told."""
    path = folder / bad.name
    if callable(bad.content):
        bad.content(path)
    else:
        path.write_bytes(bad.content if isinstance(bad.content, bytes) else bad.content.encode())
        path.chmod(0o600)
    return bad.told.format(file=path, folder=folder)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("bad", BAD, ids=[bad.id for bad in BAD])
def test_a_bad_file_is_told_by_every_command_and_stops_nobody(desk: Desk, bad: Bad) -> None:
    expected = _put(bad, desk.jobs)

    check = desk.idms("check")
    assert check.code == 2
    assert expected in check.out
    assert "good: ok\n    upsert panel ABC_Scores on test from scores.csv, found by ID, Course\n" in check.out
    assert check.out.endswith("1 of 2 jobs has problems.\n")
    assert check.err == ""

    due = desk.idms("run-due")
    assert (due.code, due.out, due.err) == (2, "", expected + "\n")

    jobs, status = desk.idms("jobs"), desk.idms("status")
    assert (jobs.code, status.code, jobs.err, status.err) == (0, 0, "", "")
    for told in (jobs, status):
        assert len(re.findall(r"^good ", told.out, re.MULTILINE)) == 1
        assert told.out.count(" broken ") == 1

    name = bad.name.removesuffix(".yaml")
    if "UTF-8" not in bad.id:  # nobody can type that name
        by_hand = desk.idms("run", name)
        assert (by_hand.code, by_hand.out, by_hand.err) == (2, "", expected + "\n")

    for told in (check, due, jobs, status):
        assert "Traceback" not in told.text
        assert "\x1b" not in told.text
    assert list((desk.state / "runs").glob("*")) == []


def test_all_problems_of_all_files_are_told_at_once(desk: Desk) -> None:
    plain = [bad for bad in BAD if not callable(bad.content) and bad.name == "bad.yaml"]
    texts = [replace(bad, name=f"bad{number}.yaml") for number, bad in enumerate(plain)]
    expected = [_put(bad, desk.jobs) for bad in texts]
    check = desk.idms("check")
    assert check.code == 2
    assert [told for told in expected if f"{told}\n" not in check.out] == []
    assert check.out.endswith(f"\n{len(texts)} of {len(texts) + 1} jobs have problems.\n")
    assert desk.idms("run-due").err.count("\n    hint: ") == check.out.count("\n    hint: ")


def test_only_the_jobs_that_are_named_are_checked(desk: Desk) -> None:
    desk.job("bad", "module: [")
    assert desk.idms("check", "good").code == 0
    assert desk.idms("check", "bad").code == 2
    both = desk.idms("check", "good", "bad")
    assert both.out.endswith("1 of 2 jobs has problems.\n")


def test_a_good_job_is_told_with_what_it_will_do_and_its_next_three_times(desk: Desk) -> None:
    desk.job("nightly", GOOD + 'schedule: {cron: "15 2 1 1 *", timezone: Europe/Zurich}\n')
    desk.job("once", GOOD + "schedule: {at: 2999-12-31 06:00}\n")
    desk.job("asleep", GOOD + 'schedule: {cron: "* * * * *"}\nenabled: false\n')
    told = desk.idms("check")
    assert told.code == 0
    assert "good: ok\n    upsert panel ABC_Scores on test from scores.csv, found by ID, Course\n" in told.out
    assert "\n    no schedule: it runs when somebody starts it with idms run\n" in told.out
    assert "    yearly on 1 Jan, 02:15 (Europe/Zurich)\n    next: " in told.out
    assert "    once, 2999-12-31 06:00 (UTC)\n    next: 2999-12-31 06:00\n" in told.out
    assert "    disabled: it does not run on its own\n" in told.out
    assert told.out.endswith("4 jobs, all well.\n")


NAMING = 'naming: {pattern: "[a-z]+(-[a-z]+)*", description: required}\n'


def test_the_naming_rules_of_the_house_are_enforced_by_check_and_stop_no_run(desk: Desk) -> None:
    desk.settings(SETTINGS + NAMING)
    path = desk.job("Scores2", GOOD.replace("description: Scores\n", ""))
    told = desk.idms("check")
    assert told.code == 2
    assert (
        f"{path}:1:1: the job's name breaks the naming rule\n    value: Scores2\n"
        "    hint: Rename the file: `naming.pattern` in idms.yaml is [a-z]+(-[a-z]+)*\n"
        f"{path}:1:1: the job has no description\n"
        "    hint: Add `description:`; `naming.description` in idms.yaml asks for one.\n"
    ) in told.out
    assert told.out.endswith("1 of 2 jobs has problems.\n")
    assert desk.idms("run-due").code == 0
    assert "broken" not in desk.idms("status").out + desk.idms("jobs").out


@pytest.mark.parametrize(
    "description", ["", "description: ''\n", "description: '  '\n"], ids=["none", "empty", "blank"]
)
def test_a_description_of_nothing_is_none(desk: Desk, description: str) -> None:
    desk.settings(SETTINGS + NAMING)
    desk.job("scores", GOOD.replace("description: Scores\n", description))
    assert "the job has no description" in desk.idms("check").out


def test_a_folder_that_is_not_there_is_told(desk: Desk) -> None:
    desk.settings(SETTINGS + "jobs: nowhere\n")
    for command in ("check", "jobs", "status", "run-due"):
        told = desk.idms(command)
        assert (told.code, told.out) == (2, "")
        assert told.err == (
            f"idms: {desk.directory}/nowhere: the folder of job files cannot be read: No such file or directory\n"
            f"hint: Make it, or correct `jobs:` in {desk.directory}/idms.yaml.\n"
        )


def test_no_jobs_at_all_are_told_in_a_friendly_way(desk: Desk) -> None:
    (desk.jobs / "good.yaml").unlink()
    for command in ("check", "jobs"):
        assert desk.idms(command).out == "There are no jobs yet. A YAML file in jobs.d/ makes one.\n"
