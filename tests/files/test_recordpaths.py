"""Where the records of a file are is found when nobody has said it; what is wrong with it is left to its reader."""

from pathlib import Path

import pytest

from idms_cli.files.recordpaths import found_places
from tests.files.reading import read, written


@pytest.mark.parametrize(
    ("content", "place"),
    [
        pytest.param('[{"id": 1}]', None, id="the whole file"),
        pytest.param('{"members": [{"id": 1}]}', "members", id="one list"),
        pytest.param('{"n": 2, "data": {"of": ["x", "y"], "members": [{"id": 1}]}}', "data.members", id="deeper"),
        pytest.param('{"errors": [{}], "rows": [{"id": 1}, {"id": 2}], "links": [1, 2, 3]}', "rows", id="the longest"),
        pytest.param('{"id": 1}\n{"id": 2}', None, id="JSON Lines by mistake"),
        pytest.param('{"a.b": [{"id": 1}]}', None, id="a name that no path can have"),
    ],
)
def test_the_longest_list_of_objects_is_found_in_json(tmp_path: Path, content: str, place: str | None) -> None:
    path = written(tmp_path, "m.json", content)
    assert found_places(path) == ({"records": place} if place else {})
    if place:
        assert read(path, records=place).rows


@pytest.mark.parametrize(
    ("content", "place"),
    [
        pytest.param("<l><r><id>1</id></r><r><id>2</id></r></l>", "l/r", id="under the root"),
        pytest.param("<l><head><a>1</a></head><rs><r a='1'/><r a='2'/></rs></l>", "l/rs/r", id="deeper"),
        pytest.param("<l><r><p><n>1</n></p><p><n>2</n></p><p><n>3</n></p></r><r/></l>", "l/r", id="parts of records"),
        pytest.param("<l><r><id>1</id></r></l>", "l/r", id="one record"),
        pytest.param("<l><id>1</id><id>2</id></l>", None, id="only text"),
        pytest.param("<l><r><id>1</id>\0", None, id="no XML"),
        pytest.param("<!DOCTYPE l><l><r><id>1</id></r></l>", None, id="a DOCTYPE"),
    ],
)
def test_the_elements_that_are_repeated_most_are_found_in_xml(tmp_path: Path, content: str, place: str | None) -> None:
    path = written(tmp_path, "m.xml", content)
    assert found_places(path) == ({"record": place} if place else {})
    if place:
        assert read(path, record=place).rows


def test_other_formats_need_none(tmp_path: Path) -> None:
    assert found_places(written(tmp_path, "m.csv", "id\n")) == {}
