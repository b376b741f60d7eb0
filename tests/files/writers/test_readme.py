"""What README.md tells of formats to write is all that there is, and its examples work."""

import re
from pathlib import Path

import pytest

from idms_cli.delivery.steps import FileStepOptions
from idms_cli.files.writers import WRITERS, load_writer
from idms_cli.files.writers.fixedwidth import WrittenColumn
from idms_cli.files.writers.openpgp import EncryptOptions, SignOptions
from tests.files.writers.writing import made, rows

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("#### Formats to write\n")[2].partition("\n#### ")[0]


def test_every_format_is_there_with_its_endings() -> None:
    for name, entry in WRITERS.items():
        (line,) = [line for line in SECTION.splitlines() if line.startswith(f"| `{name}` |")]
        assert line.split("|")[2].split() == list(entry.suffixes)


@pytest.mark.parametrize(
    "model",
    [*(load_writer(name).Options for name in WRITERS), WrittenColumn, EncryptOptions, SignOptions, FileStepOptions],
    ids=lambda model: f"{model.__module__.rpartition('.')[2]}.{model.__name__}",
)
def test_every_key_is_there(model: type[FileStepOptions]) -> None:
    of_any_step = {"name", "when", "retry", "timeout", "format"}
    keys = {field.alias or name for name, field in model.model_fields.items()} - of_any_step
    assert [key for key in sorted(keys) if not re.search(rf"[`{{ ]{key}[`:]", SECTION)] == []


def test_the_envelope_works() -> None:
    (envelope,) = re.findall(r"`('{\"count.*?}')`", SECTION)
    assert made("json", rows(["ID"], (1,)), f"envelope: {envelope}") == b'{"count": 1, "members": [\n{"ID":1}\n]}'
