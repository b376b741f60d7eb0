"""README's table of what servers do not take: each line is provoked, and its words are what is really said."""

from pathlib import Path

import pytest

from tests.messages.servers import SERVERS
from tests.messages.test_messages import says, table

HEADING = "A server does not take a file"


def test_every_refusal_is_in_the_table_and_the_other_way_round() -> None:
    assert list(table(HEADING)) == list(SERVERS)


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_does_not_take_a_file_in_these_words(tmp_path: Path, name: str) -> None:
    told, written = SERVERS[name](tmp_path), table(HEADING)[name][0]
    assert says(written, told), told
