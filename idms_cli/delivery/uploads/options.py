"""What steps may say whose files go to a server."""

from datetime import timedelta

from pydantic import Field

from idms_cli.config.fields import PositiveDuration
from idms_cli.config.foreign import shortened
from idms_cli.delivery import Cargo
from idms_cli.delivery.steps import FileStepOptions
from idms_cli.delivery.uploads.uploading import Overwrite

SILENCE = "`silence:` of the step"
STEP = "the step"
"""Where the keys stand, for hints."""


class UploadOptions(FileStepOptions):
    """A step whose files go into a folder of a server, or into a bucket."""

    overwrite: Overwrite = Field(
        default="replace", description="When there is a file of that name: replace it, fail, or take NAME-2, NAME-3..."
    )
    silence: PositiveDuration = Field(
        default=timedelta(seconds=60), description="How long the server may be silent before it is given up."
    )


class FolderOptions(UploadOptions):
    """A step whose files go into a folder that has to be there."""

    create: bool = Field(default=False, description="Make the folder if it is not there.")


def would_send(cargo: Cargo, address: str, overwrite: Overwrite) -> str:
    """For a dry run, which asks no server."""
    names = [parcel.name for parcel in cargo.parcels()]
    shown = ", ".join(map(shortened, names[:3])) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
    beside = {
        "replace": "replacing what may be there",
        "refuse": "if there is no file of that name",
        "number": "under another name where there is one",
    }
    return f"would put {shown} into {address}, {beside[overwrite]}"
