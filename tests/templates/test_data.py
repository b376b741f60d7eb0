"""The filters that read data and make it: each value written out."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from idms_cli.templates.datafilters import DataFilters
from idms_cli.templates.moments import sample_occasion
from idms_cli.templates.texts import Unrendered, Value, parse_value


class Rows:
    """Rows that are streamed."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def records(self) -> Iterator[Mapping[str, Any]]:
        return ({"ID": str(101 + place), "Dues": Decimal("12.50")} for place in range(self._count))


def made(expression: str, **values: Any) -> Any:
    template = parse_value(f"{{{{ {expression} }}}}")
    assert isinstance(template, Value)
    return template.render({**sample_occasion(), **values})


MADE: list[tuple[str, Any]] = [
    ("'[1, 2.50, {\"a\": null}]'|from_json", [1, Decimal("2.50"), {"a": None}]),
    ('(\'{"a": {"b": [7]}}\'|from_json).a.b[0]', 7),
    ("'ID,Name\\n1,\"Zoë, A\"\\n2'|from_csv", [{"ID": "1", "Name": "Zoë, A"}, {"ID": "2", "Name": ""}]),
    ("'a;b\\n1;2'|from_csv(';')", [{"a": "1", "b": "2"}]),
    ("[{'a': 1, 'b': 'x, y'}, {'a': none}]|csv_table", 'a,b\r\n1,"x, y"\r\n,\r\n'),
    ("'Zoë'|base64|from_base64", "Zoë"),
    ("'a'|sha512|left(8)", "1f40fc92"),
    ("12.5|cents", 1250),
    ("'1,234.50'|number('1,234.56')|cents", 123450),
    ("(3 - 10)|abs", Decimal(7)),
    ("[{'k': 'a', 'n': 1}, {'k': 'b', 'n': 2}]|where('k', 'b')|pick('n')", [2]),
    ("{'a': 1, 'b': 2}|keys", ["a", "b"]),
    ("{'a': 1, 'b': 2}|values|sum", Decimal(3)),
    ("[3, 1, 2]|min", 1),
    ("[3, 1, 2]|max", 3),
    ("[]|max", None),
    ("[3, 1, 2]|reverse", [2, 1, 3]),
    ("[{'n': 2}, {'n': 1}]|sort('n')|pick('n')", [1, 2]),
    ("('2026-02-03'|moment).week", "06"),
    ("('2026-11-30T02:00:00Z'|zone('America/New_York')).iso", "2026-11-29T21:00:00-05:00"),
    ("('2028-02-03'|end('month')).date", "2028-02-29"),
    ("('2026-11-30'|end('quarter')).date", "2026-12-31"),
    ("('2026-11-30'|end('week')).date", "2026-12-06"),
    ("'2026-01-31'|days_until('2026-03-01')", 29),
    ("'1970-01-02T00:00:00+00:00'|epoch", 86400),
    ("slot|epoch", 1798761598),
]


@pytest.mark.parametrize(("expression", "expected"), MADE)
def test_each_filter_makes(expression: str, expected: Any) -> None:
    assert made(expression) == expected


def test_every_filter_of_data_is_tried_above() -> None:
    texts = " ".join(text for text, _ in MADE)
    names = DataFilters(1, lambda _: None).table()  # type: ignore[arg-type, return-value]
    assert [name for name in names if f"|{name}" not in texts] == []


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("'{'|from_json", "'{' is no JSON in line 1"),
        ("'NaN'|from_json", "'NaN' is no JSON"),
        ("deep|from_json", "it has more than 100,000 items, or is nested too deep"),
        ("many|from_json", "it has more than 100,000 items"),
        ("'/w=='|from_base64", "is no text in base64"),
        ("'a'|from_base64", "is no text in base64"),
        ("12.345|cents", "12.345 has more than two places: round it first"),
        ("'x'|keys", "keys takes a mapping, not 'x'"),
        ("['x']|csv_table", "a list of mappings is wanted"),
        ("'2026-11-30'|epoch", "does not say in which zone it is"),
        ("slot|zone('Mars')", "there is no time zone 'Mars'"),
        ("'x'|moment", "'x' is no date"),
        ("slot|end('hour')", "'hour' has no end"),
    ],
)
def test_what_they_refuse(expression: str, told: str) -> None:
    values = {"deep": "[" * 60 + "]" * 60, "many": json.dumps(list(range(100_001)))}
    with pytest.raises(Unrendered) as caught:
        made(expression, **values)
    assert told in str(caught.value)


def test_rows_are_picked_chosen_and_written_as_they_stream() -> None:
    rows = Rows(3)
    assert made("rows|pick('ID')|join(' ')", rows=rows) == "101 102 103"
    assert made("rows|pick('Dues')|sum", rows=rows) == Decimal("37.50")
    assert made("rows|where('ID', '102')|pick('Dues')", rows=rows) == [Decimal("12.50")]
    assert made("rows|csv_table", rows=rows) == "ID,Dues\r\n101,12.50\r\n102,12.50\r\n103,12.50\r\n"
    assert made("rows|json", rows=Rows(1)) == '[{"ID":"101","Dues":12.50}]'
    for expression in ("rows|pick('ID')", "rows|where('Dues', 12.5)", "rows|json", "rows|csv_table"):
        with pytest.raises(Unrendered):
            made(expression, rows=Rows(100_001))
