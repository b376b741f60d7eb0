"""What reports ask of a long history is found by an index: no query reads all runs or slots."""

import re
from collections.abc import Callable, Iterator

import pytest

from idms_cli.history.rows import NewRun, Run, Wanted
from idms_cli.history.store import Store
from idms_cli.history.unsent import READY

QUESTIONS: dict[str, Callable[[Store], object]] = {
    "status": lambda store: store.runs.last_of_each_job(),
    "open": lambda store: store.runs.open(),
    "history": lambda store: store.runs.history(Wanted()),
    "history of a job": lambda store: store.runs.history(Wanted("scores")),
    "history by status": lambda store: store.runs.history(Wanted(status="held")),
    "history since": lambda store: store.runs.history(Wanted(since=1.0)),
    "history of a job by status and time": lambda store: store.runs.history(Wanted("scores", "held", 1.0)),
    "history until": lambda store: store.runs.history(Wanted(until=1.0)),
    "history of a module": lambda store: store.runs.history(Wanted(module="import", by_hand=False)),
    "history of a connection": lambda store: store.runs.history(Wanted(connection="live", status="held")),
    "history by hand": lambda store: store.runs.history(Wanted(by_hand=True)),
    "skipped of some jobs": lambda store: store.slots.skipped(Wanted(until=2.0), jobs=["scores"]),
    "skipped": lambda store: store.slots.skipped(Wanted()),
    "skipped of a job": lambda store: store.slots.skipped(Wanted("scores")),
    "slots of a job": lambda store: store.slots.of("scores"),
    "slots around a moment": lambda store: store.slots.around("scores", 1),
    "slots of a pause": lambda store: store.slots.skipped_in("scores", 1, 2),
    "first slot of a job": lambda store: store.slots.first("scores"),
    "slots of a silence": lambda store: store.slots.decided_late(1, 2),
    "usual rows": lambda store: store.runs.usual_rows("scores"),
    "who wrote": lambda store: list(store.runs.that_wrote("ABC_Scores", [1])),
    "trend of a job": lambda store: list(store.statistics.newest("scores")),
    "messages given up": lambda store: store.outbox.given_up(1.0),
    "steps of a run": lambda store: store.steps.of(1),
    "files that steps took": lambda store: store.steps.took("scores", before=1),
    "newest of a job": lambda store: store.statistics.recent("scores", 30),
    "since": lambda store: list(store.statistics.since(1.0)),
    "by hour": lambda store: list(store.statistics.by_hour(1.0)),
    "by day": lambda store: list(store.statistics.by_day(9e9, days=30)),
    "trouble of a job": lambda store: store.troubles.open_of("scores"),
    "troubles": lambda store: store.troubles.open(),
    "troubles to remind of": lambda store: store.troubles.to_remind(1.0),
    "channels with messages": lambda store: store.outbox.due_channels(1.0),
    "anything to send": lambda store: store.database.connection.execute(READY, {"now": 1.0}).fetchone(),
    "next message": lambda store: store.outbox.next("ops", 1.0),
    "messages": lambda store: store.outbox.newest(20),
    "messages that wait": lambda store: store.outbox.newest(20, only_open=True),
    "messages that were given up": lambda store: store.outbox.given_up(1.0),
}
OPEN: dict[str, Callable[[Store, Run], object]] = {
    "of a job": lambda store, run: store.runs.open_of(run.job),
    "earlier ones": lambda store, run: store.queue.earlier(run),
    "of slots": lambda store, run: store.queue.open_slots(run.job, run.id),
    "in hands": lambda store, _: store.queue.in_hands(),
}
IN_ORDER = re.compile(
    r"SCAN (run|message)$|SCAN run USING INDEX run_by_hand$|SCAN (trouble|this) USING INDEX (trouble|message)_open"
    r"|SCAN (newest|name|site|json_each|\(subquery|CONSTANT)"
)
"""What is read in the order of ids ends with the limit, also of runs that somebody asked for; an index of what is open
is small, and so are the others."""
UP_TO = "USING INTEGER PRIMARY KEY (rowid<?)"
"""No scan by its name, and yet all that is older is read."""


@pytest.fixture
def asked(store: Store) -> Iterator[list[str]]:
    """The statements that the store is asked, as SQLite completes them."""
    statements: list[str] = []
    store.database.connection.set_trace_callback(statements.append)
    yield statements
    store.database.connection.set_trace_callback(None)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_is_answered_by_an_index(
    store: Store, asked: list[str], question: Callable[[Store], object]
) -> None:
    question(store)
    queries = [each for each in asked if each.lstrip().startswith(("SELECT", "WITH"))]
    assert queries
    for query in queries:
        plan = [row["detail"] for row in store.database.connection.execute(f"EXPLAIN QUERY PLAN {query}")]
        scans = [each for each in plan if "SCAN" in each and not IN_ORDER.match(each)]
        assert not scans, plan
        assert not [each for each in plan if each.endswith(UP_TO)], plan
        if {"SCAN run", "SCAN message"} & {*plan}:
            assert not [each for each in plan if "TEMP B-TREE" in each], plan


@pytest.mark.parametrize("question", OPEN.values(), ids=OPEN)
def test_open_runs_of_a_job_are_looked_for_among_the_open_ones_not_in_its_whole_history(
    store: Store, asked: list[str], question: Callable[[Store, Run], object]
) -> None:
    definition = store.runs.remember("scores.yaml", "")
    with store.database.write() as connection:
        number = store.runs.create(connection, NewRun("scores", definition), 1.0)
    run = store.runs.one(number)
    assert run
    asked.clear()
    question(store, run)
    (query,) = asked
    plan = [row["detail"] for row in store.database.connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert re.search(r"INDEX run_(open|by_status)\b", plan[0]), plan
