"""What may stand in `path:`, and that nothing secret can."""

from pathlib import Path

import pytest

from idms_cli.config.problems import BadValue
from idms_cli.files.origins.address import parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data.csv", ("file", "", "", "data.csv")),
        ("/srv/lms/a-*.csv", ("file", "", "/srv/lms/", "a-*.csv")),
        ("/a.csv", ("file", "", "/", "a.csv")),
        ("in/a?.csv", ("file", "", "in/", "a?.csv")),
        ("sftp://feeds@partner.example.net/out/x.csv", ("sftp", "partner.example.net", "/out/", "x.csv")),
        ("sftp://feeds@partner.example.net:2222/~/x.csv", ("sftp", "partner.example.net", "/~/", "x.csv")),
        ("sftp://feeds@[::1]/x y.csv", ("sftp", "::1", "/", "x y.csv")),
        ("https://partner.example.net/a/x.csv", ("https", "partner.example.net", "/a/", "x.csv")),
        ("https://partner.example.net/export?type=csv", ("https", "partner.example.net", "/", "export")),
        ("http://127.0.0.1:80/x.csv", ("http", "127.0.0.1", "/", "x.csv")),
        ("s3://feeds/out/x-*.csv", ("s3", "feeds", "/out/", "x-*.csv")),
    ],
)
def test_an_address_is_taken_apart(text: str, expected: tuple[str, ...]) -> None:
    found = parse_address(text)
    assert (found.scheme, found.host, found.folder, found.name) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the path of a file is wanted here"),
        (None, "the path of a file is wanted here"),
        ("folder/", "this names a folder, and a file is wanted"),
        ("fol*/x.csv", "can stand in the name of the file only"),
        ("~/x.csv", "'~' has no meaning here"),
        ("ftp://feeds@host/x.csv", "there are no sources of the kind 'ftp://'"),
        ("sftp://host/x.csv", "the address names no user"),
        ("sftp://u:hunter2@host/x.csv", "a password does not belong in the address"),
        ("sftp://u@host", "this address names no file"),
        ("sftp://u@host:0/x.csv", "no name of a server"),
        ("sftp://u@host/o*t/x.csv", "can stand in the name of the file only"),
        ("https://u:hunter2@host/x.csv", "user and password do not belong in the address"),
        ("https://token@host/x.csv", "user and password do not belong in the address"),
        ("https://host/x*.csv", "a web server cannot list its files"),
        ("https://host/x.csv#hunter2", "what follows '#' is never sent"),
        ("https:///x.csv", "this address names no server"),
        ("http://partner.example.net/x.csv", "it is for this machine only"),
        ("s3://hunter2@feeds/x.csv", "a bucket has no user"),
        ("s3://feeds", "this address names no file"),
    ],
)
def test_what_is_no_address_is_refused_and_no_secret_is_shown(text: object, message: str) -> None:
    with pytest.raises(BadValue) as refused:
        parse_address(text)
    assert message in str(refused.value)
    assert "hunter2" not in str(refused.value) + (refused.value.hint or "")
    assert not ("hunter2" in str(text) and refused.value.show_value)


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("a-*.csv", ["a-.csv", "a-1.csv"], ["A-1.csv", "a-1.csv.part", "b-1.csv"]),
        ("*.csv", ["a.csv"], [".a.csv", ".csv"]),
        ("a?.csv", ["a1.csv"], ["a.csv", "a12.csv"]),
        ("[a]*.csv", ["[a]1.csv"], ["a1.csv"]),
    ],
)
def test_a_pattern_fits_names_as_in_a_shell_but_for_brackets(
    pattern: str, fitting: list[str], others: list[str]
) -> None:
    address = parse_address(pattern)
    assert [name for name in [*fitting, *others] if address.fits(name)] == fitting


def test_the_query_of_a_web_address_is_never_shown() -> None:
    found = parse_address("https://partner.example.net/export.csv?key=hunter2")
    assert found.shown == "https://partner.example.net/export.csv"
    assert "hunter2" not in repr(found)


def test_a_local_address_starts_from_the_directory_of_idms_yaml() -> None:
    assert parse_address("in/x.csv").below(Path("/etc/idms")).shown == "/etc/idms/in/x.csv"
    assert parse_address("x.csv").below(Path("/etc/idms")).shown == "/etc/idms/x.csv"
    assert parse_address("/srv/x.csv").below(Path("/etc/idms")).shown == "/srv/x.csv"
