"""What every store must promise of the job files and settings as they were last read."""

from dataclasses import replace

from idms_cli.history.rows import JobRow
from idms_cli.history.store import Store

SCORES = JobRow(
    name="scores",
    path="/etc/idms/jobs.d/scores.yaml",
    fingerprint="1.2.3.4",
    description="Scores",
    module="import",
    schedule='{"cron": "0 2 * * *"}',
    timezone="Europe/Zurich",
    first_seen=1000,
    since=1500,
    decided_until=2000,
    next_due=3000,
)
PROBLEM = {"file": "scores.yaml", "line": 3, "column": 1, "message": "a tab", "hint": "use spaces", "value": ""}


def test_a_job_is_given_back_as_it_was_saved(store: Store) -> None:
    broken = JobRow(name="broken", path="b.yaml", fingerprint="5", enabled=False, problems=(PROBLEM,))
    store.catalog.save([SCORES, broken])
    assert store.catalog.all() == {"broken": broken, "scores": SCORES}
    assert list(store.catalog.all()) == ["broken", "scores"]


def test_a_job_that_is_saved_again_is_replaced_but_first_seen_once(store: Store) -> None:
    store.catalog.save([SCORES])
    later = replace(SCORES, fingerprint="9", enabled=False, first_seen=9999, decided_until=2500, next_due=None)
    store.catalog.save([later])
    assert store.catalog.all() == {"scores": replace(later, first_seen=1000)}


def test_decided_slots_stay_decided_however_late_a_tick_comes(store: Store) -> None:
    store.catalog.save([SCORES])
    with store.database.write() as connection:
        store.catalog.advance(connection, "scores", decided_until=4000, next_due=5000)
        store.catalog.advance(connection, "scores", decided_until=3500, next_due=5000)
    assert store.catalog.all()["scores"] == replace(SCORES, decided_until=4000, next_due=5000)


def test_after_a_clock_that_was_ahead_decided_slots_are_open_again(store: Store) -> None:
    store.catalog.save([SCORES])
    store.catalog.rewind("scores", decided_until=500, next_due=600)
    assert store.catalog.all()["scores"] == replace(SCORES, decided_until=500, next_due=600)


def test_a_forgotten_job_is_gone_and_may_come_again_as_a_new_one(store: Store) -> None:
    store.catalog.save([SCORES, replace(SCORES, name="other")])
    store.catalog.forget(["scores", "never seen"])
    assert list(store.catalog.all()) == ["other"]
    store.catalog.save([replace(SCORES, first_seen=7000)])
    assert store.catalog.all()["scores"].first_seen == 7000


def test_the_settings_of_each_file_are_kept_apart(store: Store) -> None:
    store.catalog.save_config("/a/idms.yaml", "1", jobs="/a/jobs.d", max_parallel=4)
    store.catalog.save_config("/b/idms.yaml", "2", jobs="/b/jobs.d", max_parallel=2)
    store.catalog.save_config("/a/idms.yaml", "3", jobs="/a/jobs", max_parallel=8)
    rows = store.database.connection.execute("SELECT path, fingerprint, jobs, max_parallel FROM config ORDER BY path")
    assert list(map(tuple, rows)) == [("/a/idms.yaml", "3", "/a/jobs", 8), ("/b/idms.yaml", "2", "/b/jobs.d", 2)]
