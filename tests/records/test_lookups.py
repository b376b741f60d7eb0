"""A lookup in a file is read whole before the first row, and everything that is wrong with it is told."""

from pathlib import Path

import pytest

from idms_cli.imis.properties import Property
from idms_cli.records.lookups import read_lookups
from idms_cli.records.mapping import MapRefused, Rule, bind
from idms_cli.records.texts import items, titled

LOOKUP = {"file": "grades.csv", "key": "code", "value": "name"}


def rule(**written: object) -> Rule:
    return Rule.model_validate({"column": "grade", "lookup": LOOKUP, **written})


def write(directory: Path, text: str) -> None:
    (directory / "grades.csv").write_text(text, encoding="utf-8")


def test_two_columns_of_a_file_are_a_lookup(tmp_path: Path) -> None:
    write(tmp_path, "name;code;more\n Distinction ; A;1\nMerit;B;2\nMerit;B;3\n;-;\n")
    lookups = read_lookups({"Grade": rule(), "ID": "member"}, tmp_path)
    assert lookups == {"Grade": {"A": "Distinction", "B": "Merit", "-": ""}}
    mapping = bind({"Grade": rule()}, ["grade"], {"Grade": Property("Grade")}, lookups=lookups)
    assert mapping.values(("B",)).values == {"Grade": "Merit"}
    assert mapping.values(("-",)).kept == ("Grade",)
    assert [fault.code for fault in mapping.values(("C",)).faults] == ["not-in-lookup"]


def test_values_of_a_file_are_checked_against_the_property(tmp_path: Path) -> None:
    write(tmp_path, "code,name\nA,Distinction\n")
    with pytest.raises(MapRefused, match="A: 'Distinction' has 11 characters; Grade holds 5"):
        bind({"Grade": rule()}, ["grade"], {"Grade": Property("Grade", max_length=5)},
             lookups=read_lookups({"Grade": rule()}, tmp_path))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "{file}: there is no such file", id="missing"),
        pytest.param("code,names\nA,x\n", "{file} has no column 'name'", id="other column"),
        pytest.param("code,name\n", "{file}: the lookup has no rows", id="empty"),
        pytest.param("code,name\nA,x\n ,y\n", "{file}:3: the key is blank", id="blank key"),
        pytest.param("code,name\nA,x\nA,y\n", "{file}:3: 'A' stands for two things", id="two meanings"),
    ],
)
def test_a_file_that_is_wrong_is_told_with_its_line(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        write(tmp_path, text)
    with pytest.raises(MapRefused) as caught:
        read_lookups({"Grade": rule()}, tmp_path)
    told = message.format(file=tmp_path / "grades.csv")
    assert [(fault.word, fault.message) for fault in caught.value.faults] == [
        ("Grade", f"the lookup cannot be used: {told}")
    ]
    assert caught.value.hint


def test_a_broken_row_makes_the_whole_lookup_useless(tmp_path: Path) -> None:
    write(tmp_path, "code,name\nA\n")
    with pytest.raises(MapRefused, match=r"grades\.csv:2: "):
        read_lookups({"Grade": rule()}, tmp_path)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("JEAN-LUC PICARD", "Jean-Luc Picard"),
        ("o'neil and d\u2019arcy", "O'Neil And D\u2019Arcy"),
        ("it's", "It's"),
        ("l'ann\u00e9e", "L'Ann\u00e9e"),
        ("ZOE\u0308 MC2", "Zoe\u0308 Mc2"),
        ("", ""),
    ],
)
def test_titles_are_written_as_names_are(text: str, title: str) -> None:
    assert titled(text) == title


def test_items_are_what_stands_between_the_marks() -> None:
    assert items(" a ;; b;a", ";") == ["a", "b"]
    assert items("", ";") == []
