"""The files of csv-spectrum, a public collection of CSV that parsers stumble over, are read as it says."""

import json
from pathlib import Path

import pytest

from tests.files.reading import read

FILES = sorted(Path(__file__).with_name("spectrum").glob("*.csv"))


def test_the_collection_is_complete() -> None:
    assert len(FILES) == 12


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_read_as_its_expected_result_says(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if path.stem == "location_coordinates":  # its result is no list, and has another phone number than the file
        expected = [{**expected, "Contact Phone Number": "2095257564"}]
    found = read(path)
    assert [dict(zip(found.columns, cells, strict=True)) for cells in found.cells] == expected
    assert found.notes == ()
