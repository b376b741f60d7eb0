"""Rows that are rejected, each really read, mapped or looked up; the fault that is told of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl

from idms_cli.files import BrokenRow, open_table
from idms_cli.files.options import FileOptions
from idms_cli.imis.properties import Property
from idms_cli.records.faults import Fault, read_fault
from idms_cli.records.forms import Mended
from idms_cli.records.mapping import Rule, bind
from idms_cli.records.mended import fed_back
from tests.modules.imports.office import Office, graded, scores

Case = Callable[[Office], Fault]
REASONS = "_line,_stage,_field,_code,_message,_raw"


def _broken(path: Path, **options: Any) -> Fault:
    with open_table(path, FileOptions(**options)) as table:
        (row,) = [row for row in fed_back(table).rows() if isinstance(row, BrokenRow)]
    return read_fault(row)


def _read(name: str, content: str, **options: Any) -> Case:
    return lambda office: _broken(office.write(content, name), **options)


def _without_its_reasons(office: Office) -> Fault:
    made = openpyxl.Workbook()
    made.active.append(["id", *REASONS.split(",")])
    made.active.append(["", "2", "read", "", "", "", "[1]"])
    made.save(office.directory / "mended.xlsx")
    return _broken(office.directory / "mended.xlsx")


def _never_computed(office: Office) -> Fault:
    made = openpyxl.Workbook()
    made.active.append(["id", "total"])
    made.active.append([1, "=1+1"])
    made.save(office.directory / "m.xlsx")
    return _broken(office.directory / "m.xlsx")


def _mapped(kind: str, cell: str, rule: dict[str, Any] | None = None, **described: Any) -> Case:
    target = Property("Value", kind, **described)
    mapping = bind({"Value": Rule(**{"column": "v", **(rule or {})})}, ("v",), {"Value": target})

    def fault(_office: Office) -> Fault:
        (found,) = mapping.values((cell,)).faults
        return found

    return fault


def _imported(rows: str, *, skipped: bool = False, **options: Any) -> Case:
    """The last fault of a run in which the last row is rejected, or skipped."""

    def fault(office: Office) -> Fault:
        job = graded(**options) if rows.startswith("member,course,grade\n") else scores(**options)
        from idms_cli.records.journal import open_journal

        with open_journal(office.run(job, rows).directory) as journal:
            found = [*(journal.skipped() if skipped else journal.rejected())]
        return found[-1][1][-1]

    return fault


GRADES = "member,course,grade\n"


def _found_by(find: dict[str, str], cell: str) -> Case:
    mapped = {"Course": "course", "Grade": "grade"}
    return _imported(f"{GRADES}{cell},Bookbinding,A\n", action="insert-matching", find=find, match=[], map=mapped)


ROWS: dict[str, Case] = {
    "ragged": _read("m.csv", "id,name\n1,Ann,x\n"),
    "quote": _read("m.csv", 'id,name\n1,"Ann "B" Cole"\n'),
    "nul": _read("m.csv", "id,name\n1,A\0nn\n"),
    "width": _read("m.fwf", "1\n", columns=[{"name": "id", "width": 8}]),
    "cell": _never_computed,
    "syntax": _read("m.jsonl", '{"id": 1}\n{"id": NaN}\n'),
    "nested": _read("m.json", '[{"tags": "a"}, {"tags": ["a,b", "c"]}]'),
    "unknown-column": _read("m.jsonl", '{"id": 1}\n' * 100 + '{"id": 2, "nick": "Jo"}\n'),
    "no-character": _read("m.jsonl", '{"id": "\\ud800"}\n'),
    "several-rows": _read("m.csv", f'id,{REASONS}\n,3,read,,ragged,,"7\n8"\n'),
    "raw": _without_its_reasons,
    "too-long": _mapped("String", "Bookbinding", max_length=5),
    "not-a-choice": _mapped("String", "EDUCC", choices=("EDUC", "MEET")),
    "not-an-integer": _mapped("Integer", "9.5"),
    "not-a-number": _mapped("Decimal", "1.234,56"),
    "out-of-range": _mapped("Decimal", "12345678", precision=9, scale=2),
    "too-precise": _mapped("Decimal", "1.125", scale=2),
    "not-a-boolean": _mapped("Boolean", "ja"),
    "not-a-date": _mapped("Date", "31/02/2026", {"date": "%d/%m/%Y"}),
    "unclear": _mapped("Decimal", Mended("1.234"), {"number": "1.234,56"}),
    "not-in-lookup": _mapped("String", "C", {"lookup": {"A": "Distinction", "B": "Merit"}}),
    "template": _mapped("Decimal", "seven", {"column": None, "template": "{{ v|number * 2 }}"}),
    "condition": _mapped("String", "seven", {"only_if": "v|number > 3"}),
    "no-text": _mapped("Binary", "x"),
    "blank-match": _imported(GRADES + ",Bookbinding,A\n"),
    "double": _imported(GRADES + "101,Bookbinding,A\n101,Bookbinding,B\n"),
    "no-match": _imported(GRADES + "101,Bookbinding,A\n", action="update"),
    "many-matches": _imported(GRADES + "103,Bookbinding,A\n"),
    "no-contact": _found_by({"Email": "member"}, "nobody@example.org"),
    "many-contacts": _found_by({"Chapter": "member"}, "North"),
    "other-key": _imported(GRADES + "105,Gilding,A\n", match=["Course"]),
    "required": _imported("member,course,grade,hours,score,taken\n101,,A,,,2026-11-01\n", match=["ID", "TakenOn"]),
    "exists": _imported(GRADES + "102,Bookbinding,A\n", action="insert", skipped=True),
    "absent": _imported(GRADES + "101,Bookbinding,A\n", action="delete", skipped=True),
}
