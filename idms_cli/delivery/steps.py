"""What any step of a transfer may say, whatever its destination."""

from typing import Any, Literal

from pydantic import Field

from idms_cli.config.checked import Section
from idms_cli.config.fields import PositiveDuration
from idms_cli.config.settings import Retry
from idms_cli.files.writers.openpgp import EncryptOptions, SignOptions


class StepOptions(Section):
    """One step. Each destination adds its own keys, `to:` among them."""

    name: str | None = Field(default=None, min_length=1, description="What reports call the step; else its number.")
    when: Literal["success", "failure", "always"] = Field(
        default="success", description="After which end of the step before it this one is done."
    )
    retry: Retry = Field(default=Retry(attempts=1), description="When what can pass is tried again within the run.")
    timeout: PositiveDuration | None = Field(default=None, description="How long the step may take, with all tries.")


class FileStepOptions(StepOptions):
    """A step whose destination is given files."""

    format: str | dict[str, Any] | None = Field(
        default=None, description="csv, json...; or with its keys: {csv: {delimiter: '|'}}. Else the ending tells."
    )
    file: str | None = Field(default=None, min_length=1, description="The file's name, a template.")
    batch: int | None = Field(default=None, ge=1, description="So many rows in one file; `{{ batch }}` is its number.")
    compress: Literal["gzip", "zip"] | None = Field(
        default=None, description="How the file is packed; if unset, .gz or .zip at the end of its name tells."
    )
    encrypt: EncryptOptions | None = Field(default=None, description="OpenPGP: for whom.")
    sign: SignOptions | None = Field(default=None, description="OpenPGP: by whom.")
    formulas: Literal["harmless", "allow"] = Field(
        default="harmless", description="What becomes of text that a spreadsheet would run as a formula."
    )

    @property
    def wants_files(self) -> bool:
        """Whether anything is written for this step; where not, it needs neither `format:` nor `file:`."""
        return True
