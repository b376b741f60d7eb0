"""A file name is one name: it leads nowhere, hides nothing and means the same everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idms_cli.delivery.naming import LONGEST, file_name, refusal
from idms_cli.errors import InputError
from idms_cli.templates.moments import sample_occasion
from idms_cli.templates.texts import parse_text


def named(template: str, **values: object) -> str:
    return file_name(parse_text(template), {**sample_occasion("feed"), **values})


def refused(template: str, **values: object) -> str:
    with pytest.raises(InputError) as caught:
        named(template, **values)
    return f"{caught.value} | {caught.value.hint}"


def test_a_name_has_what_the_template_says() -> None:
    assert named("{{ job }}-{{ slot.date }}-{{ slot.time }}.csv") == "feed-2026-12-31-235958.csv"
    assert named("Mitglieder {{ slot|date('%d.%m.%Y') }} – Zoë.csv") == "Mitglieder 31.12.2026 – Zoë.csv"  # noqa: RUF001


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "it is blank"),
        (" \t", "it is blank"),
        ("a/b", "it leads into another folder"),
        ("..", "it begins with a dot, which hides a file"),
        (".", "it begins with a dot, which hides a file"),
        ("../x", "it leads into another folder"),
        ("..\\x", "it leads into another folder"),
        ("a\0b", "it has a control character in it"),
        ("a\nb", "it has a control character in it"),
        ("a\u202ecsv.exe", "it has a control character in it"),
        (".htaccess", "it begins with a dot, which hides a file"),
        ("-rf", "it begins with a dash, as options of programs do"),
        (" a", "it begins or ends with a blank, or ends with a dot, which some systems cut off"),
        ("a.", "it begins or ends with a blank, or ends with a dot, which some systems cut off"),
        ("a:b", 'it has a character in it (<>:"|?*) which some systems do not take'),
        ("a*.csv", 'it has a character in it (<>:"|?*) which some systems do not take'),
        ("NUL", "it is the name of a device on some systems"),
        ("com1.csv", "it is the name of a device on some systems"),
        ("LPT\u00b9.txt", "it is the name of a device on some systems"),
        ("x" * 201, "it has more than 200 bytes"),
        ("ë" * 101, "it has more than 200 bytes"),
    ],
)
def test_a_name_that_no_file_should_have_is_refused(name: str, reason: str) -> None:
    assert refusal(name) == reason
    assert reason in refused("{{ x }}", x=name)


def test_the_message_names_the_template_and_what_it_makes() -> None:
    assert refused("in/{{ job }}.csv") == (
        "The file name 'in/{{ job }}.csv' makes 'in/feed.csv', which cannot be used: it leads into another folder. | "
        "The folder belongs into `to:`; put |replace('/', '-') after a value that may have one."
    )
    assert refused("{{ slot.iso }}.csv").endswith(
        "which some systems do not take. | Write a time without colons: {{ slot.time }}, or {{ slot|date('%H%M') }}."
    )
    assert refused("NUL.csv").startswith("The file name 'NUL.csv' cannot be used: it is the name of a device")
    assert refused("{{ slot.dat }}.csv") == (
        "The file name '{{ slot.dat }}.csv' cannot be worked out: there is no 'dat' in it (did you mean 'date'?). | "
        "Correct `file:`."
    )
    assert "makes more than 2,000 characters" in refused("{% for i in range(3000) %}x{% endfor %}")


@given(st.text(max_size=20))
def test_whatever_passes_is_one_plain_name(name: str) -> None:
    if refusal(name):
        return
    assert 0 < len(name.encode()) <= LONGEST
    assert not set(name) & set('/\\\0\n:*?"<>|')
    assert name[0] not in ".- "
