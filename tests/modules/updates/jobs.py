"""Updates to give an office, and queries of the sandbox for them."""

from collections.abc import Mapping
from typing import Any

from idms_cli.sandbox import Sandbox
from idms_cli.sandbox.definitions import SCORES
from idms_cli.sandbox.exchange import http_error
from idms_cli.sandbox.filters import Condition
from idms_cli.sandbox.queries import Column, Query, columns
from tests.modules.imports.office import found

LAPSED = "$/Idms/Lapsed members"
GRADES = "$/Idms/Grades"


def update(**options: Any) -> dict[str, Any]:
    """The `with:` of an update that gives members who lapsed another standing."""
    careful = {"read": "record", **options.pop("options", {})}
    given = {
        "source": {"query": LAPSED, "key": "ID"},
        "destination": {"panel": "ABC_Membership"},
        "action": "update",
        "match": ["ID"],
        "map": {"ID": "ID", "Standing": {"value": "GRACE"}},
        **options,
    }
    return {**given, "options": careful}


def regraded(rule: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """An update of the grade of each course result, by its key."""
    source = {"query": GRADES, "parameters": ["Ethics"]}
    mapped = {"ID": "ID", "Ordinal": "No", "Grade": dict(rule)}
    given = {"source": source, "destination": {"panel": "ABC_Scores"}, "match": ["ID", "Ordinal"], "map": mapped}
    return update(**{**given, **options})


def grades_query(**changes: Any) -> Query:
    """The course results, by course; the number of a result is `No`."""
    shown = (*columns(SCORES, "ID Course Grade Hours Score TakenOn"), Column("No", "Ordinal"))
    return Query(**{"path": GRADES, "entity": SCORES, "columns": shown, "prompts": (shown[1],), **changes})


def lapsed(site: Sandbox) -> list[str]:
    """The IDs of members who lapsed."""
    return [str(row["ID"]) for row in found(site, "ABC_Membership", Standing="LAPSED")]


def standings(site: Sandbox) -> dict[str, str]:
    """ID -> standing."""
    return {str(row["ID"]): str(row["Standing"]) for row in site.rows("ABC_Membership")}


class FailsAt:
    """Conditions of a query that answers 503 from its so-many-th page on, until it is mended."""

    def __init__(self, page: int) -> None:
        self.left = page - 1

    def __call__(self, _now: object) -> tuple[Condition, ...]:
        if self.left <= 0:
            raise http_error(503, "Down.")
        self.left -= 1
        return ()

    def mend(self) -> None:
        self.left = 1_000_000
