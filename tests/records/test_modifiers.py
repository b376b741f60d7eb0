"""Each modifier of a map does what it says, in the documented order, and is refused where it makes no sense."""

import subprocess
import sys
import textwrap
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from idms_cli.records.faults import Fault
from idms_cli.records.mapping import MappedRow, MapRefused, Rule
from idms_cli.sandbox import Sandbox
from tests.conftest import Place
from tests.records.maps import bound, refused


def value_of(rule: dict[str, Any], cell: str, *, word: str = "NOTE") -> object:
    """What the rule makes of a cell: the value, "kept", or the code of the fault."""
    row = bound({word: {"column": "price", **rule}}).values(("7", "2026-01-31", cell, "n", "N"))
    if row.faults:
        return row.faults[0].code
    return "kept" if row.kept else row.values[word]


@pytest.mark.parametrize(
    ("rule", "cell", "value"),
    [
        pytest.param({}, "  x ", "x", id="stripped"),
        pytest.param({"strip": False}, "  x ", "  x ", id="as it is"),
        pytest.param({"strip": False}, "   ", "kept", id="blank as it is"),
        pytest.param({"case": "upper"}, "zoë", "ZOË", id="upper"),
        pytest.param({"case": "title"}, "JEAN-LUC o'neil", "Jean-Luc O'Neil", id="title"),
        pytest.param({"lookup": {"A": "Distinction", "B": 2}}, " A ", "Distinction", id="lookup"),
        pytest.param({"lookup": {"A": "Distinction", "B": 2}}, "B", "2", id="lookup of a number"),
        pytest.param({"lookup": {"A": "x"}}, "a", "not-in-lookup", id="lookup is exact"),
        pytest.param({"lookup": {"A": "x"}, "case": "upper"}, "a", "x", id="case goes before lookup"),
        pytest.param({"lookup": {"A": "x"}, "default": "other"}, "C", "other", id="default for a miss"),
        pytest.param({"lookup": {"A": "x"}, "default": "other"}, "", "other", id="default for a blank"),
        pytest.param({"lookup": {"A": "x"}, "default": "other", "blank": "clear"}, "", None, id="default, but clear"),
        pytest.param({"lookup": {"-": None}, "blank": "clear"}, "-", None, id="empty in the lookup is blank: clear"),
        pytest.param({"lookup": {"-": ""}}, "-", "kept", id="empty in the lookup is blank: keep"),
        pytest.param({"lookup": {"-": ""}, "default": "none"}, "-", "none", id="empty in the lookup is blank: default"),
        pytest.param({"default": "none"}, " ", "none", id="default"),
        pytest.param({"split": ";"}, " b; a ;;b", "b,a", id="split, joined with commas, nothing twice"),
        pytest.param({"split": ";", "join": " | "}, "a;b", "a | b", id="join"),
        pytest.param({"split": ";"}, " ; ", "kept", id="split of nothing"),
        pytest.param({"split": ";", "default": "x;y"}, "", "x,y", id="default is split too"),
        pytest.param({"split": "/", "case": "upper", "lookup": {"A": "one", "B": "two"}}, "b/a", "two,one", id="all"),
        pytest.param({"split": "/", "lookup": {"A": "one"}, "default": "?"}, "A/B/C", "one,?", id="default in split"),
        pytest.param({"split": ",", "lookup": {"A": "one", "-": ""}}, "-,A", "one", id="dropped by the lookup"),
        pytest.param({"split": ","}, "0123456789,0123456789x", "too-long", id="joined value is too long"),
    ],
)
def test_modifiers_of_text(rule: dict[str, Any], cell: str, value: object) -> None:
    assert value_of(rule, cell) == value


@pytest.mark.parametrize(
    ("word", "rule", "cell", "value"),
    [
        pytest.param("INTERESTS", {"split": ";"}, "LAW;ART", "LAW,ART", id="each is a code"),
        pytest.param("INTERESTS", {"split": ";"}, "LAW;CHESS", "not-a-choice", id="one is no code"),
        pytest.param("INTERESTS", {"split": ";"}, "LAW;ART;MUSIC", "too-long", id="codes are too long together"),
        pytest.param("INTERESTS", {"split": ";", "default": "LAW;ART"}, "", "LAW,ART", id="default of codes"),
        pytest.param("ACTIVITY_TYPE", {"case": "upper"}, "educ", "EDUC", id="code in the right case"),
        pytest.param("QUANTITY", {"lookup": {"one": 1, "two": "2"}}, "two", 2, id="lookup makes numbers"),
        pytest.param("QUANTITY", {"lookup": {"ONE": 1}, "case": "upper"}, "one", 1, id="case for a lookup"),
        pytest.param("QUANTITY", {"lookup": {"one": 1}, "case": "upper"}, "One", 1, id="case for the keys as well"),
        pytest.param("QUANTITY", {"default": 0}, "", 0, id="zero is a default"),
        pytest.param("AMOUNT", {"number": "1.234,56", "default": 1.5}, "", Decimal("1.5"), id="default as YAML has it"),
        pytest.param("AMOUNT", {"number": "1.234,56", "default": "1,5"}, "", Decimal("1.5"), id="default as the file"),
        pytest.param("ACTIVE", {"boolean": {"true": ["Ja", "+"], "false": ["Nein"]}}, " ja", True, id="word for true"),
        pytest.param("ACTIVE", {"boolean": {"true": ["Ja"]}}, "No", False, id="the usual words stay"),
        pytest.param("ACTIVE", {"boolean": {"true": ["0"], "false": ["1"]}}, "0", True, id="unless they mean another"),
        pytest.param("ACTIVE", {"default": False}, "", False, id="false is a default"),
    ],
)
def test_modifiers_of_other_types(word: str, rule: dict[str, Any], cell: str, value: object) -> None:
    assert value_of(rule, cell, word=word) == value


def test_templates_read_the_whole_row_and_their_text_is_typed() -> None:
    mapping = bound(
        {
            "NOTE": {"template": "{{ member }}: {{ Note }}", "case": "upper"},
            "TRANSACTION_DATE": {"template": '{{ row["completed on"] }}/2026', "date": "%d/%m/%Y"},
            "QUANTITY": {"template": "{{ price|number * 2 }}", "default": 9},
            "AMOUNT": {"template": "{{ note }}", "default": 9},
        }
    )
    assert mapping.values(("7", "31/01", "4", " ", "n ")) == MappedRow(
        {
            "NOTE": "7: N",
            "TRANSACTION_DATE": datetime(2026, 1, 31),  # noqa: DTZ001
            "QUANTITY": 8,
            "AMOUNT": Decimal(9),
        },
        (),
        (),
    )
    assert mapping.values(("7", "31/02", "x", "", "a" * 30)).faults == (
        Fault("map", "NOTE", "too-long", f"Template: '7: {'A' * 30}' has 33 characters; NOTE holds 20."),
        Fault("map", "TRANSACTION_DATE", "not-a-date",
              "Template: '31/02/2026' is not a date written as %d/%m/%Y, or there is no such day."),
        Fault("map", "QUANTITY", "template", "Template: 'x' is not a number."),
    )  # fmt: skip


def test_only_if_leaves_a_property_alone_where_it_is_false() -> None:
    mapping = bound(
        {
            "NOTE": {"column": "note", "blank": "clear", "only_if": "price|number > 3"},
            "ACTIVE": {"value": True, "only_if": "member in ['7', '8']"},
        }
    )
    assert mapping.values(("7", "", "4", "n", "")) == MappedRow({"NOTE": "n", "ACTIVE": True}, (), ())
    assert mapping.values(("9", "", "4", "", "")) == MappedRow({"NOTE": None}, ("ACTIVE",), ())
    assert mapping.values(("7", "", "3", "n", "")) == MappedRow({"ACTIVE": True}, ("NOTE",), ())
    assert mapping.values(("7", "", "dear", "n", "")).faults == (
        Fault("map", "NOTE", "condition", "Column note: only_if: 'dear' is not a number."),
    )


def test_what_is_appended_is_told_with_its_mark() -> None:
    mapping = bound(
        {
            "INTERESTS": {"column": "note", "append": True},
            "NOTE": {"value": "seen", "append": True, "join": "; "},
            "ACTIVE": {"value": True},
        }
    )
    assert mapping.appended == {"INTERESTS": ",", "NOTE": "; "}


@pytest.mark.parametrize(
    ("rules", "faults"),
    [
        pytest.param({"AMOUNT": {"column": "price", "case": "upper"}}, [("AMOUNT", "case")], id="case of a number"),
        pytest.param({"AMOUNT": {"column": "price", "split": ";"}}, [("AMOUNT", "split")], id="several numbers"),
        pytest.param({"ACTIVE": {"column": "price", "append": True}}, [("ACTIVE", "append")], id="add to true"),
        pytest.param({"NOTE": {"column": "note", "boolean": {"true": ["x"]}}}, [("NOTE", "boolean")], id="words"),
        pytest.param({"QUANTITY": {"column": "price", "default": "few"}}, [("QUANTITY", "default")], id="default"),
        pytest.param({"NOTE": {"column": "note", "default": True}}, [("NOTE", "default")], id="default of a text"),
        pytest.param(
            {"ACTIVITY_TYPE": {"column": "note", "lookup": {"A": "EDUC", "B": "MEAT", "C": 1.5}}},
            [("ACTIVITY_TYPE", "lookup"), ("ACTIVITY_TYPE", "lookup")],
            id="lookup with wrong codes",
        ),
        pytest.param(
            {"QUANTITY": {"column": "note", "lookup": {f"k{n}": "few" for n in range(100)}}},
            [("QUANTITY", "lookup")] * 5,
            id="only some of very many are told",
        ),
        pytest.param(
            {"INTERESTS": {"column": "note", "split": ";", "lookup": {"A": "GOLF"}, "default": "CHESS"}},
            [("INTERESTS", "lookup"), ("INTERESTS", "default")],
            id="codes of several values",
        ),
        pytest.param({"NOTE": {"template": "{{ nota }}{{ x }}"}}, [("NOTE", "unknown-column")] * 2, id="unknown name"),
        pytest.param(
            {"ACTIVE": {"value": True, "only_if": 'row["Prize"] == "1"'}}, [("ACTIVE", "unknown-column")], id="only_if"
        ),
        pytest.param({"ACTIVE": {"template": "{{ NOTE }}"}}, [("ACTIVE", "ambiguous-column")], id="two columns"),
    ],
)
def test_modifiers_that_do_not_fit_are_refused(rules: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    assert refused(rules) == faults


def test_nothing_is_appended_to_what_records_are_found_by() -> None:
    with pytest.raises(MapRefused, match="records are found by NOTE, so nothing can be added to it"):
        bound({"NOTE": {"column": "note", "append": True}}, matched=["note"])


def test_a_name_that_needs_quotes_in_a_template_is_told_how_to_write() -> None:
    with pytest.raises(MapRefused) as caught:
        bound({"NOTE": {"template": "{{ completed_on }}"}})
    assert caught.value.hint == 'write row["Completed On"]'


def test_a_miss_in_a_lookup_tells_a_near_key() -> None:
    row = bound({"NOTE": {"column": "note", "lookup": {"Merit": "B"}}}).values(("", "", "", "merit", ""))
    assert row.faults[0].message == "Column note: 'merit' is not in the lookup. Did you mean 'Merit'?"


def test_jinja2_is_loaded_only_where_an_expression_is_used() -> None:
    program = """
        import sys
        from idms_cli.imis.properties import Property
        from idms_cli.records.mapping import Rule, bind
        rule = Rule(column="a", lookup={"x": "y"}, split=";", case="upper", default="z")
        bind({"P": rule}, ["a"], {"P": Property("P")}).values(("x",))
        print("jinja2" in sys.modules)
        Rule(template="{{ a }}")
        print("jinja2" in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


JOB = """\
module: import
with:
  source: {path: scores.csv}
  destination: {panel: ABC_Scores}
  action: upsert
  match: [ID, Course]
  map:
    ID: member
    Course: {template: "{{ course|title }} ({{ year }})"}
    Grade: {column: mark, lookup: {file: grades.csv, key: Note, value: Grade}, only_if: "year|number > 2000"}
    TakenOn: {template: "{{ year }}-06-30"}
"""


def test_a_job_maps_with_all_of_this(place: Place, site: Sandbox) -> None:
    place.write("jobs.d/scores.yaml", JOB)
    place.write("grades.csv", "Note;Grade\n1;A\n2;B\n")
    place.write("scores.csv", "member,course,mark,year\n101,ethics,1,2026\n102,LAW,2,1999\n103,law,7,2026\n")
    assert place.idms("check").returncode == 0
    shown = place.idms("run", "scores")
    assert shown.returncode == 1, shown.stdout
    assert "'7' is not in the lookup" in shown.stdout
    made = {row["ID"]: row for row in site.rows("ABC_Scores") if "(" in str(row["Course"])}
    assert {key: (row["Course"], row["Grade"], str(row["TakenOn"])[:10]) for key, row in made.items()} == {
        "101": ("Ethics (2026)", "A", "2026-06-30"),
        "102": ("Law (1999)", None, "1999-06-30"),
    }


def test_a_job_with_a_wrong_template_is_told_by_check_with_its_place(place: Place) -> None:
    place.write("jobs.d/scores.yaml", JOB.replace("course|title", "course|titel").replace(" > 2000", " >"))
    shown = place.idms("check")
    assert shown.returncode == 2
    text = shown.stdout + shown.stderr
    assert "scores.yaml:9:24: there is no filter 'titel' here" in text
    assert "scores.yaml:10:89: this cannot be read" in text


CELL = st.one_of(st.text(max_size=30), st.sampled_from(["A", "4", "2026-01-31", "A;B", "{{ 9**9 }}", "ja", "1.234,5"]))
RICH = bound(
    {
        "TRANSACTION_DATE": {"column": "Completed On", "date": "%d/%m/%Y"},
        "AMOUNT": {"column": "price", "number": "1.234,56", "only_if": "note|number > 1"},
        "QUANTITY": {"template": "{{ price|number + 1 }}", "blank": "clear"},
        "ACTIVE": {"column": "note", "boolean": {"true": ["ja"]}, "default": False},
        "NOTE": {"column": "Note", "split": ";", "case": "title", "lookup": {"A": "x"}, "default": "other"},
        "ACTIVITY_TYPE": {"column": "note", "lookup": {"A": "EDUC"}},
        "INTERESTS": {"template": "{{ [note, Note]|select|join(';') }}", "split": ";", "append": True},
    }
)


@given(cells=st.tuples(CELL, CELL, CELL, CELL, CELL))
def test_no_row_makes_a_map_raise_and_every_property_is_accounted_for_once(cells: tuple[str, ...]) -> None:
    row = RICH.values(cells)
    told = [*row.values, *row.kept, *(fault.field for fault in row.faults)]
    assert sorted(told) == sorted(RICH.properties)
    assert list(row.values) == [name for name in RICH.properties if name in row.values]


def test_keys_of_a_lookup_that_are_one_in_the_case_of_the_rule_are_refused() -> None:
    rule = {"column": "note", "lookup": {"file": "a.csv", "key": "k", "value": "v"}, "case": "upper"}
    table = {"a": "1", "A": "2", "b": "3", "B": "3"}
    assert refused({"NOTE": rule}, lookups={"NOTE": table}) == [("NOTE", "lookup")]
    with pytest.raises(ValidationError, match="'A' stands for two things in the lookup, since case is upper"):
        Rule(**{**rule, "lookup": table})
