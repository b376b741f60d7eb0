"""A text says what its values say; what it wants is known before, and what is wrong in it is told with its line."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from idms_cli.errors import InputError
from idms_cli.templates.moments import moment, occasion, sample_occasion, time_of
from idms_cli.templates.sandbox import FILTERS, TESTS
from idms_cli.templates.texts import NotAText, Unrendered, parse_text, parse_value
from tests.templates.test_data import MADE as OF_DATA

NEW_YORK = ZoneInfo("America/New_York")
VALUES: dict[str, Any] = {
    **occasion(
        job="feed",
        run=7,
        slot=datetime(2026, 11, 1, 12, 0, tzinfo=UTC),
        now=datetime(2026, 11, 1, 12, 1, 2, tzinfo=UTC),
        zone=NEW_YORK,
    ),
    "rows": [{"ID": 1, "First name": "Zoë", "Fee": Decimal("1.10"), "Note": None}, {"ID": 2, "Fee": Decimal(2)}],
    "names": ["Ann", "", "Bob", "Ann"],
    "text": 'a "b" <c>',
    "n": 5,
}


def made(text: str, values: Mapping[str, Any] = VALUES) -> str:
    return parse_text(text).render(values)


def refused(text: str) -> str:
    with pytest.raises(NotAText) as caught:
        parse_text(text)
    return f"{caught.value} | {caught.value.hint}"


def unfit(text: str, values: Mapping[str, Any] = VALUES) -> str:
    with pytest.raises(Unrendered) as caught:
        made(text, values)
    return str(caught.value)


MADE = [
    ("members-{{ slot.date }}.csv", "members-2026-11-01.csv"),
    ("{{ slot.time }} {{ slot.hour }}:{{ slot.minute }} {{ slot.week }} {{ slot.weekday }} {{ slot.zone }}",
     "070000 07:00 44 7 America/New_York"),
    ("{{ slot }} {{ now.second }} {{ today }} {{ job }} {{ run.id }}",
     "2026-11-01T07:00:00-05:00 02 2026-11-01 feed 7"),
    ("{{ slot|date('%d.%m.%y %H:%M') }} {{ today|date('%G-W%V') }}", "01.11.26 07:00 2026-W44"),
    ("{{ '31/01/2026'|date('%Y-%m-%d', '%d/%m/%Y') }} {{ '2026-01-31T08:30:00Z'|date('%H') }}", "2026-01-31 08"),
    ("{{ slot|shift('-1d') }} {{ slot|shift('-12h') }} {{ (slot|shift('-30m')).time }}",
     "2026-10-31T07:00:00-04:00 2026-10-31T20:00:00-04:00 063000"),
    ("{{ ('2026-03-31'|shift('-1mo')).date }} {{ (slot|shift('3mo')).date }} {{ (slot|shift('1w')).date }}",
     "2026-02-28 2027-02-01 2026-11-08"),
    ("{% for what in ['hour', 'day', 'week', 'month', 'quarter', 'year'] %}{{ (now|start(what)).iso[5:16] }} "
     "{% endfor %}", "11-01T07:00 11-01T00:00 10-26T00:00 11-01T00:00 10-01T00:00 01-01T00:00 "),
    ("{% for r in rows %}{{ loop.index }}/{{ loop.length }} {{ r.Fee }}{% if not loop.last %}, {% endif %}{% endfor %}",
     "1/2 1.10, 2/2 2"),
    ("{% for r in rows if r.ID == 2 %}{{ r.ID }}{% else %}none{% endfor %}", "2"),
    ("{% for key, value in rows[1]|items %}{{ key }}={{ value }} {% endfor %}", "ID=1 Fee=2 ".replace("1", "2", 1)),
    ("{% set total = rows|pick('Fee')|sum %}{{ total|money }} {{ total|round(1) }} {{ total|money('1.234,56') }}",
     "3.10 3.1 3,10"),
    ("{% with x = n + 1 %}{{ x * 2 - 1 }} {{ x / 4 }} {{ x // 4 }} {{ -x % 4 }} {{ +x }}{% endwith %}",
     "11 1.5 1 2 6"),
    ("{{ 0.1 + 0.2 }} {{ 0.3 == 0.1 + 0.2 }} {{ '1,5'|number('1234,56') }}", "0.3 true 1.5"),
    ("{{ rows[0]|json }}", '{"ID":1,"First name":"Zoë","Fee":1.10,"Note":null}'),
    ("{{ [now, true, 'é']|json(1) }}", '[\n "2026-11-01T07:01:02-05:00",\n true,\n "é"\n]'),
    ("{{ {'a': [], 'b': {}}|json(2) }}", '{\n  "a": [],\n  "b": {}\n}'),
    ("{{ names|csv }} {{ [text, 'x;y']|csv(';') }}", 'Ann,,Bob,Ann "a ""b"" <c>";"x;y"'),
    ("{{ text|xml }} {{ 'é /'|url }} {{ 'é'|base64 }}", "a &quot;b&quot; &lt;c&gt; %C3%A9%20%2F w6k="),
    ("{{ 'a'|sha256 }}", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ("{{ 'a'|sha1 }} {{ 'a'|md5 }}",
     "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8 0cc175b9c0f1b6a831c399e269772661"),
    ("[{{ 'ab'|left(4) }}][{{ n|right(4, '0') }}][{{ 'abcde'|left(2) }}][{{ 'abcde'|right(2) }}]",
     "[ab  ][0005][ab][de]"),
    ("{{ 'abcdef'|shorten(4) }} {{ 'ab'|shorten(4) }}", "abc… ab"),
    ("{{ names|select|unique|sort|join('+') }} {{ names|first }} {{ names|last }} {{ [3, 1]|sort|first }}",
     "Ann+Bob Ann Ann 1"),
    ("{{ 'a,b'|split(',')|join(' ') }} {{ 'x'|upper|lower|title|trim|replace('X', 'y') }}", "a b y"),
    ("{{ nothing|default('-') }} {{ rows[0].Note|default('none') }} {{ names|length }} {{ 'abc'|length }}",
     "- none 4 3"),
    ("{{ nothing is defined }} {{ n is number }} {{ text is text }} {{ names is list }} {{ run is mapping }}",
     "false true true true true"),
    ("{{ rows[0].Note is none }} {{ true is boolean }} {{ nothing is undefined }}", "true true true"),
    ("{% for i in range(2, 6, 2) %}{{ i }} {% endfor %}{{ range(3)|join }}", "2 4 012"),
    ("{{ text[:1] ~ text[3] ~ n }} {{ rows[0]['First name'] }} {{ 'o' in 'Zoo' }}", "ab5 Zoë true"),
    ("one\n  {% if n %}\n  two\n  {% endif %}\nthree\n", "one\n  two\nthree\n"),
    ("{# a remark #}{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MADE)
def test_a_text_says_what_its_values_say(text: str, expected: str) -> None:
    assert made(text) == expected


def test_every_filter_and_test_is_tried_above() -> None:
    texts = " ".join(text for text, _ in [*MADE, *OF_DATA])
    assert [name for name in FILTERS if f"|{name}" not in texts] == []
    assert [name for name in TESTS if f"is {name}" not in texts] == []


def test_every_filter_is_in_the_readme() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    told = text.partition("#### Texts with values")[2].partition("\n#")[0]
    assert [name for name in FILTERS if f"`{name}" not in told] == []


def test_one_whole_expression_keeps_what_it_makes() -> None:
    assert parse_value("{{ rows }}").render(VALUES) is VALUES["rows"]
    assert parse_value("{{ n + 1 }}").render(VALUES) == Decimal(6)
    assert parse_value("{{ n == 5 }}").render(VALUES) is True
    assert parse_value("{{ rows[0].Note }}").render(VALUES) is None
    assert parse_value("n is {{ n }}").render(VALUES) == "n is 5"
    with pytest.raises(Unrendered, match="there is no 'nothing' here"):
        parse_value("{{ nothing }}").render(VALUES)
    assert parse_value("{{ nothing }}").names == ("nothing",)


def test_the_names_that_a_text_wants_are_known_and_the_unknown_told_with_the_nearest() -> None:
    text = parse_text("{{ slot.date }}\n{% for r in rows %}{{ r.ID ~ jop }}{% endfor %}{% set x = range(2) %}{{ x }}")
    assert text.names == ("slot", "rows", "jop")
    with pytest.raises(NotAText) as caught:
        text.refuse_unknown(["slot", "rows", "job"])
    assert (str(caught.value), caught.value.hint, caught.value.line) == (
        "line 2: there is no 'jop' here",
        "did you mean 'job'?",
        2,
    )
    text.refuse_unknown(["slot", "rows", "jop"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ slot.dat }}", "there is no 'dat' in it (did you mean 'date'?)"),
        ("{{ jop }}", "there is no 'jop' here"),
        ("a\nb {{ names[9] }}", "line 2: there is no '9' in the list"),
        ("{{ jop.x }}", "there is no 'jop' here"),
        ("{{ rows }}", "a list is no text: put |join(' ') after it"),
        ("{{ run }}", "a mapping is no text: name a part of it, or put |json after it"),
        ("{{ 'a' + 1 }}", "'a' is no number here: put |number after it"),
        ("{{ 'a' < 1 }}", "text and numbers are mixed in it: put |number after what is to be a number"),
        ("{{ n / 0 }}", "it divides by zero"),
        ("{% for c in text %}{% endfor %}", "a loop goes over a list, not over 'a \"b\" <c>'"),
        ("{% for c in nothing %}{% endfor %}", "there is no 'nothing' here"),
        ("{% for a, b in [[1]] %}{% endfor %}", "a loop takes parts that an item does not have"),
        ("{{ 'x'|date('%Y') }}", "'x' is not a date written as 2026-01-31"),
        ("{{ slot|date('%0999d') }}", "'%0999d' is no way to write a date: use %Y %m %d %H %M %S %B %b"),
        ("{{ slot|shift('1y') }}", "'1y' is no shift: write -1d, 2h, 30m, 1w or -1mo"),
        ("{{ slot|shift('999999d') }}{{ slot|shift('999999w') }}", "'999999w' leads out of the calendar"),
        ("{{ slot|start('decade') }}", "'decade' has no start: hour, day, week, month, quarter, year have"),
        ("{{ 'soon'|shift('1d') }}", "'soon' is no date: write it as 2026-01-31, or use slot, now or today"),
        ("{{ [[1]]|unique }}", "unique takes texts and numbers"),
        ("{{ ['a', 1]|sort }}", "text and numbers are mixed in it: put |number after what is to be a number"),
        ("{{ n|left(0) }}", "a place takes 1 to 10,000"),
        ("{{ n|items }}", "items takes a mapping, not a int"),
        ("{{ '\\ud800'|sha256 }}", "a text in it has one half of a surrogate pair, which is no character"),
    ],
)
def test_what_cannot_be_worked_out_is_told(text: str, told: str) -> None:
    assert unfit(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\n{{ n", "line 2: this cannot be read: unexpected end of template, expected 'end of print statement' | "),
        ("{% for x in rows %}", "this cannot be read: Unexpected end of template"),
        ("a\n{{ n|uper }}", "line 2: there is no filter 'uper' here | did you mean 'upper'?"),
        ("{{ n|left }}", "the filter left has too many or too few values | write left(width, fill)"),
        ("{{ n is odd }}", "there is no test 'odd' here | did you mean 'mapping'?"),
        ("{{ " + "9" * 5000 + " }}", "this cannot be read: something in it is absurdly large or deep | "),
        ("x" * 200_001, "this has 200,001 characters; 200,000 are allowed | "),
    ],
)
def test_what_is_no_text_is_told_with_its_line(text: str, told: str) -> None:
    assert refused(text).startswith(told.removesuffix("did you mean 'mapping'?"))


def test_moments_are_in_the_zone_and_aware_only() -> None:
    at = datetime(2026, 6, 1, 3, 4, 5, tzinfo=UTC)
    assert moment(at, NEW_YORK) == {
        "iso": "2026-05-31T23:04:05-04:00", "date": "2026-05-31", "time": "230405", "year": "2026", "month": "05",
        "day": "31", "hour": "23", "minute": "04", "second": "05", "weekday": "7", "week": "22",
        "zone": "America/New_York",
    }  # fmt: skip
    assert time_of(dict(moment(at, NEW_YORK))) == at
    with pytest.raises(ValueError, match="a moment without a zone"):
        moment(at.replace(tzinfo=None), NEW_YORK)
    assert set(sample_occasion()) == {"job", "run", "slot", "now", "today"}


class _Files:
    """What values raise on their own reaches the caller as it is."""

    def __len__(self) -> int:
        return 1

    def records(self) -> Iterator[Mapping[str, Any]]:
        raise InputError("the disk is gone")
        yield {}


def test_what_the_values_raise_is_not_the_texts_fault() -> None:
    with pytest.raises(InputError, match="the disk is gone"):
        made("{% for row in rows %}{% endfor %}", {"rows": _Files()})
