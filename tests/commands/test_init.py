"""`idms init job` drafts a job that `idms check` passes, says what it is not sure of, and never overwrites a file."""

from pathlib import Path
from textwrap import dedent

import pytest

from idms_cli.config.documents import parse_document
from idms_cli.imis.properties import Property
from idms_cli.modules.guessing import Sample, guess_map, guess_match
from idms_cli.modules.jobtext import quoted
from idms_cli.sandbox import Sandbox
from tests.conftest import Place

SCORES = """\
member_id,course,grade,hours,taken,Remark: by hand
101,Ethics I,A,"1,5",31/01/2026,
101,Law,B,"2,25",28/02/2026,late
102,Ethics I,Distinction,12,01/03/2026,
"""


def drafted(place: Place, *arguments: str) -> str:
    """The lines of the job, printed, without the other properties."""
    shown = place.idms("init", "job", *arguments, "--out", "-")
    assert shown.returncode == 0, shown.stderr
    return shown.stdout.partition("    # Other properties:")[0]


def test_columns_become_properties_and_what_is_not_sure_is_marked(place: Place) -> None:
    place.write("Scores 2026.csv", SCORES)
    assert drafted(place, "--from", "Scores 2026.csv", "--to", "panel:abc_scores") == dedent(
        """\
        # Drafted by `idms init job` from Scores 2026.csv. Look at the lines marked `check`, then:
        #   idms check scores-2026            # is anything wrong with it?
        #   idms run scores-2026 --dry-run    # what would it write?
        description: Scores 2026.csv becomes ABC_Scores records
        module: import
        # schedule: {cron: "15 2 * * 1-5"}    # until it has one, it runs by hand
        with:
          source: {path: Scores 2026.csv}
          destination: {panel: ABC_Scores}
          action: upsert
          match: [ID, Course]                             # check: is this what tells one record from another?
          map:
            ID: member_id                                   # check: the names are only similar (text, at most 10)
            Course: course                                  # text, at most 40
            Grade: grade                                    # check: 1 of 3 different values do not fit. \
'Distinction' is not among the codes of Grade. They are: A, B, C, F (one of A, B, C, F)
            Hours: {column: hours, number: "1.234,56"}      # number
            TakenOn: {column: taken, date: "%d/%m/%Y"}      # check: the names are only similar (date)
            # Columns that no property is like:
            #   "Remark: by hand"
        """
    )


def test_a_draft_passes_check_and_runs(place: Place, site: Sandbox) -> None:
    place.write("scores.csv", SCORES)
    written = place.idms("init", "job", "--from", "scores.csv", "--to", "panel:ABC_Scores")
    path = place.directory / "jobs.d" / "scores.yaml"
    assert written.stdout == f"{path}: 5 of 6 columns are mapped, 4 lines to check. Next: idms check scores\n"
    assert path.stat().st_mode & 0o022 == 0
    assert place.idms("check").returncode == 0
    assert site.writes == []
    assert "2 inserted" in place.idms("run", "scores").stdout


def test_a_query_becomes_an_update(place: Place, site: Sandbox) -> None:
    arguments = ("--from", "$/Idms/Lapsed members", "--to", "panel:ABC_Membership")
    assert drafted(place, *arguments) == dedent(
        """\
        # Drafted by `idms init job` from Lapsed members. Look at the lines marked `check`, then:
        #   idms check lapsed-members            # is anything wrong with it?
        #   idms run lapsed-members --dry-run    # what would it write?
        description: Lapsed members becomes ABC_Membership records
        module: update
        # schedule: {cron: "15 2 * * 1-5"}    # until it has one, it runs by hand
        with:
          source: {query: "$/Idms/Lapsed members", key: ID}  # check: the query asks for MemberType: \
parameters: {NAME: VALUE}
          destination: {panel: ABC_Membership}
          action: update
          match: [ID]
          map:
            ID: ID                                          # text, at most 10
            PaidThru: PaidThru                              # date
            Standing: Standing                              # one of GOOD, LAPSED, GRACE, HONORARY
            # Columns that no property is like:
            #   FullName
            #   MemberType
        """
    )
    assert place.idms("init", "job", *arguments).returncode == 0
    assert place.idms("check", "--online", "lapsed-members").returncode == 0
    assert "unchanged" in place.idms("run", "lapsed-members").stdout
    assert site.writes == []


def test_a_file_is_never_overwritten(place: Place, site: Sandbox) -> None:
    place.write("scores.csv", SCORES)
    path = place.write("jobs.d/scores.yml", "module: mine\n")
    refused = place.idms("init", "job", "--from", "scores.csv", "--to", "panel:ABC_Scores")
    assert refused.returncode == 2
    assert f"{path} is there already, and is not overwritten" in refused.stderr
    assert path.read_text() == "module: mine\n"
    assert sum(site.calls["calls"].values()) == 0
    elsewhere = place.directory / "draft.yaml"
    assert (
        place.idms(
            "init", "job", "--from", "scores.csv", "--to", "panel:ABC_Scores", "--out", str(elsewhere)
        ).returncode
        == 0
    )
    assert elsewhere.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "scores.csv", "--to", "contacts"], "there is no kind of record 'contacts'"),
        (["--from", "scores.csv", "--to", "panel"], "a panel needs its name"),
        (["--from", "scores.csv", "--to", "contact:x"], "contact has no name of its own"),
        (["--from", "scores.csv", "--to", "panel:ABC_Score"], "no business object 'ABC_Score'"),
        (["--from", "other.csv", "--to", "contact"], "other.csv: there is no such file"),
        (["--from", "scores.csv", "--to", "contact", "--connection", "live"], "there is no connection 'live'"),
        (["--from", "scores.csv", "--to", "contact", "--name", "../x"], "'../x' is no job name"),
        (["--from", "scores.csv", "--to", "contact", "--out", "none/x.yaml"], "there is no such folder"),
        (["--from", "$/Idms/Lapsed", "--to", "contact"], "The site has no query $/Idms/Lapsed"),
        (["--to", "contact"], "Missing option '--from'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_told(place: Place, arguments: list[str], message: str) -> None:
    place.write("scores.csv", SCORES)
    shown = place.idms("init", "job", *arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert message in shown.stderr


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [("a.fwf", "101A\n", "columns:"), ("a.zip", "x", "format:"), ("a.csv", "ID;a,b\n", "delimiter:")],
)
def test_what_only_a_job_can_say_about_a_file_is_told_so(place: Place, name: str, content: str, key: str) -> None:
    place.write(name, content)
    told = place.idms("init", "job", "--from", name, "--to", "contact")
    assert told.returncode == 2
    assert key in told.stderr
    assert told.stderr.endswith("Only the `source:` of a job can say that: write this one by hand.\n")


def test_a_site_out_of_reach_is_told_and_nothing_is_written(place: Place) -> None:
    place.write("scores.csv", SCORES)
    place.settings("http://127.0.0.1:9", connection="rate: 5000/s, timeout: 1s")
    shown = place.idms("init", "job", "--from", "scores.csv", "--to", "contact")
    assert shown.returncode == 5
    assert list((place.directory / "jobs.d").iterdir()) == []


def test_a_name_must_follow_the_house_rule(place: Place, url: str) -> None:
    place.write("Scores.csv", SCORES)
    place.settings(url, more='naming: {pattern: "imp-[a-z]+"}\n')
    refused = place.idms("init", "job", "--from", "Scores.csv", "--to", "contact")
    assert refused.returncode == 2
    assert "the job name 'scores' breaks the naming rule" in refused.stderr


def test_hostile_column_names_stay_text(place: Place) -> None:
    names = ["a: b", "#x", "true", 'say "hi"', "back\\slash", "- y", "[z]", "\u202egnp", "0123", "\U0001f600 yes", "x"]
    text = "map: {" + ", ".join(f"{quoted(name)}: {quoted(name)}" for name in names) + "}\n"
    assert parse_document(text.encode(), "x").data == {"map": {name: name for name in names}}
    place.write("x.csv", 'ID,"# map: {a: 1}","{% for %}","e\u202ex"\n101,a,b,c\n')
    assert place.idms("init", "job", "--from", "x.csv", "--to", "contact").returncode == 0
    assert place.idms("check").returncode == 0


PROPERTIES = {
    one.name: one
    for one in (
        Property("ID", key=True),
        Property("Ordinal", "Integer", key=True, read_only=True),
        Property("BirthDate", "Date"),
        Property("PaidThru", "Date"),
        Property("Amount", "Monetary"),
        Property("Count", "Integer"),
        Property("Newsletter", "Boolean"),
        Property("Status", choices=("A", "I")),
        Property("LastName", max_length=5),
    )
}


def guessed(column: str, *cells: str) -> tuple[object, ...] | None:
    """The property, date, number and doubts for one column."""
    found = guess_map(Sample((column,), [(cell,) for cell in cells]), PROPERTIES, ("ID",))
    return (found[0].target.name, found[0].date, found[0].number, *found[0].doubts) if found else None


SIMILAR = "the names are only similar"


@pytest.mark.parametrize(
    ("column", "cells", "guess"),
    [
        ("birth date", ["2026-01-31"], ("BirthDate", None, None)),
        ("Birth_Date", ["31.12.1999", "1.2.2000"], ("BirthDate", "%d.%m.%Y", None)),
        ("birthdate", ["12/31/99 23:59"], ("BirthDate", "%m/%d/%y %H:%M", None)),
        ("birthdate", ["01/02/2026"], ("BirthDate", "%m/%d/%Y", None, "it could be %d/%m/%Y too")),
        ("birthdate", ["01/02/2026", "31/02/2026", "13/01/2026"], ("BirthDate", "%d/%m/%Y", None,
         "1 of 3 different values do not fit. '31/02/2026' is not a date written as %d/%m/%Y, or there is no such "
         "day.")),
        ("birthdate", [""], ("BirthDate", None, None)),
        ("birthday", ["31 Jan 2026"], ("BirthDate", "%d %b %Y", None, SIMILAR)),
        ("paid", ["2026-01-31"], ("PaidThru", None, None, SIMILAR)),
        ("paid", ["yes"], None),
        ("amount", ["1.234,50", "7"], ("Amount", None, "1.234,56")),
        ("amount", ["1,234"], ("Amount", None, "1,234.56", "it could be 1.234,56 too")),
        ("amount", ["12.50"], ("Amount", None, None)),
        ("count", ["1,234", "1,000,000"], ("Count", None, "1,234.56")),
        ("newsletter", ["ja"], ("Newsletter", None, None, "1 of 1 different values do not fit. 'ja' is neither true "
                                "(1, T, True, Y, Yes) nor false (0, F, False, N, No).")),
        ("status", ["A", "X"], ("Status", None, None,
                                "1 of 2 different values do not fit. 'X' is not among the codes of Status. "
                                "They are: A, I.")),
        ("Surname", ["Li"], ("LastName", None, None, SIMILAR)),
        ("Member No", ["1"], ("ID", None, None, SIMILAR)),
        ("remark", ["x"], None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_guesses(column: str, cells: list[str], guess: tuple[object, ...] | None) -> None:
    assert guessed(column, *cells) == guess


def test_each_property_and_column_is_taken_once_and_the_best_name_wins() -> None:
    sample = Sample(("member", "ID", "last name", "lastnam"), [("1", "2", "a", "b")])
    found = guess_map(sample, PROPERTIES, ("ID",))
    assert [(one.column, one.target.name) for one in found] == [("ID", "ID"), ("last name", "LastName")]


def test_as_few_properties_as_it_takes_tell_rows_apart() -> None:
    rows = [("1", "2026-01-01", "a"), ("1", "2026-01-01", "b"), ("1", "2026-01-01", "b"), ("2", "2026-01-01", "a")]
    sample = Sample(("ID", "PaidThru", "LastName"), rows)
    found = guess_map(sample, PROPERTIES)
    assert guess_match(sample, found, ["ID"], lambda names: names == ["ID"]) == ("ID", "LastName")
    assert guess_match(sample, found[:2], ["ID"], lambda _: False) == ("ID",)
    assert guess_match(sample, found, ["Status"], lambda _: True) == ()


def test_the_default_name_is_safe(place: Place) -> None:
    place.write("Übersicht (final) v2.csv", "ID\n101\n")
    assert place.idms("init", "job", "--from", "Übersicht (final) v2.csv", "--to", "contact").returncode == 0
    assert [path.name for path in Path(place.directory / "jobs.d").iterdir()] == ["bersicht-final-v2.yaml"]


@pytest.mark.parametrize(
    ("name", "content", "source"),
    [
        ("m.json", '{"data": {"rows": [{"ID": "101", "Course": "Law", "Grade": "A"}]}}', ", records: data.rows"),
        ("m.xml", '<out><row ID="101"><Course>Law</Course><Grade>A</Grade></row></out>', ', record: "out/row"'),
        ("m.jsonl", '{"ID": "101", "Course": "Law", "Grade": "A"}', ""),
    ],
)
def test_a_draft_finds_the_records_of_a_file_and_runs(
    place: Place, site: Sandbox, name: str, content: str, source: str
) -> None:
    place.write(name, content)
    told = place.idms("init", "job", "--from", name, "--to", "panel:ABC_Scores")
    assert told.returncode == 0, told.stderr
    assert f"  source: {{path: {name}{source}}}" in (place.directory / "jobs.d/m.yaml").read_text()
    assert "1 read = 1 inserted" in place.idms("run", "m").stdout


def test_a_value_inside_another_is_known_by_both_names(place: Place) -> None:
    place.write("m.json", '[{"id": "101", "name": {"first": "Zoë", "last": "Bell"}, "address": {"phone": "1"}}]')
    text = drafted(place, "--from", "m.json", "--to", "contact")
    assert "FirstName: name.first" in text
    assert "LastName: name.last" in text
    assert "Phone: address.phone" in text


def test_what_belongs_to_a_contact_is_matched_by_nothing_less_than_the_contact(place: Place) -> None:
    place.write("a.csv", "zip,mail\n53111,a@example.org\n")
    text = drafted(place, "--from", "a.csv", "--to", "address")
    assert "match: [] " in text
    assert "PostalCode: zip" in text
    needed = text.partition("# A new record needs these")[2].partition("# Columns")[0]
    assert [line.split()[1] for line in needed.splitlines()[1:]] == ["ID:", "AddressPurpose:"]


def test_a_file_that_fits_nothing_is_said_to(place: Place) -> None:
    place.write("x.csv", "qqq,zzz\n1,2\n")
    told = place.idms("init", "job", "--from", "x.csv", "--to", "panel:ABC_Scores")
    assert "0 of 2 columns are mapped, 2 lines to check" in told.stdout
    assert "no column is like a property; say what goes where" in (place.directory / "jobs.d/x.yaml").read_text()
    assert place.idms("check", "x").returncode == 2
