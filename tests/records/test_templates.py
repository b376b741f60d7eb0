"""A template says what its columns say, and nothing that stands in a template or a cell does anything else."""

import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.records.filters import FILTERS, LIMIT, Unfit
from idms_cli.records.language import NotATemplate
from idms_cli.records.templates import Expression, parse_condition, parse_template

ROW = {
    "first": " zoë ",
    "middle": "",
    "last": "O'NEIL-SMITH",
    "hours": "12.5",
    "taken": "2026-01-31",
    "Course code": "ETH-101",
    "row": "third",
    "self": "own",
    "grade": "A",
}


def evaluated(expression: Expression, row: Mapping[str, str] = ROW, *, strip: bool = True) -> str:
    places = list(row)
    bound = expression.bound({name: places.index(name) for name in expression.columns}, strip=strip)
    return bound(tuple(row.values()))


def made(template: str, row: Mapping[str, str] = ROW) -> str:
    return evaluated(parse_template(template), row)


def refused(text: str) -> str:
    with pytest.raises(NotATemplate) as caught:
        parse_template(text)
    return str(caught.value)


def unfit(template: str, row: Mapping[str, str] = ROW) -> str:
    with pytest.raises(Unfit) as caught:
        made(template, row)
    return str(caught.value)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("no columns", "no columns"),
        ("{{ first }} {{ last }}", "zoë O'NEIL-SMITH"),
        ("{{ first|title }} {{ last|title }}", "Zoë O'Neil-Smith"),
        ("{{ first|upper }}{{ grade|lower }}", "ZOËa"),
        ('{{ row["Course code"] }} in the {{ row }} row', "ETH-101 in the third row"),
        ("{{ self }}", "own"),
        ("{{ first[:1]|upper }}. {{ last[-5:] }} {{ last[0] }}", "Z. SMITH O"),
        ("{{ middle|default('-') }}{{ grade|default('-') }}", "-A"),
        ("{{ [first, middle, last]|select|join(' ') }}", "zoë O'NEIL-SMITH"),
        ("{{ [first, middle]|join('+') }}", "zoë+"),
        ("{{ first ~ '/' ~ grade ~ 2 }}", "zoë/A2"),
        ("{{ first + grade }}", "zoëA"),
        ("{{ last|replace('-', ' ')|length }}", "12"),
        ("{{ ' x '|trim }}", "x"),
        ("{{ hours|number * 60 }} min", "750.0 min"),
        ("{{ (hours|number / 5 + 1 - 0.5)|round(1) }}", "3.0"),
        ("{{ '1.234,5'|number('1.234,56') }}", "1234.5"),
        ("{{ 0.1 + 0.2 }}", "0.3"),
        ("{{ '12345.678'|money }} {{ '12345.678'|money('1.234,56') }} {{ hours|money('1234,56') }}",
         "12,345.68 12.345,68 12,50"),
        ("{{ taken|date('%d.%m.%Y') }} {{ '2/1/26'|date('%Y-%m-%d', '%m/%d/%y') }}", "31.01.2026 2026-02-01"),
        ("{% if grade == 'A' %}best{% elif grade %}good{% else %}none{% endif %}", "best"),
        ("{{ 'yes' if hours|number > 3 and not middle else 'no' }}", "yes"),
        ("{{ grade in ['A', 'B'] }} {{ -(hours|number) }}", "true -12.5"),
        ("{# a remark #}{% raw %}{{ first }}{% endraw %}", "{{ first }}"),
    ],
)  # fmt: skip
def test_a_template_makes_text_of_a_row(template: str, text: str) -> None:
    assert made(template) == text


def test_every_filter_is_tried_above() -> None:
    tried = test_a_template_makes_text_of_a_row.pytestmark[0].args[1]  # type: ignore[attr-defined]
    text = " ".join(template for template, _ in tried)
    assert [name for name in FILTERS if f"|{name}" not in text] == []


def test_every_filter_is_in_the_readme() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("| &nbsp;&nbsp;`template`")]
    assert [name for name in FILTERS if f"`{name}`" not in row] == []


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("first", True),
        ("middle", False),
        ("grade in ['A', 'B'] and hours|number > 3", True),
        ("not grade == 'A'", False),
        ('row["Course code"][:3] == "ETH"', True),
    ],
)
def test_a_condition_holds_or_not(condition: str, holds: bool) -> None:
    assert bool(evaluated(parse_condition(condition))) is holds


def test_space_around_cells_is_taken_away_unless_told_not_to() -> None:
    assert evaluated(parse_template("[{{ first }}]")) == "[zoë]"
    assert evaluated(parse_template("[{{ first }}]"), strip=False) == "[ zoë ]"
    assert not evaluated(parse_condition("blank"), {"blank": " \t"})


def test_the_columns_of_an_expression_are_known_before_any_row() -> None:
    assert parse_template('{{ b|title }}{% if a %}{{ row["C d"] }}{% endif %}{{ b }}').columns == ("b", "a", "C d")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        pytest.param("{% for x in range(10**9) %}a{% endfor %}", "a loop is not allowed here", id="loop"),
        pytest.param("{{ range(1000000000) }}", "a call such as name(...) is not allowed here", id="range"),
        pytest.param("{{ 9**9**9 }}", "the power ** is not allowed here", id="power"),
        pytest.param("{{ 'x' * 10**9 }}", "a text is no number to calculate with", id="long text"),
        pytest.param("{{ [1] * 1000000000 }}", "a text is no number to calculate with", id="long list"),
        pytest.param("{{ ''.__class__ }}", "an attribute such as name.part is not allowed here", id="class"),
        pytest.param("{{ cycler.__init__.__globals__ }}", "an attribute such as name.part is not allowed here",
                     id="cycler"),
        pytest.param(
            "{{ first['__class__'] }}",
            "a part that is not named by a number, such as name[0] or name[:3], is not allowed here",
            id="class by index",
        ),
        pytest.param(
            "{{ first[grade] }}",
            "a part that is not named by a number, such as name[0] or name[:3], is not allowed here",
            id="index from a cell",
        ),
        pytest.param("{{ first|attr('__class__') }}", "there is no filter 'attr' here", id="attr"),
        pytest.param("{{ '{0.__class__}'.format(first) }}", "a call such as name(...) is not allowed here",
                     id="format method"),
        pytest.param("{{ '%s'|format(first) }}", "there is no filter 'format' here", id="format filter"),
        pytest.param("{{ '%0900000000d' % 1 }}", "the operator % is not allowed here", id="format operator"),
        pytest.param("{{ first|center(1000000000) }}", "there is no filter 'center' here", id="pad"),
        pytest.param("{{ first.ljust(10) }}", "a call such as name(...) is not allowed here", id="pad method"),
        pytest.param("{% set a = first ~ first %}{{ a }}", "an assignment is not allowed here", id="set"),
        pytest.param("{% macro m() %}{% endmacro %}", "Jinja2's 'macro' is not allowed here", id="macro"),
        pytest.param(
            "{% include '/etc/passwd' %}", "including another template is not allowed here", id="include"
        ),
        pytest.param("{% filter upper %}x{% endfilter %}", "Jinja2's 'filterblock' is not allowed here",
                     id="filter block"),
        pytest.param("{{ first is none }}", "a test such as `is none` is not allowed here", id="test"),
        pytest.param("{{ first|upper(x=1) }}", "a named or starred argument of the filter upper is not allowed "
                     "here", id="named argument"),
        pytest.param("{{ first|replace('a') }}", "the filter replace has too many or too few values", id="too few"),
        pytest.param("{{ first|uper }}", "there is no filter 'uper' here", id="unknown filter"),
        pytest.param("{{ hours > 3 }}", "a column is text, and here it is compared with a number", id="text > number"),
        pytest.param("{{ grade in [1, 2] }}", "a column is text, and here it is compared with a number", id="text in"),
        pytest.param("{{ 1e400 }}", "a number in it is beyond all bounds", id="infinite"),
        pytest.param("{{ " + "9" * 4400, "this has 4,403 characters; 4,000 are allowed", id="long template"),
        pytest.param("{{ " + "not " * 900 + "first }}", "expressions stand within one another more than 25 deep",
                     id="deep"),
        pytest.param("{{ " + "(" * 1500 + "1" + ")" * 1500 + " }}",
                     "this cannot be read: something in it is absurdly large or deep", id="brackets"),
        pytest.param("{% if first %}{{ last", "this cannot be read: unexpected end of template, expected "
                     "'end of print statement'", id="open"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_before_any_row(template: str, message: str) -> None:
    assert refused(template) == message


@pytest.mark.parametrize("condition", ["", "first }} {{ last", "first %}x{% if last", "range(9)", "first = 'x'"])
def test_a_condition_is_one_expression(condition: str) -> None:
    with pytest.raises(NotATemplate):
        parse_condition(condition)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ hours * 60 }}", "'12.5' is no number here: put |number after it"),
        ("{{ grade|number }}", "'A' is not a number"),
        ("{{ 1 / (hours|number - 12.5) }}", "it divides by zero"),
        ("{{ grade[5] }}", "it takes a character that the text does not have"),
        ("{{ [first] }}", "a list is no text: put |join(' ') after it"),
        ("{{ first|join(' ') }}", "a list is wanted, such as [FirstName, LastName], not 'zoë'"),
        ("{{ first|date('%Y') }}", "'zoë' is not a date written as 2026-01-31"),
        ("{{ taken|date('%0900000000d') }}", "'%0900000000d' is no way to write a date: use %Y %m %d %H %M %S %B %b"),
        ("{{ hours|number('x') }}", "'x' is not the number 1234.56 in some way of writing"),
        ("{{ hours|round(99) }}", "round takes 0 to 10 places"),
        ("{{ -first }}", "text and numbers are mixed in it: put |number after a column that is to be a number"),
        ("{{ first|replace('', 'x') }}", "replace needs a text to look for"),
    ],
)  # fmt: skip
def test_what_a_row_does_not_fit_is_told(template: str, reason: str) -> None:
    assert unfit(template) == reason


def test_replacing_again_and_again_ends_at_the_limit() -> None:
    assert unfit("{{ first" + "|replace('z', 'zzzzzzzzzz')" * 9 + " }}") == "it makes more than 100,000 characters"


@pytest.mark.parametrize(
    "template",
    [
        "{{ long }}{{ long }}",
        "{{ long ~ long }}",
        "{{ long + long }}",
        "{{ [long, long]|join }}",
        "{{ [a, a]|join(long) }}",
    ],
)
def test_nothing_makes_more_than_the_limit(template: str) -> None:
    assert unfit(template, {"long": "x" * (LIMIT // 2 + 1), "a": ""}) == "it makes more than 100,000 characters"


HOSTILE = [
    "{{ " + " * ".join(["1e308"] * 20) + " }}",
    "{{ " + "9" * 3990 + " }}",
    "{{ " + " ~ ".join(["x"] * 900) + " }}",
    "{{ x }}" * 550,
    "{{ x" + "|replace('x', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')" * 20 + " }}",
    "{{ " + "[" * 20 + "x" + "]" * 20 + " }}",
    "{{ " + "(x if x else " * 20 + "x" + ")" * 20 + " }}",
    "{{ x" + "|upper" * 20 + "|length }}",
    "{{ x in x and x == x }}",
]


def test_no_template_that_is_let_through_takes_long_or_much_memory() -> None:
    """Each in a process that may use 10 s and 200 MB beside what it starts with, over a cell of 5 MB."""
    program = f"""
        import resource
        from idms_cli.records.filters import Unfit
        from idms_cli.records.templates import parse_template

        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (used + 200_000_000,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
        cell = "x" * 5_000_000
        for template in {HOSTILE!r}:
            bound = parse_template(template).bound({{"x": 0}})
            for cells in (("x" * 999,), (cell,)):
                try:
                    assert len(bound(cells)) <= {LIMIT}
                except Unfit as error:
                    assert "MemoryError" not in str(error)
        print("all limited")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("all limited\n", "")


CELLS = st.one_of(st.text(max_size=40), st.sampled_from(["{{ 9**9 }}", "{% for", "{{ self }}", "%s{0}", "__class__"]))


@given(cell=CELLS)
def test_a_cell_is_never_read_as_a_template(cell: str) -> None:
    row = {"x": cell, "y": "{{ x }}"}
    assert evaluated(parse_template("{{ x }}{{ y }}"), row, strip=False) == cell + "{{ x }}"
    assert evaluated(parse_template("{{ [x, y]|join('-') }}"), row, strip=False) == f"{cell}-{{{{ x }}}}"


EVERYTHING = parse_template(
    "{{ x|upper }}{{ x|title|length }}{{ [x, y]|select|join(y) }}{{ x[:3] ~ x[1:] }}{{ x|replace('a', y) }}"
    "{% if x == y or x in y %}{{ x|default(y) }}{% endif %}{{ x < y }}"
)
FRAGILE = [parse_template(f"{{{{ {made} }}}}") for made in ("x|number / 3", "x|date(y)", "x|money(y)", "x[2]", "x + 1")]


@given(x=CELLS, y=CELLS)
def test_no_cell_makes_a_template_raise_anything_but_unfit(x: str, y: str) -> None:
    row = {"x": x, "y": y}
    assert isinstance(evaluated(EVERYTHING, row), str)
    for expression in FRAGILE:
        try:
            assert isinstance(evaluated(expression, row), str)
        except Unfit:
            continue
