"""What run-due keeps fresh: the report page, and the metrics."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from idms_cli.config.checked import Section
from idms_cli.config.fields import PositiveDuration, RelativePath
from idms_cli.config.problems import BadValue

LEAST = timedelta(minutes=1)
"""run-due is called each minute."""


class ReportOptions(Section):
    """Files that others look at, written by run-due again and again."""

    html: RelativePath | None = Field(default=None, description="The page of `idms report --html`.")
    metrics: RelativePath | None = Field(default=None, description="The file of `idms metrics --out`.")
    every: PositiveDuration = timedelta(minutes=5)
    """Not more often than this."""
    examples: bool = False
    """The page shows cells of rejected rows: they may be personal data."""

    @model_validator(mode="after")
    def _need_a_file(self) -> Self:
        if self.html is None and self.metrics is None:
            raise BadValue("there is no file to write", hint="write html: or metrics: with the path of a file")
        if self.every < LEAST:
            raise BadValue("run-due is called once a minute", hint="write every: 1m, or more")
        return self
