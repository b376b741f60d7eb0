"""The site goes away or lets nobody in: the run says so, and every row is told."""

from pathlib import Path

import pytest

from idms_cli.errors import LoginRefused, Unreachable
from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import Office, found, graded, grades, writes
from tests.switch import Switch


@pytest.fixture
def switch(site: Sandbox) -> object:
    made = Switch(site)
    yield made
    made.off()


@pytest.fixture
def office(tmp_path: Path, switch: Switch) -> Office:
    return Office(tmp_path, switch.url)


@pytest.mark.usefixtures("no_pauses")
def test_a_site_that_goes_away_while_new_records_are_written(office: Office, site: Sandbox, switch: Switch) -> None:
    done = office.run(graded(), grades(20), progress=switch.off_after("inserted", 8))
    assert (done.outcome.status, done.outcome.exit_code) == ("failed", 5)
    assert "no connection to 127.0.0.1" in done.outcome.reason
    assert done.summary == {"read": 20, "inserted": 8, "rejected": 12}
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 8
    assert list(done.codes) == list(range(10, 22))
    assert list(done.codes.values()) == ["site-error"] * 2 + ["not-sent"] * 10
    assert done.messages[21].startswith("Not sent: POST /api/ABC_Scores: no connection to 127.0.0.1")
    switch.on()
    again = office.run(graded())
    assert again.summary == {"read": 20, "inserted": 12, "unchanged": 8}
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 20


@pytest.mark.usefixtures("no_pauses")
def test_a_site_that_goes_away_while_records_are_changed(office: Office, site: Sandbox, switch: Switch) -> None:
    office.run(graded(), grades(20))
    done = office.run(graded(), grades(20, grade="B"), progress=switch.off_after("updated", 8))
    assert (done.outcome.status, done.outcome.exit_code) == ("failed", 5)
    assert done.summary == {"read": 20, "updated": 8, "rejected": 12}
    assert len(found(site, "ABC_Scores", Course="Bookbinding", Grade="B")) == 8
    switch.on()
    assert office.run(graded()).summary == {"read": 20, "updated": 12, "unchanged": 8}


@pytest.mark.usefixtures("no_pauses")
def test_the_rejects_of_an_outage_are_the_rest_of_the_file(office: Office, site: Sandbox, switch: Switch) -> None:
    done = office.run(graded(), grades(20), progress=switch.off_after("inserted", 8))
    switch.on()
    rest = office.run(graded(action="insert", match=[]), done.rejects_file.read_bytes())
    assert rest.summary == {"read": 12, "inserted": 12}
    members = [row["ID"] for row in found(site, "ABC_Scores", Course="Bookbinding")]
    assert members == [str(number) for number in range(101, 121)]


@pytest.mark.usefixtures("no_pauses")
def test_a_site_that_goes_away_while_the_plan_is_made_fails_the_run_before_anything_is_written(
    office: Office, site: Sandbox, switch: Switch
) -> None:
    error = office.fails(graded(), grades(400), progress=switch.off_after("read", 200))
    assert isinstance(error, Unreachable)
    assert writes(site) == 0
    switch.on()
    assert office.run(graded(), grades(3)).summary == {"read": 3, "inserted": 3}


@pytest.mark.usefixtures("no_pauses")
def test_a_run_that_is_gone_on_with_while_the_site_is_away_leaves_no_row_untold(
    office: Office, site: Sandbox, switch: Switch
) -> None:
    planned = office.run(graded(), grades(5), dry_run=True)
    switch.off()
    done = office.run(graded(), again=planned.directory)
    assert (done.outcome.status, done.outcome.exit_code) == ("failed", 5)
    assert done.summary == {"read": 5, "rejected": 5}
    assert set(done.codes.values()) == {"not-sent"}


def test_a_refused_login_is_tried_once_and_nothing_else_is_sent(office: Office, site: Sandbox) -> None:
    office.password = "wrong"
    error = office.fails(graded(), grades(3))
    assert isinstance(error, LoginRefused)
    assert error.exit_code == 4
    assert str(error) == (
        "Connection test: the site refuses the login of idms-background: The user name or password is incorrect."
    )
    assert site.calls["calls"] == {"POST token": 1}


def test_after_a_refused_login_the_next_run_does_not_even_try(office: Office, site: Sandbox) -> None:
    office.password = "wrong"
    office.fails(graded(), grades(3))
    site.reset()
    error = office.fails(graded())
    assert isinstance(error, LoginRefused)
    assert "refused before and is not tried again" in str(error)
    assert site.calls["total"] == 0


def test_after_the_password_changes_it_is_tried_again(office: Office, site: Sandbox) -> None:
    office.password = "wrong"
    office.fails(graded(), grades(3))
    office.password = "sandbox"
    assert office.run(graded()).summary == {"read": 3, "inserted": 3}


def test_a_login_that_is_refused_half_way_ends_the_run_and_leaves_no_row_untold(office: Office, site: Sandbox) -> None:
    def progress(counts: dict[str, int]) -> None:
        if counts["inserted"] == 4:
            site.tokens._users = dict.fromkeys(site.users, "changed")
            site.tokens.revoke_all()

    done = office.run(graded(), grades(10), progress=progress)
    assert (done.outcome.status, done.outcome.exit_code) == ("failed", 4)
    assert done.summary == {"read": 10, "inserted": 4, "rejected": 6}
    assert set(done.codes.values()) == {"not-sent"}
    assert site.calls["refused_logins"] == 1
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 4


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_run_that_is_asked_to_stop_ends_after_the_records_in_hand(
    office: Office, site: Sandbox, concurrency: int
) -> None:
    office.connection = f"rate: 100000/s, settle: 0s, concurrency: {concurrency}"
    told: list[int] = []
    done = office.run(
        graded(),
        grades(20),
        progress=lambda counts: told.append(counts["inserted"]),
        stopping=lambda: bool(told) and told[-1] >= 5,
    )
    written = done.summary["inserted"]
    assert 5 <= written < 5 + concurrency  # those in hand are finished
    assert (done.outcome.status, done.outcome.exit_code) == ("cancelled", 130)
    assert done.summary == {"read": 20, "inserted": written, "rejected": 20 - written}
    assert set(done.codes.values()) == {"not-sent"}
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == written


def test_a_run_is_stopped_between_two_rows_of_the_plan_too(office: Office, site: Sandbox) -> None:
    def stopping() -> bool:
        return int(site.calls["calls"].get("GET ABC_Scores", 0)) >= 3

    error = office.fails(graded(), grades(100), stopping=stopping)
    assert error.exit_code == 130
    assert site.calls["calls"]["GET ABC_Scores"] <= 4
    assert writes(site) == 0
