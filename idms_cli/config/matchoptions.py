"""How careful jobs are when they match and write: `options`, said by the site, by a job, or for one run."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from idms_cli.config.checked import Section

SITE = "idms.yaml"
GIVEN = "command line"
"""Where an option comes from that the job does not say itself."""

Elsewhere = Mapping[str, Mapping[str, Any]]
"""Options in force that a job does not say itself: name -> its `value`, and where it is `from`."""


class MatchOptions(Section):
    """How careful to be; every default is the safe choice."""

    on_multiple: Literal["skip", "error", "all"] = Field(
        default="skip", description="Several records match: reject the row, end the run before it writes, act on each."
    )
    skip_blank_match: bool = Field(default=True, description="Reject a row with a blank match value.")
    only_changes: bool = Field(default=True, description="Write only what differs.")
    insert_only: bool = Field(default=False, description="An upsert that leaves records alone which are there.")
    duplicates: Literal["reject", "first", "last"] = Field(
        default="reject", description="Rows of one key that say different things: reject all, or one counts."
    )
    validate_codes: bool = Field(default=True, description="Check the codes of drop-downs before the first write.")
    read: Literal["record", "snapshot", "auto"] = Field(
        default="auto", description="How matching records are found: one call for each, or all in whole pages."
    )

    def written(self) -> dict[str, Any]:
        """Those that were said, and not left to their defaults."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


def in_force(site: MatchOptions, job: MatchOptions, given: MatchOptions) -> tuple[MatchOptions, Elsewhere]:
    """What holds for a run: the command line goes before the job, and the job before the site."""
    said = job.written()
    elsewhere = {
        **{name: {"value": value, "from": SITE} for name, value in site.written().items() if name not in said},
        **{name: {"value": value, "from": GIVEN} for name, value in given.written().items()},
    }
    return MatchOptions(**{**site.written(), **said, **given.written()}), elsewhere


def said_by(elsewhere: Elsewhere, origin: str) -> MatchOptions:
    """The options that come from there."""
    return MatchOptions(**{name: told["value"] for name, told in elsewhere.items() if told["from"] == origin})
