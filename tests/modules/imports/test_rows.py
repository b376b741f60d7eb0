"""Every row of the file is told: written, left alone, or in the file of rejects with all that is wrong with it."""

import csv
import io
from pathlib import Path

import pytest

from idms_cli.sandbox import Sandbox
from tests.modules.imports.office import REASONS, Office, found, graded, scores, writes

MIXED = """\
member,course,grade,hours,score,taken
101,Bookbinding,A,7.5,90,2026-11-01
101,Ethics 2,A,seven,9.5,2026-02-30
102,Bookbinding,Z,,,
103,Bookbinding
104,Bookbinding,A,,,,,more

105,Bookbinding,B,,,
105,Bookbinding,C,,,
106,Bookbinding,B,,,
106,Bookbinding,B,,,
999999,Bookbinding,A,,,
,Bookbinding,A,,,
"""


def test_read_is_written_and_unchanged_and_skipped_and_rejected(office: Office, site: Sandbox) -> None:
    done = office.run(scores(), MIXED)
    assert done.outcome.status == "partial"
    assert done.summary == {"read": 11, "inserted": 2, "skipped": 1, "rejected": 8}
    assert done.codes == {
        3: "not-a-number; not-an-integer; not-a-date",
        4: "not-a-choice",
        5: "ragged",
        6: "ragged",
        8: "double",
        9: "double",
        12: "validation",
        13: "blank-match",
    }
    assert done.skipped == {11: "says the same as line 10"}
    assert "1 blank line passed over." in done.log
    assert writes(site) == 3


def test_a_reject_has_the_row_as_it_came_and_every_reason(office: Office) -> None:
    done = office.run(scores(), MIXED)
    assert done.rejects_file.read_bytes().startswith(b"\xef\xbb\xbfmember,course,grade,hours,score,taken,_line,")
    reject = done.rejects[0]
    assert list(reject) == ["member", "course", "grade", "hours", "score", "taken", *REASONS]
    assert [reject[name] for name in ("member", "course", "grade", "hours", "score", "taken")] == [
        "101",
        "Ethics 2",
        "A",
        "seven",
        "9.5",
        "2026-02-30",
    ]
    assert (reject["_stage"], reject["_field"]) == ("map", "Hours; Score; TakenOn")
    for said in ("Column hours: 'seven'", "Column score: '9.5'", "Column taken: '2026-02-30'"):
        assert said in reject["_message"]


def test_two_rows_that_contradict_each_other_are_both_rejected_and_name_each_other(office: Office) -> None:
    done = office.run(scores(), MIXED)
    assert done.messages[8] == "line 9 has the same key and says something else; nobody knows which is right"
    assert done.messages[9] == "line 8 has the same key and says something else; nobody knows which is right"


def test_a_contradiction_is_found_whatever_lies_between_and_in_any_case_of_letters(
    office: Office, site: Sandbox
) -> None:
    lines = [f"{number},Bookbinding,B" for number in range(101, 124)] * 20
    text = "\n".join(["member,course,grade", "130,Bookbinding,A", *lines, "130, BOOKBINDING,B", ""])
    done = office.run(graded(), text)
    assert done.codes == {2: "double", 463: "double"}
    assert done.summary == {"read": 462, "inserted": 23, "skipped": 437, "rejected": 2}
    assert found(site, "ABC_Scores", ID="130", Course="Bookbinding") == []


def test_rows_without_match_are_all_written_however_alike(office: Office, site: Sandbox) -> None:
    rows = "member,course,grade\n" + "101,Bookbinding,A\n" * 3
    assert office.run(graded(action="insert", match=[]), rows).summary == {"read": 3, "inserted": 3}
    assert len(found(site, "ABC_Scores", Course="Bookbinding")) == 3


def test_mended_rejects_can_be_fed_back_as_they_are_and_give_only_the_mended_rows(
    office: Office, site: Sandbox
) -> None:
    rejects = office.run(scores(), MIXED).rejects_file
    mended = mend(rejects, {"3": {"hours": "7", "score": "9", "taken": "2026-02-28"}, "4": {"grade": "B"}})
    site.reset()
    done = office.run(scores(), mended)
    assert done.summary == {"read": 8, "inserted": 2, "rejected": 6}
    assert set(done.codes.values()) == {"ragged", "double", "validation", "blank-match"}
    assert [row["Hours"] for row in found(site, "ABC_Scores", Course="Ethics 2")] == [7]
    assert list(done.rejects[0]) == ["member", "course", "grade", "hours", "score", "taken", *REASONS]


def test_a_ragged_row_is_mended_in_its_cells_or_in_its_raw_text(office: Office, site: Sandbox) -> None:
    rejects = office.run(scores(), MIXED).rejects_file
    changes = {"5": {"grade": "C", "_raw": ""}, "6": {"_raw": "104,Bookbinding,A,,,"}}
    done = office.run(scores(), mend(rejects, changes, only=changes))
    assert done.summary == {"read": 2, "inserted": 2}
    assert {row["ID"]: row["Grade"] for row in found(site, "ABC_Scores", Course="Bookbinding")}["104"] == "A"


def test_rejects_fed_back_unmended_are_the_same_rejects(office: Office, site: Sandbox) -> None:
    first = office.run(scores(), MIXED)
    again = office.run(scores(), first.rejects_file.read_bytes())
    cells = ("member", "course", "grade", "hours", "score", "taken", "_code")
    assert [[row[name] for name in cells] for row in again.rejects] == [
        [row[name] for name in cells] for row in first.rejects
    ]


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1 555 x", "@SUM(A1)", "-1+2", "'=quoted", "- x"])
def test_a_formula_is_disarmed_in_the_rejects_and_comes_back_as_it_was(
    office: Office, site: Sandbox, text: str
) -> None:
    rejects = office.run(scores(), f'member,course,grade,hours,score,taken\n101,"{text}",Z,,,\n').rejects_file
    raw = next(csv.DictReader(io.StringIO(rejects.read_bytes().decode("utf-8-sig"))))
    assert raw["course"] == "'" + text
    assert office.run(scores(), mend(rejects, {"2": {"grade": "A"}})).summary == {"read": 1, "inserted": 1}
    assert [row["Course"] for row in found(site, "ABC_Scores", ID="101", Grade="A")][-1] == text


HOSTILE = {
    "control codes": "\x1b[2J\x1b[31mred\x07",
    "markup": "[red]x[/red] [link=file:///etc/passwd]y[/link]",
    "formula": '=cmd|"/c calc"!A1',
    "long": "x" * 10_000,
    "emoji": "👩‍👩‍👧‍👦🇩🇪",
    "right to left": "abc\u202egnp.exe",
    "line breaks": "one\ntwo\r\nthree\u2028four",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_kept_in_its_cell_and_harmless_in_the_reason(office: Office, site: Sandbox, text: str) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["member", "course", "grade"])
    writer.writerow(["101", "Bookbinding", text])
    done = office.run(graded(), buffer.getvalue())
    assert done.codes == {2: "not-a-choice" if len(text) <= 5 else done.codes[2]}
    message = done.messages[2]
    assert len(message) < 500
    assert not any(character in message for character in "\x1b\x07\n\r\u2028\u202e")
    again = office.run(graded(), done.rejects_file.read_bytes())
    assert again.rejects[0]["grade"] == done.rejects[0]["grade"]
    assert again.messages[2] == message
    assert writes(site) == 0


@pytest.mark.parametrize(
    "text",
    ["👩‍👩‍👧‍👦🇩🇪", "[red]x", "=1+1", "Ünï|cödé~1", "a&b=c?d#e%f", "x" * 40],
    ids=["emoji", "markup", "formula", "bar", "url", "long"],
)
def test_strange_text_travels_to_the_site_and_is_found_there_again(office: Office, site: Sandbox, text: str) -> None:
    rows = f'member,course,grade\n101,"{text}",A\n'
    assert office.run(graded(), rows).summary == {"read": 1, "inserted": 1}
    assert [row["Course"] for row in found(site, "ABC_Scores", ID="101", Grade="A")][-1] == text
    assert office.run(graded()).summary == {"read": 1, "unchanged": 1}


def mend(path: Path, changes: dict[str, dict[str, str]], *, only: object = None) -> str:
    """A file of rejects with cells changed, by line; all its rows, or only those."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        rows = [{**row, **changes.get(row["_line"], {})} for row in reader]
        names = list(reader.fieldnames or ())
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, names)
    writer.writeheader()
    writer.writerows(row for row in rows if only is None or row["_line"] in changes)
    return buffer.getvalue()
