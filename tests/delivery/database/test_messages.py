"""README's table of what a database refuses: each line is provoked, its words are what is said, the table stays."""

from pathlib import Path

import pytest

from tests.delivery.database.messages import CASES, THERE, Place
from tests.delivery.database.postgres import Database
from tests.delivery.database.proxy import Proxy
from tests.delivery.database.rows import table
from tests.messages.test_messages import README, cells_of, says


def _written() -> dict[str, list[str]]:
    text = README.read_text(encoding="utf-8").partition("\n##### SQL database\n")[2].partition("\n#")[0]
    return cells_of(text.partition("| what is wrong |")[2])


def test_every_message_is_in_the_table_and_the_other_way_round() -> None:
    assert list(_written()) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_delivery_is_refused_in_these_words(db: Database, proxy: Proxy, tmp_path: Path, name: str) -> None:
    kind, case = CASES[name]
    error = case(Place(db, proxy, tmp_path))
    assert says(_written()[name][0], str(error)), str(error)
    assert type(error) is kind
    assert error.hint
    assert table(db, "SELECT id, name, paid, joined FROM members") == [THERE]
