"""What is planned is written once, and what became of each record is known, however the site fails."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from idms_cli.errors import InputError, LoginRefused, OutcomeUnknown, RecordRefused, SiteError, Unreachable, Unsure
from idms_cli.imis.properties import Value
from idms_cli.records.apply import Applier
from idms_cli.records.entry import Entry, Intent, Verdict
from idms_cli.records.journal import Journal
from idms_cli.records.window import Window
from tests.records.shelf import PROPERTIES, Shelf, rules

FAULT_500 = OutcomeUnknown("POST /api/Shelf: 500 Server error.", status=500)
NO_ANSWER = OutcomeUnknown("POST /api/Shelf: the connection broke.")
DOWN = Unreachable("no connection")
KEYLESS = {name: replace(one, key=False) for name, one in PROPERTIES.items()}
"""The site gives the key."""


class Bug(Exception):
    """One of ours."""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path)) as made:
        made.begin()
        yield made


def new(line: int, **match: Value) -> Entry:
    values: dict[str, Value] = {"ID": str(line), "Name": f"N{line}"}
    return Entry(line, "planned", "insert", match=match or {"ID": str(line)}, values=values)


def plain(line: int) -> Entry:
    """Of a job without match."""
    return replace(new(line), match={})


def change(line: int, name: str = "new") -> Entry:
    return Entry(
        line,
        "planned",
        "update",
        key=(str(line),),
        match={"ID": str(line)},
        values={"Name": name},
        changes={"Name": ("old", name)},
    )


def shelf_of(*lines: int) -> Shelf:
    return Shelf(*({"ID": str(line), "Name": "old", "Note": "kept"} for line in lines))


def keep(journal: Journal, entries: list[Entry]) -> None:
    with journal.transaction():
        journal.add(entries)
    journal.finish_plan([])


def apply(
    journal: Journal, shelf: Shelf, *, width: int = 1, is_old_plan: bool = False, **changes: object
) -> dict[int, str]:
    """Carry the plan out, to its end or to its error, and tell the state (and codes) of each line."""
    told: list[Verdict] = []
    with Window(width) as window:
        try:
            applier = Applier(shelf, rules(**changes), journal, settle_s=0, is_old_plan=is_old_plan)
            applier.apply(window, tell=told.extend)
        except (Bug, LoginRefused, Unreachable, InputError, Unsure) as error:
            return {**states(journal), 0: type(error).__name__}
    return states(journal)


def states(journal: Journal) -> dict[int, str]:
    found: dict[int, str] = {}
    for state in ("planned", "sending", "done", "unchanged"):
        for window in journal.todo(state, window=50):
            found |= {entry.line: state for entry in window}
    found |= {line: ", ".join(fault.code for fault in faults) for line, faults in journal.rejected()}
    found |= {line: "skipped" for line, _ in journal.skipped()}
    return dict(sorted(found.items()))


def message(journal: Journal, line: int) -> str:
    return " ".join(fault.message for fault in journal.faults(line))


@pytest.mark.parametrize("width", [1, 3])
def test_new_and_changed_records_are_written(journal: Journal, width: int) -> None:
    shelf = shelf_of(3, 5)
    keep(journal, [new(2), change(3), new(4), change(5), new(6)])
    assert apply(journal, shelf, width=width) == dict.fromkeys(range(2, 7), "done")
    assert {key: row["Name"] for key, row in shelf.records.items()} == {
        "2": "N2",
        "3": "new",
        "4": "N4",
        "5": "new",
        "6": "N6",
    }
    assert shelf.records["3"]["Note"] == "kept"


@pytest.mark.parametrize("width", [1, 3])
def test_that_a_record_is_about_to_be_sent_is_on_disk_before_it_is_sent(
    journal: Journal, tmp_path: Path, width: int
) -> None:
    seen: list[tuple[int, set[int]]] = []

    def look(verb: str, what: object) -> None:
        if verb in ("insert", "update"):
            with closing(Journal(tmp_path)) as other:
                in_one_read = next(other.todo("sending", window=9))  # a second one would see a later moment
                sending = {entry.line for entry in in_one_read}
            seen.append((int(str(what)), sending))

    shelf = shelf_of(3, 6)
    shelf.on_call = look
    keep(journal, [new(2), change(3), new(4), new(5), change(6)])
    apply(journal, shelf, width=width)
    assert sorted(line for line, _ in seen) == [2, 3, 4, 5, 6]
    assert all(line in sending for line, sending in seen)
    assert max(len(sending) for _, sending in seen) <= width


def test_a_slow_record_holds_up_none_of_the_others(journal: Journal) -> None:
    last_was_sent = threading.Event()

    def slow(verb: str, what: object) -> None:
        if what == "9":
            last_was_sent.set()
        if what == "2":
            assert last_was_sent.wait(30)

    shelf = Shelf()
    shelf.on_call = slow
    keep(journal, [new(line) for line in range(2, 10)])
    assert apply(journal, shelf, width=2) == dict.fromkeys(range(2, 10), "done")


@pytest.mark.parametrize("width", [1, 3])
def test_what_is_under_way_when_the_run_is_stopped_is_waited_for(journal: Journal, width: int) -> None:
    def stop(_: object) -> None:
        raise Bug

    shelf = shelf_of(*range(2, 7))
    keep(journal, [*(change(line) for line in range(2, 7)), new(8), new(9)])
    with Window(width) as window, pytest.raises(Bug):
        Applier(shelf, rules(), journal, settle_s=0).apply(window, tell=stop)
    told = states(journal)
    assert set(told.values()) <= {"planned", "done"}
    written = {line for line in told if shelf.records.get(str(line), {}).get("Name") in ("new", f"N{line}")}
    assert {line for line, state in told.items() if state == "done"} == written


def test_only_what_differs_now_is_written(journal: Journal) -> None:
    shelf = shelf_of(2, 3)
    shelf.records["2"]["Name"] = "new"
    keep(journal, [change(2), change(3), change(4)])
    assert apply(journal, shelf) == {2: "unchanged", 3: "done", 4: "gone"}
    assert shelf.calls == ["read 2", "read 3", "update 3", "read 4"]


@pytest.mark.parametrize("lost", [FAULT_500, NO_ANSWER], ids=["500", "no answer"])
def test_a_new_record_whose_answer_was_lost_is_looked_for_and_found(journal: Journal, lost: Exception) -> None:
    shelf = Shelf()
    shelf.fails["insert"].append(lost)
    shelf.stores_though = True
    keep(journal, [new(2)])
    assert apply(journal, shelf) == {2: "done"}
    assert shelf.calls == ["insert 2", "find 2"]


@pytest.mark.parametrize("lost", [FAULT_500, NO_ANSWER], ids=["500", "no answer"])
def test_a_new_record_that_is_not_there_is_sent_once_more(journal: Journal, lost: Exception) -> None:
    shelf = Shelf()
    shelf.fails["insert"].append(lost)
    keep(journal, [new(2)])
    assert apply(journal, shelf) == {2: "done"}
    assert shelf.count("insert") == 2


def test_a_new_record_that_fails_twice_is_rejected_with_what_the_site_said(journal: Journal) -> None:
    shelf = Shelf()
    shelf.fails["insert"].extend([FAULT_500, FAULT_500])
    keep(journal, [new(2), new(3)])
    assert apply(journal, shelf) == {2: "server-error", 3: "done"}
    assert message(journal, 2) == "POST /api/Shelf: 500 Server error. It was looked for, and is not there."


def test_a_second_try_that_meets_the_first_is_not_told_as_refused(journal: Journal) -> None:
    """A cache may hide what the first try stored."""
    shelf = Shelf()
    shelf.fails["insert"].append(NO_ANSWER)
    shelf.stores_though = True
    shelf.find = lambda match: []  # type: ignore[method-assign]
    keep(journal, [new(2)])
    assert apply(journal, shelf) == {2: "unknown"}
    assert message(journal, 2) == "2 exists already. It may have been stored: look before sending it again."


def test_a_lost_record_that_cannot_be_looked_for_is_unknown_and_not_sent_again(journal: Journal) -> None:
    shelf = Shelf()
    shelf.fails["insert"].append(NO_ANSWER)
    shelf.fails["find"].append(DOWN)
    keep(journal, [new(2), new(3)])
    assert apply(journal, shelf) == {2: "unknown", 3: "done"}
    assert shelf.count("insert") == 2


def test_where_nothing_would_find_a_lost_record_the_run_stops_there(journal: Journal) -> None:
    shelf = Shelf()
    shelf.fails["insert"].extend([None, NO_ANSWER])
    keep(journal, [plain(2), plain(3), plain(4)])
    assert apply(journal, shelf, properties=KEYLESS) == {2: "done", 3: "sending", 4: "planned", 0: "Unsure"}
    assert [entry.line for entry in journal.in_question()] == [3]
    assert shelf.calls == ["insert 2", "insert 3"]


def test_records_under_way_are_settled_before_the_run_stops_over_one(journal: Journal) -> None:
    shelf = Shelf()
    shelf.fails["insert"].append(NO_ANSWER)
    keep(journal, [plain(line) for line in range(2, 12)])
    told = apply(journal, shelf, width=4, properties=KEYLESS)
    assert told.pop(0) == "Unsure"
    assert list(told.values()).count("sending") == 1
    assert list(told.values()).count("done") == len(shelf.records)


def test_a_500_over_a_record_that_nothing_would_find_costs_its_row_only(journal: Journal) -> None:
    shelf = Shelf()
    shelf.fails["insert"].append(FAULT_500)
    keep(journal, [plain(2), plain(3)])
    assert apply(journal, shelf, properties=KEYLESS) == {2: "unknown", 3: "done"}


@pytest.mark.parametrize(("stores", "inserts"), [(True, 1), (False, 2)], ids=["stored", "not stored"])
def test_without_match_a_lost_record_is_looked_for_by_its_key_where_the_file_says_it(
    journal: Journal, *, stores: bool, inserts: int
) -> None:
    shelf = Shelf()
    shelf.fails["insert"].append(NO_ANSWER)
    shelf.stores_though = stores
    keep(journal, [plain(2)])
    assert apply(journal, shelf) == {2: "done"}
    assert shelf.count("insert") == inserts


def test_a_record_of_the_same_key_that_says_something_else_is_not_taken_for_the_lost_one(journal: Journal) -> None:
    shelf = shelf_of(2)
    shelf.fails["insert"].append(NO_ANSWER)
    keep(journal, [plain(2)])
    assert apply(journal, shelf) == {2: "unknown"}
    assert shelf.records["2"]["Name"] == "old"


@pytest.mark.parametrize("is_there", [True, False], ids=["it is there", "it is not there"])
def test_an_answer_lets_the_run_go_on(journal: Journal, *, is_there: bool) -> None:
    shelf = Shelf()
    shelf.fails["insert"].append(NO_ANSWER)
    shelf.stores_though = is_there
    keep(journal, [plain(2), plain(3)])
    apply(journal, shelf, properties=KEYLESS)
    asked = journal.in_question()
    journal.answer(*((asked, []) if is_there else ([], asked)))
    assert apply(journal, shelf, properties=KEYLESS) == {2: "done", 3: "done"}
    assert shelf.count("insert") == (2 if is_there else 3)
    assert sorted(shelf.records) == ["2", "3"]


def test_what_the_site_refuses_costs_its_row_only(journal: Journal) -> None:
    shelf = shelf_of(3)
    refused = RecordRefused(["no", "never"], status=400, code="validation")
    shelf.fails["insert"].append(refused)
    shelf.fails["update"].append(refused)
    keep(journal, [new(2), change(3), new(4)])
    assert apply(journal, shelf) == {2: "validation, validation", 3: "validation, validation", 4: "done"}
    assert message(journal, 2) == "no never"


@pytest.mark.parametrize("width", [1, 4])
def test_three_writes_in_a_row_that_do_not_get_through_end_the_run(journal: Journal, width: int) -> None:
    shelf = Shelf()
    shelf.always["insert"] = DOWN
    keep(journal, [new(line) for line in range(2, 12)])
    told = apply(journal, shelf, width=width)
    assert told.pop(0) == "Unreachable"
    assert list(told.values()).count("site-error") == 2
    assert list(told.values()).count("planned") == 8


def test_a_write_that_gets_through_now_and_then_goes_on(journal: Journal) -> None:
    shelf = Shelf()
    shelf.fails["insert"].extend([DOWN, DOWN, None, DOWN, DOWN, None])
    keep(journal, [new(line) for line in range(2, 8)])
    assert list(apply(journal, shelf).values()) == ["site-error", "site-error", "done"] * 2


@pytest.mark.parametrize("status", [None, 503], ids=["no answer", "503"])
def test_a_site_that_can_be_read_but_stores_nothing_is_down_too(journal: Journal, status: int | None) -> None:
    shelf = shelf_of(*range(20, 30))
    shelf.always["insert"] = OutcomeUnknown("POST: nothing.", status=status)
    shelf.always["update"] = RecordRefused(["PUT: nothing."], status=status, code="server-error")
    keep(journal, [new(line) for line in range(2, 8)])
    told = apply(journal, shelf)
    assert told.pop(0) == "Unreachable"
    assert list(told.values()) == ["server-error"] * 3 + ["planned"] * 3


def test_updates_that_a_site_does_not_store_end_the_run_too(journal: Journal) -> None:
    shelf = shelf_of(*range(2, 8))
    shelf.always["update"] = RecordRefused(["PUT: nothing."], status=503, code="server-error")
    keep(journal, [change(line) for line in range(2, 8)])
    told = apply(journal, shelf)
    assert told.pop(0) == "Unreachable"
    assert list(told.values()) == ["server-error"] * 3 + ["planned"] * 3


def test_a_500_is_taken_for_the_fault_of_each_record_however_many_there_are(journal: Journal) -> None:
    shelf = Shelf()
    shelf.always["insert"] = FAULT_500
    keep(journal, [new(line) for line in range(2, 8)])
    assert apply(journal, shelf) == dict.fromkeys(range(2, 8), "server-error")


@pytest.mark.parametrize("error", [DOWN, SiteError("no sense"), LoginRefused("no")], ids=["down", "no sense", "login"])
def test_a_change_that_may_have_been_written_is_never_told_as_not_sent(journal: Journal, error: Exception) -> None:
    """The look after a lost answer may fail as well; then nobody knows."""
    shelf = shelf_of(2, 3)
    shelf.fails["update"].append(error)
    shelf.stores_though = True
    keep(journal, [change(2), change(3)])
    told = apply(journal, shelf)
    assert told[2] == "unknown"
    assert told[3] == ("planned" if isinstance(error, LoginRefused) else "done")


def test_a_refused_login_ends_the_run_at_once_and_leaves_what_was_not_sent(journal: Journal) -> None:
    shelf = Shelf()
    shelf.fails["insert"].extend([None, LoginRefused("no")])
    keep(journal, [new(2), new(3), new(4)])
    assert apply(journal, shelf) == {2: "done", 3: "planned", 4: "planned", 0: "LoginRefused"}


@pytest.mark.parametrize("verb", ["insert", "update", "read"])
def test_a_bug_met_by_one_record_does_not_hide_what_became_of_the_others(journal: Journal, verb: str) -> None:
    shelf = shelf_of(2, 3, 4)
    shelf.fails[verb].extend([None, Bug()])
    entries = [change(line) for line in (2, 3, 4)] if verb != "insert" else [new(line) for line in (12, 13, 14)]
    keep(journal, [*entries, new(20)])
    told = apply(journal, shelf, width=3)
    assert told.pop(0) == "Bug"
    assert set(told.values()) <= {"planned", "done", "sending"}
    assert list(told.values()).count("sending") == (0 if verb == "read" else 1)
    written = {line for line in told if shelf.records.get(str(line), {}).get("Name") in ("new", f"N{line}")}
    assert {line for line, state in told.items() if state == "done"} == written


def sent(journal: Journal, *lines: int) -> None:
    journal.checkpoint([], [Intent(line, {"Name": "old"}, 1.0) for line in lines])


def test_after_a_crash_a_record_in_flight_is_looked_for_first(journal: Journal) -> None:
    shelf = shelf_of(2)
    keep(journal, [new(2), new(3), new(4)])
    sent(journal, 2, 3)
    assert apply(journal, shelf) == {2: "done", 3: "done", 4: "done"}
    assert [call for call in shelf.calls if call.startswith("insert")] == ["insert 3", "insert 4"]
    assert shelf.calls[0] == "find 2"


@pytest.mark.parametrize("only_changes", [True, False])
def test_after_a_crash_a_change_in_flight_is_written_only_if_it_is_not_there(
    journal: Journal, *, only_changes: bool
) -> None:
    shelf = shelf_of(2, 3)
    shelf.records["2"]["Name"] = "new"
    keep(journal, [change(2), change(3)])
    sent(journal, 2, 3)
    assert apply(journal, shelf, only_changes=only_changes) == {2: "done", 3: "done"}
    assert shelf.calls == ["read 2", "read 3", "update 3"]


def test_after_a_crash_a_record_that_cannot_be_looked_for_is_unknown(journal: Journal) -> None:
    shelf = Shelf()
    shelf.fails["find"].append(DOWN)
    keep(journal, [new(2), new(3)])
    sent(journal, 2)
    assert apply(journal, shelf) == {2: "unknown", 3: "done"}
    assert shelf.count("insert") == 1


def test_after_a_crash_a_record_in_flight_that_nothing_would_find_is_asked_about_first(journal: Journal) -> None:
    shelf = Shelf()
    keep(journal, [plain(2), new(3), new(4)])
    sent(journal, 2, 3)
    assert apply(journal, shelf, properties=KEYLESS) == {2: "sending", 3: "planned", 4: "planned", 0: "Unsure"}
    assert shelf.count("insert") == 0
