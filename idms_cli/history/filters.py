"""SQL: what of the history is asked for, so that each question is answered by the index that fits it."""

from collections.abc import Mapping
from typing import Any

HISTORY = "SELECT * FROM run WHERE {conditions} ORDER BY {order} LIMIT :limit"
BY_INDEX = {
    "job": "job = :job",
    "sites": "sites = :sites",
    "status": "status = :status",
    "module": "module = :module",
    "by_hand": "by_hand = :by_hand",
}
"""What finds runs, in the order of their ids; of several the first finds, and the others choose among those."""
IN_TIME = {"since": "created_at >= :since", "until": "created_at <= :until"}
SITES = """
WITH RECURSIVE site (name) AS (
  SELECT min(sites) FROM run
  UNION ALL SELECT (SELECT min(sites) FROM run WHERE sites > site.name) FROM site WHERE site.name IS NOT NULL
)
SELECT name FROM site WHERE name IS NOT NULL"""


def history_sql(wanted: Mapping[str, Any]) -> str:
    """The newest runs that fit; `wanted` are the parameters: the fields of `Wanted`, and `sites`."""
    finds = [text for name, text in BY_INDEX.items() if wanted.get(name) is not None]
    in_time = [text for name, text in IN_TIME.items() if wanted[name] is not None]
    only_by_time = bool(in_time) and not finds
    if wanted["by_hand"]:  # a partial index is found by its own words only
        finds[-1] = "by_hand = 1"
    # The plus keeps SQLite from another index than the first: it cannot know which of them finds least.
    conditions = [*finds[:1], *(f"+{text}" for text in finds[1:])]
    conditions += in_time if only_by_time else [f"+{text}" for text in in_time]
    order = "created_at DESC, id DESC" if only_by_time else "id DESC"
    return HISTORY.format(conditions=" AND ".join(conditions) or "true", order=order)
