"""Rows into a table of an SQL database: added, in place of what is there, or each over the one of its key."""

from pathlib import Path

from idms_cli.delivery import BadStep, Cargo, Delivery, Destination, Receipt
from idms_cli.delivery.sql.options import DatabaseOptions, misfits
from idms_cli.errors import DeliveryRefused

Options = DatabaseOptions


def open_destination(options: DatabaseOptions, directory: Path) -> Destination:
    """See `Offer`. Raises `BadStep`."""
    for misfit in misfits(options):
        raise BadStep(misfit.key, misfit.message, hint=misfit.hint)
    return _Database(options, directory)


class _Database:
    """See `Destination`."""

    def __init__(self, options: DatabaseOptions, directory: Path) -> None:
        self._options = options
        self._directory = directory

    def describe(self) -> str:
        return f"{self._options.to.shown}, table {self._options.table}"

    def resource(self) -> str:
        to = self._options.to.below(self._directory)
        if to.scheme == "sqlite":  # one writer for the whole file
            return f"file:{to.database}"
        return f"{to.scheme}://{to.netloc.casefold()}/{to.database}/{self._options.table}"

    def deliver(self, cargo: Cargo, delivery: Delivery) -> Receipt:
        from idms_cli.delivery.sql import attempt  # noqa: PLC0415 - job files are checked without SQLAlchemy

        rows = cargo.rows
        if not rows.count and self._options.mode != "replace":
            return Receipt(self.describe())
        if not rows.count and self._options.empty == "refuse":
            raise DeliveryRefused(
                f"{self.describe()}: there are no rows, and to replace all by nothing would empty it.",
                hint="Look why the source gives none; where that is right, write `empty: allow`.",
            )
        return attempt.deliver(self._options, self._directory, rows, delivery)

    def rehearse(self, cargo: Cargo, delivery: Delivery) -> str:
        del delivery
        count = f"{cargo.rows.count:,} row{'' if cargo.rows.count == 1 else 's'}"
        what = {
            "append": f"add {count} to",
            "replace": f"put {count} in place of all that is in",
            "upsert": f"write {count}, each over the one of its key ({', '.join(self._options.key or ())}), into",
        }[self._options.mode]
        return f"would {what} table {self._options.table} of {self._options.to.shown}"
