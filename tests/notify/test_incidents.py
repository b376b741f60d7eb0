"""A day in which jobs fail and get well: the messages in the outbox are exactly those that a person wants."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idms_cli.config.secrets import Secret
from idms_cli.config.settings import read_settings
from idms_cli.dispatch import alarms
from idms_cli.dispatch.ending import end_run
from idms_cli.dispatch.outagealarms import end_outages
from idms_cli.dispatch.sending import render
from idms_cli.history.rows import JobRow, NewRun, Run, Verdict
from idms_cli.history.store import Store
from tests.conftest import Place

NIGHT = 1_764_550_000.0
MINUTE, HOUR = 60.0, 3600.0
OPS = {
    "channels": ["ops"],
    "pings": [],
    "on": ["failed", "partial", "held", "late", "disabled"],
    "by_hand": False,
    "rejects": None,
    "remind_s": 24 * HOUR,
    "details": False,
}


class Days:
    """A history with jobs whose runs end as they are told, at the moments that they are told."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def job(self, name: str, **notify: Any) -> None:
        row = JobRow(name, f"{name}.yaml", "mark", first_seen=0, since=0, decided_until=0, notify={**OPS, **notify})
        self.store.catalog.save([row])

    def begin(self, job: str, at: float, **keys: Any) -> Run:
        digest = self.store.runs.remember(f"{job}.yaml", "module: import")
        new = NewRun(job, digest, **({"due": int(at)} if not keys.get("by_hand") else {}), **keys)
        with self.store.database.together(), self.store.database.write() as connection:
            run_id = self.store.runs.create(connection, new, at)
            pending = self.one(run_id)
            self.store.runs.start(connection, run_id, at)
            alarms.run_began(self.store, pending, at)
        return self.one(run_id)

    def end(self, run: Run, status: str, at: float, *, reason: str = "", **counts: int) -> None:
        assert end_run(self.store, run, at, {"status": status, "reason": reason, "counts": counts})

    def run(self, job: str, status: str, at: float, *, reason: str = "", **keys: Any) -> Run:
        counts = keys.pop("counts", {})
        run = self.begin(job, at, **keys)
        self.end(run, status, at + MINUTE, reason=reason, **counts)
        return run

    def one(self, run_id: int) -> Run:
        run = self.store.runs.one(run_id)
        assert run
        return run

    def told(self) -> list[str]:
        """All messages in their order: channel, what, job."""
        return [f"{one.channel} {one.kind} {one.job}".rstrip() for one in self.store.outbox.newest(1000)[::-1]]


@pytest.fixture
def days(tmp_path: Path) -> Iterator[Days]:
    with Store(tmp_path / "state") as store:
        yield Days(store)


def test_in_a_day_of_failures_that_come_and_go_each_is_told_once(days: Days) -> None:
    """Three jobs each hour; one fails from 03:00 to 07:00 and again at 20:00, one is partial all day, one is fine."""
    for name in ("flaky", "dirty", "fine"):
        days.job(name)
    for hour in range(24):
        at = NIGHT + hour * HOUR
        days.run("flaky", "failed" if 3 <= hour < 7 or hour == 20 else "completed", at)
        days.run("dirty", "partial", at, counts={"read": 10, "rejected": 2})
        days.run("fine", "completed", at)
        alarms.remind(days.store, at)
    assert days.told() == [
        "ops opened dirty",
        "ops opened flaky",
        "ops closed flaky",
        "ops opened flaky",
        "ops closed flaky",
    ]
    alarms.remind(days.store, NIGHT + 24 * HOUR)
    assert days.told()[5:] == []
    alarms.remind(days.store, NIGHT + 24 * HOUR + MINUTE)
    alarms.remind(days.store, NIGHT + 24 * HOUR + 2 * MINUTE)
    assert days.told()[5:] == ["ops reminder dirty"]
    closed = [one for one in days.store.outbox.newest(1000) if one.kind == "closed"]
    assert [(one.facts["times"], one.facts["until"] - one.facts["since"]) for one in closed] == [
        (1, HOUR),
        (4, 4 * HOUR),
    ]


def test_runs_by_hand_tell_nobody_unless_the_job_says_so(days: Days) -> None:
    days.job("quiet")
    days.job("loud", by_hand=True)
    for name in ("quiet", "loud"):
        days.run(name, "failed", NIGHT, by_hand=True)
    assert days.told() == ["ops opened loud"]


def test_a_run_by_hand_that_goes_well_ends_the_trouble(days: Days) -> None:
    days.job("scores")
    failed = days.run("scores", "failed", NIGHT)
    days.run("scores", "completed", NIGHT + HOUR, by_hand=True, intent="retry", of_run=failed.id)
    assert days.told() == ["ops opened scores", "ops closed scores"]


@pytest.mark.parametrize("keys", [{"dry_run": True}, {"intent": "test"}, {"intent": "backfill"}, {"intent": "undo"}])
def test_what_is_no_run_of_the_job_ends_no_trouble(days: Days, keys: dict[str, Any]) -> None:
    days.job("scores")
    days.run("scores", "failed", NIGHT)
    days.run("scores", "completed", NIGHT + HOUR, by_hand=True, **keys)
    assert days.told() == ["ops opened scores"]


def test_a_run_that_was_interrupted_and_goes_on_is_told_only_when_it_ends_badly(days: Days) -> None:
    days.job("scores")
    run = days.begin("scores", NIGHT)
    days.store.runs.interrupt(run.id, "its process died", {})
    assert days.told() == []
    days.end(days.one(run.id), "failed", NIGHT + HOUR, reason="its process died 3 times")
    assert days.told() == ["ops opened scores"]


def test_a_held_run_is_told_though_the_job_was_in_trouble_before_and_its_approval_ends_both(days: Days) -> None:
    days.job("scores")
    days.run("scores", "failed", NIGHT)
    held = days.run("scores", "held", NIGHT + HOUR)
    days.run("scores", "failed", NIGHT + 2 * HOUR)
    with days.store.database.write() as connection:
        days.store.runs.approve(connection, held.id, "anna", NIGHT + 3 * HOUR)
    assert days.told() == ["ops opened scores", "ops worse scores"]
    days.run("scores", "completed", NIGHT + 4 * HOUR)
    assert days.told()[2:] == ["ops closed scores"]


def test_a_job_that_its_failures_disable_is_told_once_more(days: Days) -> None:
    days.job("scores")
    for hour in range(3):
        days.run("scores", "failed", NIGHT + hour * HOUR, disable_after=3)
    assert days.told() == ["ops opened scores", "ops worse scores"]
    worse = days.store.outbox.newest(1)[0]
    assert (worse.facts["trouble"], worse.facts["disabled"]) == ("disabled", "disabled after 3 failures in a row")


def test_a_job_that_is_held_again_after_somebody_rejected_is_told_and_not_reminded_of_before(days: Days) -> None:
    days.job("scores")
    first = days.run("scores", "held", NIGHT)
    assert days.store.runs.refuse(first.id, "anna", NIGHT + HOUR)
    alarms.remind(days.store, NIGHT + 25 * HOUR)
    days.run("scores", "failed", NIGHT + 26 * HOUR)
    second = days.run("scores", "held", NIGHT + 27 * HOUR)
    days.run("scores", "failed", NIGHT + 28 * HOUR, reason="the site cannot be reached")
    alarms.remind(days.store, NIGHT + 60 * HOUR)
    assert days.told() == ["ops opened scores", "ops worse scores", "ops reminder scores"]
    reminder = days.store.outbox.newest(1)[0]
    assert (reminder.facts["trouble"], reminder.facts["run"]) == ("held", second.id)


def test_a_job_that_is_disabled_again_after_somebody_enabled_it_is_told_again(days: Days) -> None:
    days.job("scores")
    days.run("scores", "failed", NIGHT, disable_after=1)
    days.store.switches.enable("scores", NIGHT + HOUR, by="anna")
    alarms.remind(days.store, NIGHT + 25 * HOUR)
    assert days.told() == ["ops opened scores"]
    days.run("scores", "failed", NIGHT + 26 * HOUR, disable_after=1)
    alarms.remind(days.store, NIGHT + 60 * HOUR)
    assert days.told() == ["ops opened scores", "ops worse scores", "ops reminder scores"]


@pytest.mark.parametrize("what", ["reminder", "closed"])
def test_two_ticks_at_once_tell_it_once(days: Days, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The other one does all between the look of this one and its transaction."""
    facts = {"connection": "live", "channels": ["ops"], "remind_s": HOUR, "reason": "", "hint": "", "jobs": []}
    days.store.troubles.begin("imis:live", "down", NIGHT, facts=facts, remind_at=NIGHT)

    def tell(store: Store) -> None:
        if what == "reminder":
            alarms.remind(store, NIGHT + HOUR)
        else:
            end_outages(store, [], NIGHT + HOUR)

    together = days.store.database.together

    def late() -> object:
        with Store(days.store.state) as other:
            tell(other)
        return together()

    monkeypatch.setattr(days.store.database, "together", late)
    tell(days.store)
    assert days.told() == [f"ops {what} imis:live"]


def test_few_rejects_are_no_trouble_where_the_job_allows_them(days: Days) -> None:
    days.job("scores", rejects=[None, 10.0])
    days.run("scores", "partial", NIGHT, counts={"read": 100, "rejected": 10})
    days.run("scores", "partial", NIGHT + HOUR, counts={"read": 100, "rejected": 11})
    days.run("scores", "partial", NIGHT + 2 * HOUR, counts={"read": 100, "rejected": 9})
    assert days.told() == ["ops opened scores", "ops closed scores"]


def test_steps_that_failed_are_told_however_many_rejects_are_allowed(days: Days) -> None:
    days.job("feed", rejects=[5, None])
    days.run("feed", "partial", NIGHT, counts={"read": 10, "rejected": 1, "steps": 2, "steps_failed": 1})
    assert days.told() == ["ops opened feed"]


def test_only_what_the_job_lists_is_told(days: Days) -> None:
    days.job("scores", on=["held"])
    days.run("scores", "failed", NIGHT)
    days.run("scores", "held", NIGHT + HOUR)
    assert days.told() == ["ops opened scores"]


def test_a_slot_that_nobody_ran_is_told_and_the_next_run_ends_that(days: Days) -> None:
    days.job("scores")
    alarms.was_missed(days.store, Verdict("scores", int(NIGHT), reason="missed: over the grace of 6h"), NIGHT + HOUR)
    days.run("scores", "skipped", NIGHT + 2 * HOUR, reason="nothing new")
    assert days.told() == ["ops opened scores", "ops closed scores"]


def test_nothing_to_read_does_not_mend_what_was_rejected(days: Days) -> None:
    days.job("scores")
    days.run("scores", "partial", NIGHT, counts={"read": 10, "rejected": 2})
    days.run("scores", "skipped", NIGHT + HOUR, reason="nothing new")
    assert days.told() == ["ops opened scores"]


def test_nobody_is_reminded_of_a_job_that_somebody_has_paused(days: Days) -> None:
    days.job("scores")
    days.run("scores", "failed", NIGHT)
    days.store.pauses.begin("scores", int(NIGHT + HOUR), until=None, why="", who="anna")
    alarms.remind(days.store, NIGHT + 25 * HOUR)
    assert days.told() == ["ops opened scores"]


def test_a_silence_is_told_once_to_everybody_who_is_told_anything(days: Days) -> None:
    days.store.catalog.save(
        [
            JobRow(name, "a", "b", first_seen=0, since=0, decided_until=0, schedule="x", notify={**OPS, "channels": to})
            for name, to in {"one": ["ops"], "two": ["ops", "board"]}.items()
        ]
    )
    with days.store.database.together():
        alarms.was_silent(days.store, NIGHT, NIGHT + HOUR)
    assert days.told() == ["ops silent", "board silent"]


def test_a_job_whose_file_is_gone_is_in_no_trouble(days: Days) -> None:
    days.job("scores")
    days.run("scores", "failed", NIGHT)
    alarms.forget_gone(days.store, ["scores"], NIGHT + HOUR)
    assert days.store.troubles.open() == []
    assert days.told() == ["ops opened scores"]


def test_a_ping_tells_start_and_end_and_an_error_is_never_success(days: Days) -> None:
    days.job("scores", channels=[], pings=["watch"], rejects=[1, None])
    ended = []
    for hour, (status, counts) in enumerate(
        [
            ("completed", {}),
            ("failed", {}),
            ("partial", {"read": 2, "rejected": 2}),
            ("partial", {"read": 2, "rejected": 1}),
            ("held", {}),
            ("skipped", {}),
            ("cancelled", {}),
        ]
    ):
        days.run("scores", status, NIGHT + hour * HOUR, counts=counts)
        newest = days.store.outbox.newest(1)[0]
        ended.append((status, newest.kind))
        days.store.outbox.sent(newest.id, NIGHT)
    assert ended == [
        ("completed", "success"),
        ("failed", "failure"),
        ("partial", "failure"),
        ("partial", "success"),
        ("held", "failure"),
        ("skipped", "success"),
        ("cancelled", "start"),
    ]


def test_an_old_success_that_still_waits_does_not_come_after_a_failure(days: Days) -> None:
    days.job("scores", channels=[], pings=["watch"])
    days.run("scores", "completed", NIGHT)
    days.run("scores", "failed", NIGHT + HOUR)
    states = [(one.kind, one.state) for one in days.store.outbox.newest(10)[::-1]]
    assert states == [("start", "dropped"), ("success", "dropped"), ("start", "dropped"), ("failure", "waiting")]


def test_a_failure_that_still_waits_is_told_though_the_next_run_has_begun_or_went_well(days: Days) -> None:
    days.job("scores", channels=[], pings=["watch"])
    days.run("scores", "failed", NIGHT)
    days.run("scores", "completed", NIGHT + HOUR)
    days.begin("scores", NIGHT + 2 * HOUR)
    waiting = [one.kind for one in days.store.outbox.newest(10)[::-1] if one.state == "waiting"]
    assert waiting == ["failure", "success", "start"]


def test_a_good_file_pings_no_success_where_another_file_of_the_slot_failed(days: Days) -> None:
    days.job("scores", channels=[], pings=["watch"])
    first = days.run("scores", "failed", NIGHT)
    second = days.begin("scores", NIGHT + MINUTE)
    with days.store.database.write() as connection:
        connection.execute("UPDATE run SET batch = ?", (first.id,))
    days.end(days.one(second.id), "completed", NIGHT + 2 * MINUTE)
    assert [one.kind for one in days.store.outbox.newest(9)[::-1] if one.state == "waiting"] == ["failure", "start"]


def test_message_and_outcome_are_one_transaction(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    days.job("scores")
    run = days.begin("scores", NIGHT)

    def fails(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(days.store.outbox, "add", fails)
    with pytest.raises(RuntimeError):
        days.end(run, "failed", NIGHT + HOUR)
    assert days.one(run.id).status == "running"
    assert days.store.troubles.open() == []


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            "1 of 2 rows cannot go out. Row 7: Template: 'Zoë O'Brien' is not a number. Nothing was delivered",
            "1 of 2 rows cannot go out. Row 7: Template: '…' is not a number. Nothing was delivered",
        ),
        ("Row 1, column Name: 'Łukasz' has Ł (U+0141), which cp1252 lacks.", "Row 1, column Name: '…' has Ł (U+0141)"),
        ("Query $/Idms/Scores: '4711' stands in two different rows, so", "Query $/Idms/Scores: '…' stands in two"),
        ("the file has no column 'grad'", "the file has no column 'grad'"),
        ("Bearer t0k3n-of-the-partner was refused", "Bearer *** was refused"),
    ],
    ids=["template", "letter", "key", "column", "secret"],
)
def test_no_value_of_a_row_and_no_secret_is_in_a_message_unless_the_job_says_details(
    days: Days, reason: str, told: str
) -> None:
    Secret("t0k3n-of-the-partner").reveal()
    days.job("scores", pings=["watch"])
    days.job("open", details=True)
    for name in ("scores", "open"):
        days.run(name, "failed", NIGHT, reason=reason)
    facts = {(one.channel, one.job): one.facts["reason"] for one in days.store.outbox.newest(9) if one.kind != "start"}
    assert facts["ops", "scores"].startswith(told)
    assert facts["watch", "scores"].startswith(told)
    assert facts["ops", "open"] == reason.replace("t0k3n-of-the-partner", "***")


@pytest.mark.parametrize("details", [False, True])
def test_why_rows_were_rejected_is_told_by_kind_and_with_an_example_only_where_the_job_says_so(
    place: Place, details: bool
) -> None:
    """The whole way: a scheduled import, its journal, and the text of the message about it."""
    place.scores("scores", 1)
    place.write("scores.csv", "member,course,grade\n101,Cooking,A\n101-Zoë-O'Brien,Cooking,A\n")
    settings = place.directory / "idms.yaml"
    settings.write_text(settings.read_text() + 'channels: {ops: {program: ["/bin/true"]}}\n')
    place.job("scores", more=f"notify: {{channels: [ops], by_hand: true, details: {str(details).lower()}}}")
    place.idms("run-due")
    assert place.idms("run", "scores").returncode == 1
    with Store(place.state) as store:
        (opened,) = [one for one in store.outbox.newest(9) if one.kind == "opened"]
        _, text = render(store, read_settings(settings), opened, datetime.fromtimestamp(NIGHT, UTC))
    assert "Why rows were rejected:\n  1 x " in text
    assert ("Zoë" in text) is details
