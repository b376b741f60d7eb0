"""README's tables of what is refused: each line is provoked, and its words are what is really said."""

import re
from pathlib import Path
from typing import get_args

import pytest

from idms_cli.codes import Code
from idms_cli.sandbox import Sandbox
from tests.delivery.receiver import receiver
from tests.messages.callsteps import CALL_STEPS, answers
from tests.messages.files import FILES
from tests.messages.jobs import JOBS
from tests.messages.made import MADE
from tests.messages.rows import ROWS
from tests.messages.transfers import TRANSFERS
from tests.messages.workflows import WORKFLOWS
from tests.modules.imports.office import Office
from tests.modules.transfers.dock import Dock
from tests.modules.workflows.mill import Mill

README = Path(__file__).parent.parent.parent / "README.md"


def table(heading: str) -> dict[str, list[str]]:
    """The lines of the table under a heading, by their first cell."""
    text = README.read_text(encoding="utf-8").partition(f"\n### {heading}\n")[2].partition("\n#")[0]
    return cells_of(text.partition("\n|")[2])


def cells_of(text: str) -> dict[str, list[str]]:
    """The lines of a table whose text begins in its header."""
    lines = re.findall(r"^\|(.+)\|$", text, re.MULTILINE)[1:]
    rows = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)] for line in lines]
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: row[1:] for row in rows}


def says(written: str, told: str) -> bool:
    """Whether README's words are what was told; … stands for anything."""
    pattern = ".*".join(map(re.escape, written.replace("`", "").split("…")))
    return re.fullmatch(pattern, " ".join(told.replace("`", "").split())) is not None


@pytest.fixture
def office(tmp_path: Path, url: str) -> Office:
    return Office(tmp_path, url)


def test_every_refused_file_is_in_the_table_and_the_other_way_round() -> None:
    assert list(table("A file is refused")) == list(FILES)


def test_every_refused_job_is_in_the_table_and_the_other_way_round() -> None:
    assert list(table("A job is refused")) == list(JOBS)


def test_every_code_is_in_the_table_of_rejected_rows() -> None:
    listed = [code for cell in table("A row is rejected") for code in re.findall(r"`([a-z-]+)`", cell)]
    assert sorted(listed) == sorted(get_args(Code))


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_refused_in_these_words(tmp_path: Path, name: str) -> None:
    told, written = FILES[name](tmp_path), table("A file is refused")[name][0]
    assert says(written, told), told


def test_every_file_that_cannot_be_made_is_in_the_table_and_the_other_way_round() -> None:
    assert list(table("A file cannot be made")) == list(MADE)


@pytest.mark.parametrize("name", MADE)
def test_a_file_cannot_be_made_in_these_words(tmp_path: Path, name: str) -> None:
    told, written = MADE[name](tmp_path), table("A file cannot be made")[name][0]
    assert says(written, told), told


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_refused_in_these_words(office: Office, name: str) -> None:
    told, written = JOBS[name](office), table("A job is refused")[name][0]
    assert says(written, told), told


@pytest.mark.parametrize("code", ROWS)
def test_a_row_is_rejected_with_this_code_and_these_words(office: Office, site: Sandbox, code: str) -> None:
    there = [("102", "Bookbinding"), ("103", "Bookbinding"), ("103", "Bookbinding"), ("104", "Gilding")]
    site.add_rows("ABC_Scores", [{"ID": who, "Course": course, "Grade": "C"} for who, course in there])
    fault, (stage, written) = ROWS[code](office), table("A row is rejected")[f"`{code}`"]
    assert (fault.code, fault.stage) == (code, stage)
    assert says(written.removesuffix(" (skipped)"), fault.message), fault.message


def test_every_transfer_that_delivers_nothing_is_in_the_table_and_the_other_way_round() -> None:
    assert list(table("A transfer delivers nothing")) == list(TRANSFERS)


@pytest.mark.parametrize("name", TRANSFERS)
def test_a_transfer_delivers_nothing_in_these_words(tmp_path: Path, url: str, name: str) -> None:
    told, written = TRANSFERS[name](Dock(tmp_path, url)), table("A transfer delivers nothing")[name][0]
    assert says(written, told), told


def test_every_workflow_that_is_refused_is_in_the_table_and_the_other_way_round() -> None:
    assert list(table("A workflow is refused, or fails")) == list(WORKFLOWS)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_is_refused_in_these_words(tmp_path: Path, name: str) -> None:
    told = WORKFLOWS[name](Mill(tmp_path, "http://127.0.0.1:9"))
    written = table("A workflow is refused, or fails")[name][0]
    assert says(written, told), told


def test_every_step_that_talks_to_others_and_fails_is_in_the_table_and_the_other_way_round() -> None:
    assert list(table("A step that talks to others fails")) == list(CALL_STEPS)


@pytest.mark.parametrize("name", CALL_STEPS)
def test_a_step_that_talks_to_others_fails_in_these_words(tmp_path: Path, name: str) -> None:
    with receiver(tmp_path, tls=False) as web:
        web.decide = answers
        told = CALL_STEPS[name](Mill(tmp_path, "http://127.0.0.1:9"), web)
    written = table("A step that talks to others fails")[name][0]
    assert says(written, told), told
