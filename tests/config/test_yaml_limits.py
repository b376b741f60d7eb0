"""A YAML file that wants to harm the reader is a quick problem, never a crash."""

import subprocess
import sys
from pathlib import Path

import pytest

from idms_cli.config.documents import parse_document, read_document
from idms_cli.config.problems import ProblemsFound

BOMB = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x]"]
    + [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
)


def messages(text: str) -> list[str]:
    with pytest.raises(ProblemsFound) as caught:
        parse_document(text.encode(), "f.yaml")
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[" * 100_000, "nested too deeply (more than 40 levels)", id="lists"),
        pytest.param("a: " + "{a: " * 100_000, "nested too deeply (more than 40 levels)", id="mappings"),
        pytest.param("- " * 100_000, "nested too deeply (more than 40 levels)", id="block-lists"),
        pytest.param("? " * 100_000, "nested too deeply (more than 40 levels)", id="keys"),
        pytest.param("[[],\n" * 10_000, "nested too deeply (more than 40 levels)", id="over-many-lines"),
        pytest.param("a: [" + "0," * 200_001 + "]", "the file has more than 200,000 values", id="many-values"),
        pytest.param("a: '" + "x" * 1024 * 1024 + "'", "the file is larger than 1 MiB", id="large"),
    ],
)
@pytest.mark.timeout(20)
def test_beyond_a_limit_there_is_a_clear_problem(text: str, message: str) -> None:
    assert message in messages(text)


def test_a_bomb_of_aliases_is_one_problem() -> None:
    what = "anchors ('&') and aliases ('*') are not read; this one stands for the value in line 1"
    assert messages(BOMB) == [what]


def test_40_levels_are_allowed_and_41_are_not() -> None:
    inside = 39  # the top mapping is the first level
    assert parse_document(b"a: " + b"[" * inside + b"]" * inside, "f.yaml").has(("a", *[0] * (inside - 1)))
    assert messages("a: " + "[" * 40 + "]" * 40) == ["nested too deeply (more than 40 levels)"]


def test_a_thousand_problems_are_told_as_fifty_and_more() -> None:
    with pytest.raises(ProblemsFound) as caught:
        parse_document(b"a: 1\n" * 1000, "f.yaml")
    assert len(caught.value.problems) == 51
    assert caught.value.problems[-1].message == "there are more problems after this one"


def test_a_device_without_end_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ProblemsFound, match="not a regular file"):
        read_document(Path("/dev/zero"))


def test_a_process_survives_100_000_open_brackets(tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text("[" * 100_000)
    program = (
        "import sys; from pathlib import Path\n"
        "from idms_cli.config.documents import read_document\n"
        "from idms_cli.config.problems import ProblemsFound\n"
        "try:\n    read_document(Path(sys.argv[1]))\n"
        "except ProblemsFound as found:\n    print(found.problems[0].message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "nested too deeply (more than 40 levels)\n")
