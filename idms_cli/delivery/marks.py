"""A word for one step of one run, by which its temporary files and its objects are known again."""

from contextlib import suppress
from secrets import token_hex

from idms_cli.config.replacing import replace_file
from idms_cli.delivery import Delivery

FILE_NAME = "mark"


def mark_of(delivery: Delivery) -> str:
    """As in `812-5f3a09c1`: of this step of this run, and of no other in the world, also not on a copied machine.

    It stays with the step's folder, also when another run goes on with that. It is on disk before it is used, so that
    an attempt that was killed is found by it.
    """
    path = delivery.folder / FILE_NAME
    with suppress(FileNotFoundError):
        return path.read_text()
    mark = f"{delivery.run_id}-{token_hex(4)}"
    replace_file(path, mark.encode())
    return mark
