"""Files that cannot be made, each really tried."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from idms_cli.config.secret_sources import SecretSource
from idms_cli.delivery.naming import file_name
from idms_cli.errors import InputError
from idms_cli.files.writers import Cells, Occasion, Rows, load_writer
from idms_cli.files.writers.openpgp import EncryptOptions, SignOptions
from idms_cli.files.writers.packing import Packing, opened_packer
from idms_cli.templates.moments import sample_occasion
from idms_cli.templates.texts import parse_text
from tests.files.writers.keys import gpg_home
from tests.files.writers.writing import options, rows

Case = Callable[[Path], str]


def _told(error: InputError) -> str:
    assert error.hint
    return str(error)


def _named(template: str) -> Case:
    def told(folder: Path) -> str:
        with pytest.raises(InputError) as caught:
            file_name(parse_text(template), sample_occasion())
        return _told(caught.value)

    return told


def _written(name: str, text: str, given: Rows) -> Case:
    def told(folder: Path) -> str:
        occasion = Occasion({**sample_occasion('a "b"'), "batch": 1})
        with (folder / "made").open("wb") as stream, pytest.raises(InputError) as caught:
            load_writer(name).write(given, stream, options(name, text), occasion)
        return _told(caught.value)

    return told


def _row(text: str, column: str = "Name") -> Rows:
    return rows([column], (text,))


@dataclass(frozen=True)
class _Million:
    columns: tuple[str, ...] = ("ID",)
    count: int = 1_048_576

    def __iter__(self) -> Iterator[Cells]:
        raise AssertionError("nothing is read of it")


def _packed(folder: Path, packing: Packing) -> str:
    def passphrase(source: SecretSource) -> str:
        return (folder / (source.file or "")).read_text()

    with (
        pytest.raises(InputError) as caught,
        opened_packer(packing, folder, folder, passphrase) as packer,
    ):
        packer.write(folder / "made", "made", lambda stream: None)
    return _told(caught.value)


def _encrypted(folder: Path, *, expired: bool) -> str:
    with gpg_home() as gpg:
        key = gpg.make("Old <old@example.net>", expired=expired)
        (folder / "keys.asc").write_bytes(gpg.public(key))
    wanted = key if expired else "F" * 40
    return _packed(folder, Packing(None, EncryptOptions.model_validate({"recipients": [wanted], "keys": "keys.asc"})))


def _wrong_passphrase(folder: Path) -> str:
    with gpg_home() as gpg:
        key = gpg.make("S <s@example.net>", passphrase="right")
        (folder / "key").write_bytes(gpg.secret(key, "right"))
    (folder / "phrase").write_text("wrong")
    by_us = SignOptions.model_validate({"key": {"file": "key"}, "passphrase": {"file": "phrase"}})
    return _packed(folder, Packing(None, None, by_us))


_FIXED = "{columns: [{name: Name, width: 5}]}"

MADE: dict[str, Case] = {
    "a name that leads elsewhere": _named("in/{{ job }}.csv"),
    "a name with the colons of a time": _named("{{ slot.iso }}.csv"),
    "a name of a part that is not there": _named("{{ slot.dat }}.csv"),
    "a character that the encoding does not have": _written("csv", "{encoding: cp1252}", _row("Łukasz")),
    "a cell that is too long for its place": _written("fixed", _FIXED, _row("Łukasz")),
    "a line break in fixed width": _written("fixed", _FIXED, _row("a\nb")),
    "a column that fixed width wants and nobody has": _written("fixed", _FIXED.replace("Name", "Nme"), _row("x")),
    "a column that cannot name an element of XML": _written("xml", "{}", _row("x", "First name")),
    "a character that XML cannot have": _written("xml", "{}", _row("a\x0bb")),
    "more rows than a sheet has": _written("excel", "{}", _Million()),
    "a cell that is too long for Excel": _written("excel", "{}", _row("x" * 32_768)),
    "a template that does not fit the rows": _written(
        "text", "{template: '{% for row in rows %}{{ row.Nme }}{% endfor %}'}", _row("x")
    ),
    "an envelope whose values are no JSON": _written(
        "json", """{envelope: '{"a": "{{ job }}", "b": {{ rows }}}'}""", _row("x")
    ),
    "a key that is not there": lambda folder: _encrypted(folder, expired=False),
    "a key that has expired": lambda folder: _encrypted(folder, expired=True),
    "a passphrase that is wrong": _wrong_passphrase,
}
