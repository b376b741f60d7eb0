"""A run of a workflow: its jobs, its parameters; held, stopped, resumed, gone on with and taken back."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from idms_cli.config.documents import parse_document
from idms_cli.errors import InputError, Interrupted, Unreachable
from idms_cli.modules.frozen import frozen_jobs
from idms_cli.modules.workflow import parse
from idms_cli.modules.workplaces import held_place
from idms_cli.sandbox import Sandbox
from tests.conftest import courses
from tests.modules.imports.office import grades, writes
from tests.modules.workflows.mill import Ground, Mill, names, steps
from tests.modules.workflows.test_checking import SCORES

RUN = "name: scores\nrun: scores"
FOUND = "name: found\nquery: $/Idms/Scores"
OURS = "name: ours\nfilter: \"{{ row.Course == 'Bookbinding' }}\""
WRITTEN = 'name: written\nfile: {to: out, file: "{{ run.id }}.csv", overwrite: refuse}'


@pytest.fixture
def scored(sited: Mill) -> Mill:
    """With a job that imports scores, and three rows for it."""
    sited.job("scores", SCORES)
    sited.write(grades(3))
    return sited


class Death(BaseException):
    """The process is gone."""


def dies_after(number: int) -> Callable[[], bool]:
    """Whether to stop: no; but the process dies when it is asked that so many times."""
    asked = iter(range(1, 10**9))

    def look() -> bool:
        if next(asked) > number:
            raise Death
        return False

    return look


def test_a_job_by_its_name_gives_its_status_and_all_its_figures(scored: Mill, site: Sandbox) -> None:
    done = scored.grind(steps(RUN, 'name: same\ngate: "{{ scores.changed == 0 }}"', FOUND, WRITTEN))
    assert (done.outcome.status, done.outcome.counts["inserted"]) == ("completed", 3)
    assert done.output("scores") | {"status": "completed", "changed": 3, "rejected": 0} == done.output("scores")
    assert set(courses(site)) >= {("101", "Bookbinding"), ("102", "Bookbinding"), ("103", "Bookbinding")}
    again = scored.grind(steps(RUN, 'name: same\ngate: "{{ scores.changed == 0 }}"', FOUND, WRITTEN))
    assert again.states == {"scores": "succeeded", "same": "succeeded", "found": "skipped", "written": "skipped"}
    assert list(scored.delivered) == ["1.csv"]


def test_a_job_that_stands_in_the_step_is_run_as_well(sited: Mill) -> None:
    sited.write(grades(2))
    inline = "name: scores\nrun:\n  " + SCORES.replace("\n", "\n  ").rstrip()
    done = sited.grind(steps(inline))
    assert (done.outcome.status, done.output("scores")["inserted"]) == ("completed", 2)


def test_rows_that_a_job_rejected_are_rows_of_its_step(scored: Mill) -> None:
    scored.write(grades(2) + "104,Bookbinding,Z\n")
    done = scored.grind(steps(f"{RUN}\nrows: rejected", "name: told\ngate: \"{{ scores[0].code == 'not-a-choice' }}\""))
    assert (done.outcome.status, done.outcome.reason) == ("partial", "scores: 1 of 3 rows rejected")
    assert names(done.rows("scores"), "line") == [4]
    assert done.reasons["told"] == "the condition holds"


def test_rows_that_a_job_wrote_are_rows_of_its_step(scored: Mill) -> None:
    done = scored.grind(steps(f"{RUN}\nrows: written"))
    assert [(row["action"], row["ID"], row["Grade"]) for row in done.rows("scores")] == [
        ("insert", "101", "A"),
        ("insert", "102", "A"),
        ("insert", "103", "A"),
    ]


def test_prompts_of_a_query_are_answered_by_templates(sited: Mill) -> None:
    text = "parameters: {status: A}\n" + steps(
        'name: some\nquery: $/Idms/Contacts by status\nparameters: {Status: "{{ input.status }}"}'
    )
    everybody, some = sited.grind(text, parameters={"status": ""}), sited.grind(text, parameters={"status": "I"})
    assert 0 < len(some.rows("some")) < len(everybody.rows("some"))


def test_parameters_are_of_their_types_in_templates(mill: Mill) -> None:
    text = "parameters:\n  least: 5\n  day: {type: date, default: '{{ today }}'}\n  loud: {type: boolean}\n" + steps(
        'name: judged\ngate: "{{ input.least + 1 == 8 and input.loud and input.day == today }}"'
    )
    done = mill.grind(text, parameters={"least": "7", "loud": "yes"})
    assert done.output("judged") is True
    with pytest.raises(InputError, match="the parameter loud is missing"):
        mill.grind(text)
    with pytest.raises(InputError, match=r"least is a whole number, not '7\.5'"):
        mill.grind(text, parameters={"least": "7.5", "loud": "no"})
    with pytest.raises(InputError, match="there is no parameter 'lest'"):
        mill.grind(text, parameters={"lest": "7"})


def test_a_workflow_runs_another_one_with_parameters_and_its_steps_stand_below(mill: Mill) -> None:
    inner = "module: workflow\nwith:\n  parameters: {least: {type: whole}}\n  steps:\n    - name: big\n"
    mill.job("inner", inner + '      gate: "{{ input.least > 3 }}"\n      then: fail\n')
    text = "parameters: {number: 1}\n" + steps(
        'name: within\nrun: inner\nparameters: {least: "{{ input.number * 2 }}"}'
    )
    done = mill.grind(text)
    assert done.states == {"within": "succeeded", "within/big": "succeeded"}
    failed = mill.grind(text, parameters={"number": "2"})
    assert failed.outcome.reason == "step within: step big: the condition holds"
    missing = mill.problems(steps("run: inner"))
    assert missing[0][2] == "the parameter least is missing"


def test_a_guard_of_a_job_holds_the_run_and_once_approved_it_goes_on_from_there(scored: Mill, site: Sandbox) -> None:
    scored.job("scores", f"{SCORES}guard: {{max_changes: 2}}\n")
    text = steps("name: first\ngate: false", RUN, FOUND, OURS, WRITTEN)
    held = scored.grind(text)
    assert (held.outcome.status, held.outcome.exit_code) == ("held", 6)
    assert "max_changes is 2" in held.outcome.reason
    assert held.states == {"first": "succeeded", "scores": "held"}
    assert writes(site) == 0
    done = scored.grind(text, again=held.directory, approved=True)
    assert done.outcome.status == "completed", done.outcome
    assert (writes(site), "first" in done.states) == (3, False)


def test_an_approval_is_for_the_step_that_was_held_and_for_no_other(scored: Mill, site: Sandbox) -> None:
    scored.job("scores", f"{SCORES}guard: {{max_changes: 2}}\n")
    scored.job("more", f"{SCORES.replace('data.csv', 'more.csv')}guard: {{max_changes: 2}}\n")
    scored.write(grades(3, course="Printing"), "more.csv")
    text = steps(RUN, "name: more\nrun: more")
    held = scored.grind(text)
    for _ in range(2):  # its process died before anybody was told that it is held again
        second = scored.grind(text, again=held.directory, approved=True, approval="the first")
        assert second.outcome.status == "held"
        assert second.told["more"].status == "held"
        assert writes(site) == 3
    last = scored.grind(text, again=held.directory, approved=True, approval="the second")
    assert (last.outcome.status, writes(site)) == ("completed", 6)


def test_an_approval_is_for_the_file_that_was_held_and_for_no_other(scored: Mill, site: Sandbox) -> None:
    scored.job("scores", SCORES.replace("data.csv", "in/*.csv") + "guard: {max_changes: 2}\n")
    (scored.directory / "in").mkdir()
    for number, course in enumerate(("Binding", "Printing", "Gilding")):
        scored.write(grades(3, course=course), f"in/{number}.csv")
    done = scored.grind(steps(RUN))
    for approval in ("first", "second", "third"):
        assert (done.outcome.status, writes(site)) == ("held", {"first": 0, "second": 3, "third": 6}[approval])
        done = scored.grind(steps(RUN), again=done.directory, approved=True, approval=approval)
    assert (done.outcome.status, writes(site)) == ("completed", 9)


@pytest.mark.parametrize("after", range(1, 12))
def test_a_run_whose_process_died_goes_on_at_the_step_in_question(scored: Mill, site: Sandbox, after: int) -> None:
    text = steps(RUN, FOUND, OURS, WRITTEN)
    directory = scored.directory / "run"
    directory.mkdir()
    try:
        first: Ground | None = scored.grind(text, again=directory, stopping=dies_after(after))
    except Death:
        first = None
    done = first or scored.grind(text, again=directory)
    assert done.outcome.status == "completed", done.outcome
    assert done.output("scores")["status"] == "completed"
    assert writes(site) == 3
    assert len(scored.delivered) == 1


def test_a_run_that_is_stopped_ends_with_the_step_that_was_stopped(mill: Mill) -> None:
    directory = mill.directory / "run"
    directory.mkdir()
    with pytest.raises(Interrupted):
        mill.grind(steps("name: first\ngate: false", "name: next\ngate: false"), again=directory, stopping=lambda: True)
    assert not (directory / "steps/first/step.json").exists()


def test_a_site_that_is_down_ends_the_attempt_and_the_next_one_goes_on_there(scored: Mill, site: Sandbox) -> None:
    """As the job's own `retry:` wants it; steps that finished are not done again."""
    text = steps("name: first\ngate: false", "name: file\nrun:\n  module: transfer\n  with: {source: {path: late.csv}, "
                 "steps: [{to: out, file: late.csv}]}", "name: last\ngate: false")  # fmt: skip
    directory = scored.directory / "run"
    directory.mkdir()
    with pytest.raises(Unreachable, match="step file: "):
        scored.grind(text, again=directory, tries_again=True)
    scored.write("a\n1\n", "late.csv")
    done = scored.grind(text, again=directory, tries_again=True)
    assert (done.outcome.status, done.states) == ("completed", {"file": "succeeded", "last": "succeeded"})


def test_a_step_is_tried_again_within_the_run(mill: Mill) -> None:
    step = "name: late\nrun: {module: transfer, with: {source: {path: late.csv}, steps: [{to: out, file: b.csv}]}}"
    times = iter(range(10**6))

    class Clock:
        """Sleeps no time; the file comes with the second sleep."""

        def now(self) -> float:
            return 1e9

        def ticks(self) -> float:
            return float(next(times))

        def sleep(self, seconds: float) -> None:
            mill.write("a\n1\n", "late.csv")

    done = mill.grind(steps(f"{step}\nretry: {{attempts: 3, delay: 5s}}"), clock=Clock())
    assert (done.outcome.status, done.told["late"].attempts) == ("completed", 2)


def test_a_dry_run_goes_through_all_steps_and_changes_nothing(scored: Mill, site: Sandbox) -> None:
    text = steps(
        RUN, 'name: same\ngate: "{{ scores.changed == 0 }}"', FOUND, OURS, "name: fresh\ndelta: {key: ID}", WRITTEN
    )
    for _ in range(2):
        done = scored.grind(text, dry_run=True)
        assert done.outcome.status == "completed"
        assert done.states["scores"] == done.states["written"] == "rehearsed"
        assert done.output("scores")["changed"] == 3
        assert done.reasons["same"] == "the condition does not hold"
        assert done.told["fresh"].counts["unchanged"] == 0
    assert (writes(site), scored.delivered) == (0, {})


def test_a_dry_run_tells_what_it_cannot_know(mill: Mill) -> None:
    given = "name: given\nselect: all\nfrom: \"{{ [{'ID': '1'}] }}\""
    done = mill.grind(
        steps(given, WRITTEN, 'name: sized\ngate: "{{ written.size > 3 }}"', "name: last\ngate: false"), dry_run=True
    )
    assert done.reasons["sized"] == "what step written would give is not known in a dry run"
    assert done.states["last"] == "rehearsed"


def test_delta_is_remembered_only_when_the_workflow_has_succeeded(mill: Mill) -> None:
    given = "name: given\nselect: all\nfrom: \"{{ [{'ID': '1'}, {'ID': '2'}] }}\""
    fresh, bad = "name: fresh\ndelta: {key: ID}", "name: bad\ngate: true\nthen: fail"
    for _ in range(2):
        assert mill.grind(steps(given, fresh, bad)).told["fresh"].rows == 2
    assert mill.grind(steps(given, fresh)).told["fresh"].rows == 2
    assert mill.grind(steps(given, fresh)).told["fresh"].rows == 0


def test_a_delta_within_a_branch_or_an_item_is_remembered_by_the_run_that_goes_on(mill: Mill) -> None:
    fresh = "name: fresh, delta: {key: ID}, from: \"{{ [{'ID': '1'}, {'ID': '2'}] }}\""
    branches = f"name: both\nparallel: {{left: [{{{fresh}}}]}}"
    items = f"name: all\nfor-each: [1]\nsteps: [{{{fresh}}}]"
    text = steps(branches, items, "name: sent\nfile: {to: later, file: a.csv}\nfrom: \"{{ [{'ID': '1'}] }}\"")
    failed = mill.grind(text)
    assert failed.states["sent"] == "failed"
    (mill.directory / "later").mkdir()
    target = mill.directory / "run9"
    target.mkdir()
    mill.workflow(text).take_over(failed.directory, target)
    assert mill.grind(text, again=target, intent="rest").outcome.status == "completed"
    after = mill.grind(text)
    assert after.told["both/left/fresh"].rows == 0
    assert after.note("all/1/fresh").counts["rows"] == 0


def test_the_jobs_that_it_runs_are_those_of_its_begin(scored: Mill) -> None:
    text = steps("name: first\ngate: false", RUN)
    directory = scored.directory / "run"
    directory.mkdir()
    with pytest.raises(Death):
        scored.grind(text, again=directory, stopping=dies_after(1))
    scored.job("scores", "module: nonsense")
    work = scored.workflow(steps("name: first\ngate: false"))
    frozen = replace(work.settings, frozen_jobs=frozen_jobs(directory))
    whole = "module: workflow\nwith:\n" + "".join(f"  {line}\n" for line in text.splitlines())
    again = parse(parse_document(whole.encode(), "jobs.d/flow.yaml"), frozen, "test")
    outcome = again.run(scored.context(directory, job="flow"))
    assert (outcome.status, outcome.counts["inserted"]) == ("completed", 3)


def test_what_a_failed_run_did_is_not_done_again_by_the_run_that_goes_on(scored: Mill, site: Sandbox) -> None:
    text = steps(RUN, FOUND, OURS, "name: sent\ndeliver: {to: later, file: a.csv}", "name: last\ngate: false")
    failed = scored.grind(text)
    assert failed.states["sent"] == "failed"
    (scored.directory / "later").mkdir()
    target = scored.directory / "run9"
    target.mkdir()
    work = scored.workflow(text)
    work.refuse_nothing_left(failed.directory)
    work.take_over(failed.directory, target)
    done = scored.grind(text, again=target, intent="rest")
    assert (done.outcome.status, set(done.states.values())) == ("completed", {"succeeded"})
    assert writes(site) == 3
    with pytest.raises(InputError, match="the run has done everything"):
        work.refuse_nothing_left(target)


def test_a_run_is_taken_back_job_by_job_the_last_one_first(scored: Mill, site: Sandbox) -> None:
    before = courses(site)
    scored.job("more", SCORES.replace("data.csv", "more.csv"))
    scored.write(grades(3, grade="B"), "more.csv")
    text = steps(RUN, "name: more\nrun: more")
    done = scored.grind(text)
    assert (done.outcome.counts["inserted"], done.outcome.counts["updated"]) == (3, 3)
    back = scored.grind(text, intent="undo", of_directory=done.directory)
    assert back.outcome.status == "completed", back.outcome
    assert courses(site) == before


def test_a_view_of_rows_is_a_list_in_templates(mill: Mill) -> None:
    given = "name: given\nselect: all\nfrom: \"{{ [{'ID': '1', 'N': 5}, {'ID': '2', 'N': 7}] }}\""
    text = "{% for row in given %}{{ row.ID }}:{{ row.N }} {% endfor %}{{ given|length }}"
    text += " {{ given[1].ID }} {{ given[-1].N }}"
    done = mill.grind(steps(given, f'name: told\ngate: true\nwhy: "{text}"'))
    assert done.note("told").reason == "1:5 2:7 2 2 7"
    wrong = mill.grind(steps(given, 'name: told\ngate: "{{ given[2].ID == 1 }}"'))
    assert wrong.outcome.reason == "step told: gate: there is no '2' here"


def test_each_of_several_files_is_taken_within_the_step(scored: Mill, site: Sandbox) -> None:
    before = courses(site)
    scored.job("scores", SCORES.replace("data.csv", "in/*.csv"))
    (scored.directory / "in").mkdir()
    for number, course in enumerate(("Binding", "Printing", "Gilding")):
        scored.write(grades(2, course=course), f"in/{number}.csv")
    text = steps(f"{RUN}\nrows: written", 'name: all\ngate: "{{ scores|length == 6 }}"')
    for after in (3, 6, 9):
        directory = scored.directory / f"run-{after}"
        directory.mkdir()
        with suppress(Death):
            scored.grind(text, again=directory, stopping=dies_after(after))
        done = scored.grind(text.replace("== 6", "< 7"), again=directory)
        assert (done.outcome.status, done.outcome.counts["read"]) == ("completed", 6), done.outcome
    assert len(courses(site)) == len(before) + 6
    assert writes(site) == 6
    first = scored.directory / "run-3"
    back = scored.grind(text, intent="undo", of_directory=first)
    assert (back.outcome.status, courses(site)) == ("completed", before)


def test_where_a_run_is_held_is_found_however_deep_it_is(scored: Mill) -> None:
    scored.job("scores", f"{SCORES}guard: {{max_changes: 2}}\n")
    scored.job("inner", f"module: workflow\nwith:\n  {steps(RUN).replace(chr(10), chr(10) + '  ')}")
    held = scored.grind(steps("name: both\nparallel:\n  one: [{gate: false}]\n  two: [{name: within, run: inner}]"))
    assert held.outcome.status == "held", held.outcome
    place = held_place(held.directory)
    assert place == held.directory / "steps/both/two/within/steps/scores"
    assert (place / "journal.db").exists()


def test_jobs_within_branches_and_items_are_taken_back_as_well(scored: Mill, site: Sandbox) -> None:
    before = courses(site)
    scored.job("more", SCORES.replace("data.csv", "more.csv"))
    scored.write(grades(2, course="Printing"), "more.csv")
    text = steps(
        "name: both\nparallel:\n  left: [{name: scores, run: scores}]\n  right: [{gate: false}]",
        'name: each\nfor-each: "{{ [1, 2] }}"\nsteps: [{name: more, run: more}]',
    )
    done = scored.grind(text)
    assert done.outcome.counts["inserted"] == 5, done.outcome
    back = scored.grind(text, intent="undo", of_directory=done.directory)
    assert (back.outcome.status, courses(site)) == ("completed", before), back.outcome
