"""The limits of a job beyond which its plan waits for somebody."""

from pydantic import Field

from idms_cli.config.checked import Section
from idms_cli.config.fields import Percent, ShareOf


class GuardOptions(Section):
    """The `guard:` of a job: a run whose plan trips it is held, nothing written, until somebody approves it."""

    min_rows: int | None = Field(default=None, ge=0, description="The source must have at least so many rows.")
    max_rejects: ShareOf | None = Field(default=None, description="Rejected rows, as a count or percent of all rows.")
    max_changes: ShareOf | None = Field(default=None, description="Records inserted, updated and deleted.")
    max_deletes: ShareOf | None = Field(default=None, description="Records deleted.")
    usual: Percent | None = Field(
        default=None, description="The source must have at least this part of the rows of the last good runs."
    )
