"""`idms check --online`: what only the site can say against a job, at its place in the file, and without a run."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from idms_cli.config.problems import ProblemsFound
from idms_cli.imis.clock import SystemClock
from idms_cli.sandbox import Sandbox
from tests.commands.conftest import GOOD, Desk
from tests.modules.imports.office import Office

LOGIN = "username: idms-background, password: {env: IDMS_TEST_PASSWORD}"
FAULTY = """\
module: import
with:
  source: {path: nowhere.csv}
  destination: {panel: ABC_Scores}
  action: update
  match: [ID]
  map:
    ID: member
    Grad: grade
    Grade: {value: X}
    Hours: {template: "{{ hours|number }}", date: "%d/%m/%Y"}
    Ordinal: number
"""


@pytest.fixture
def online(desk: Desk, url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("IDMS_TEST_PASSWORD", "sandbox")
    desk.settings(f'connections: {{test: {{url: "{url}", {LOGIN}, rate: 10000/s}}}}\n')
    return desk


@pytest.fixture
def nobody() -> Iterator[str]:
    """A url that nobody answers at."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def _problems(desk: Desk, name: str, text: str) -> list[tuple[int, int, str]]:
    desk.job(name, text)
    told = desk.idms("check", "--online", "--json", name)
    (job,) = json.loads(told.out)["jobs"]
    assert told.code == (2 if job["problems"] else 0)
    return [(one["line"], one["column"], one["message"]) for one in job["problems"]]


def test_everything_that_the_site_says_against_a_job_is_told_at_once_at_its_place(online: Desk, site: Sandbox) -> None:
    assert _problems(online, "faulty", FAULTY) == [
        (6, 10, "the contact's ID alone matches every row of ABC_Scores that the contact has"),
        (9, 5, "the site knows no property 'Grad'"),
        (10, 5, "'X' is not among the codes of Grade. They are: A, B, C, F"),
        (11, 5, "date is for dates, but Hours is of type Decimal"),
        (12, 5, "Ordinal cannot be written"),
    ]
    assert not any(name.startswith(("PUT", "DELETE")) for name in site.calls["calls"])


def test_it_says_what_a_run_would_say(online: Desk, url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    office = Office(tmp_path_factory.mktemp("office"), url)
    text = FAULTY.replace("match: [ID]", "match: [ID, Grade]")
    run = office.fails(text.replace("nowhere", "data"), "member,grade,hours,number\n101,A,1,1\n")
    assert isinstance(run, ProblemsFound)
    told = [(problem.line, problem.column, problem.message) for problem in run.problems]
    assert len(told) == 4
    assert _problems(online, "faulty", text) == told


def test_a_match_on_the_contact_alone_is_fine_where_a_contact_has_one_row_and_where_the_job_says_all(
    online: Desk,
) -> None:
    wide = GOOD.replace("match: [ID, Course]", "match: [ID]")
    assert len(_problems(online, "wide", wide)) == 1
    assert _problems(online, "wide", wide + "  options: {on_multiple: all}\n") == []
    single = "{panel: ABC_Membership}\n  action: update\n  match: [ID]\n  map: {ID: member, Standing: grade}\n"
    assert _problems(online, "one", GOOD[: GOOD.index("{panel")] + single) == []


def test_without_the_site_check_says_that_only_the_site_knows_whether_a_match_is_too_wide(desk: Desk) -> None:
    desk.job("wide", GOOD.replace("match: [ID, Course]", "match: [ID]"))
    told = desk.idms("check", "wide")
    assert told.code == 0
    assert "refused where a contact may have several, which only the site knows: idms check --online" in told.out
    assert not desk.state.exists()


def test_a_business_object_that_the_site_does_not_have_is_told_at_its_place(online: Desk) -> None:
    told = _problems(online, "gone", GOOD.replace("ABC_Scores", "ABC_Score"))
    assert told == [(5, 24, "The site has no business object 'ABC_Score'. Did you mean 'ABC_Scores'?")]


def test_what_is_looked_for_with_find_is_asked_as_well(online: Desk) -> None:
    helped = GOOD.replace("upsert\n  match: [ID, Course]", "insert-matching\n  find: {Emial: email}")
    (problem,) = _problems(online, "found", helped.replace("ID: member, ", ""))
    assert problem == (7, 10, "the site knows no property 'Emial'")


def test_neither_a_broken_job_nor_a_silent_site_stops_the_others(
    online: Desk, url: str, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SystemClock, "sleep", lambda self, seconds: None)
    online.settings(
        f'connections:\n  test: {{url: "{url}", {LOGIN}, rate: 10000/s}}\n  away: {{url: "{nobody}", {LOGIN}}}\n'
        "defaults: {connection: test}\n"
    )
    online.job("broken", "module: import\n")
    online.job("dead", f"connection: away\n{GOOD}")
    online.job("wide", GOOD.replace("match: [ID, Course]", "match: [ID]"))
    told = online.idms("check", "--online")
    assert told.code == 2
    assert "jobs.d/broken.yaml:1:1: " in told.out
    assert "dead: its site could not be asked: " in told.out
    assert "good: ok\n" in told.out
    assert "jobs.d/wide.yaml:7:10: the contact's ID alone" in told.out
    assert told.out.endswith("2 of 4 jobs have problems. Of 1 the site could not be asked.\n")

    assert online.idms("check", "--online", "good", "dead").code == 5
    dead, good = json.loads(online.idms("check", "--online", "--json", "good", "dead").out)["jobs"][::-1]
    assert good["online"] == {"asked": True, "reason": "", "hint": "", "warnings": []}
    assert not dead["online"]["asked"]
    assert "Connection refused" in dead["online"]["reason"]
    assert dead["problems"] == []


def test_a_site_is_asked_once_for_what_several_jobs_want_to_know(online: Desk, site: Sandbox) -> None:
    for number in range(5):
        online.job(f"job{number}", GOOD)
    assert online.idms("check", "--online").out.endswith("6 jobs, all well, and the sites have what they name.\n")
    calls = site.calls["calls"]
    assert calls["POST token"] == 1
    assert sum(number for name, number in calls.items() if name.startswith("GET ")) <= 3


def test_a_login_that_is_refused_is_told_once_for_each_job_and_tried_once(
    online: Desk, site: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDMS_TEST_PASSWORD", "wrong")
    online.job("other", GOOD)
    told = online.idms("check", "--online")
    assert told.code == 4
    assert told.out.count("its site could not be asked: ") == 2
    assert "wrong" not in told.text
    assert site.calls["calls"]["POST token"] == 1
