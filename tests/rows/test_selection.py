"""Columns are chosen, renamed and added; every word is found, or told with a near one."""

from decimal import Decimal
from typing import Any

import pytest

from idms_cli.config.checked import check
from idms_cli.config.documents import parse_document
from idms_cli.config.problems import ProblemsFound
from idms_cli.files.writers import Cells
from idms_cli.records.faults import Fault
from idms_cli.rows.misfits import Misfits
from idms_cli.rows.selecting import SelectOptions, misfits
from idms_cli.rows.selection import Selection, bind
from tests.delivery.cargo import ListRows

COLUMNS = ("ID", "First name", "Last", "Paid")
ROWS: list[Cells] = [("101", "Zoë", "Adams", Decimal("10.50")), ("102", " Ann ", None, True)]


def options(text: str) -> SelectOptions:
    return check(SelectOptions, parse_document(f"{{{text}}}".encode(), "job.yaml"))


def selected(text: str, columns: tuple[str, ...] = COLUMNS) -> tuple[tuple[str, ...], list[Any]]:
    selection = bind(options(text), columns)
    rows = ListRows(columns, ROWS if columns else [])
    if selection.make is None:
        return selection.columns, list(selection.of(rows))
    return selection.columns, [selection.row(cells) for cells in rows]


def refused(text: str, columns: tuple[str, ...] = COLUMNS) -> list[tuple[Any, str, str]]:
    with pytest.raises(Misfits) as caught:
        bind(options(text), columns)
    return [(".".join(map(str, one.key)), one.message, one.hint) for one in caught.value.found]


def test_rows_pass_untouched_when_nothing_is_asked_for() -> None:
    rows = ListRows(COLUMNS, ROWS)
    assert bind(options(""), COLUMNS).of(rows) is rows


def test_columns_are_chosen_and_ordered_in_any_case() -> None:
    columns, rows = selected("select: [paid, ID]")
    assert columns == ("Paid", "ID")
    assert rows == [(Decimal("10.50"), "101"), (True, "102")]


def test_one_column_alone_is_still_a_row() -> None:
    assert selected("select: [ID]") == (("ID",), [("101",), ("102",)])


def test_columns_are_dropped_and_renamed() -> None:
    columns, rows = selected("drop: [Paid, Last], rename: {ID: member}")
    assert columns == ("member", "First name")
    assert rows == [("101", "Zoë"), ("102", " Ann ")]


def test_a_constant_stands_behind_the_others_with_its_type() -> None:
    columns, rows = selected("select: [ID], add: {Source: {value: imis}, Rate: {value: 1.5}, Old: {value: null}}")
    assert columns == ("ID", "Source", "Rate", "Old")
    assert rows[0] == ("101", "imis", Decimal("1.5"), None)


def test_a_template_sees_cells_as_text_without_the_space_around_them() -> None:
    text = "{{ row['First name'] }} {{ Last }} {{ Paid }}"
    columns, rows = selected(f'select: [ID, All], add: {{All: {{template: "{text}"}}}}')
    assert columns == ("ID", "All")
    assert rows == [("101", "Zoë Adams 10.50"), ("102", "Ann  true")]


def test_an_added_column_takes_the_place_of_one_with_its_name() -> None:
    columns, rows = selected('add: {Last: {template: "{{ Last|upper }}"}}, rename: {Last: Family}')
    assert columns == ("ID", "First name", "Family", "Paid")
    assert rows[0] == ("101", "Zoë", "ADAMS", Decimal("10.50"))


def test_a_template_may_use_a_column_that_does_not_go_out() -> None:
    assert selected('select: [ID], add: {X: {template: "{{ Last }}"}}')[1] == [("101", "Adams"), ("102", "")]


def test_a_row_whose_template_fails_is_told_and_the_others_go_out() -> None:
    _, rows = selected('select: [ID], add: {Fee: {template: "{{ Paid|number * 2 }}"}}')
    assert rows[0] == ("101", "21.00")
    assert rows[1] == [Fault("map", "Fee", "template", "Template: 'true' is not a number.")]


def test_of_no_rows_what_goes_out_is_what_the_job_says() -> None:
    assert selected('select: [ID, X], add: {X: {template: "{{ Name }}"}}', ()) == (("ID", "X"), [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("select: [ID, Payd]", ("select.1", "the rows have no column 'Payd'", "did you mean 'Paid'?")),
        ("drop: [Payd]", ("drop.0", "the rows have no column 'Payd'", "did you mean 'Paid'?")),
        ("rename: {Payd: X}", ("rename.Payd", "the rows have no column 'Payd'", "did you mean 'Paid'?")),
        (
            "add: {X: {template: '{{ First_name }}'}}",
            ("add.X.template", "the rows have no column 'First_name'", 'write row["First name"]'),
        ),
        ("rename: {ID: Last}", ("rename.ID", "there would be two columns named 'Last'", None)),
        ("select: [Last], rename: {ID: X}", ("rename.ID", "the column 'ID' does not go out", "")),
        ("select: [ID, id]", ("select", "there would be two columns named 'ID'", None)),
    ],
)
def test_words_that_do_not_fit_the_columns_are_told(text: str, told: tuple[str, str, str | None]) -> None:
    ((key, message, hint),) = refused(text)
    assert (key, message) == told[:2]
    assert hint == told[2] or told[2] is None


def test_all_that_does_not_fit_is_told_at_once() -> None:
    assert [key for key, *_ in refused("select: [X, Y], rename: {Z: W}")] == ["rename.Z", "select.0", "select.1"]


def test_a_name_that_could_be_two_columns_is_told() -> None:
    ((_, message, _),) = refused("select: [NAME]", ("Name", "name"))
    assert message == "the column 'NAME' could be 'Name' and 'name'"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("select: [ID, ID]", "select.1"),
        ("select: [ID], drop: [Last]", "drop"),
        ("rename: {ID: ' '}", "rename.ID"),
        ("rename: {ID: X, Last: X}", "rename.Last"),
        ("rename: {ID: X}, add: {X: {value: 1}}", "rename.ID"),
        ("add: {' ': {value: 1}}", "add. "),
    ],
)
def test_what_cannot_be_meant_is_told_without_any_rows(text: str, key: str) -> None:
    assert [".".join(map(str, one.key)) for one in misfits(options(text))] == [key]


@pytest.mark.parametrize("text", ["add: {X: {}}", "add: {X: {value: 1, template: a}}", "add: {X: {template: '{{'}}"])
def test_an_added_column_has_one_source_that_can_be_read(text: str) -> None:
    with pytest.raises(ProblemsFound):
        options(text)


def test_templates_are_never_worked_out_where_a_row_could_fail_unseen() -> None:
    selection: Selection = bind(options('add: {X: {template: "{{ Last }}"}}'), COLUMNS)
    with pytest.raises(TypeError):
        selection.of(ListRows(COLUMNS, ROWS))
