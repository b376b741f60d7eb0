"""A web server: each file, batch or row becomes a request, journalled before and after it is sent."""

import json
from pathlib import Path

from idms_cli.delivery import Cargo, Delivery, Destination, Receipt
from idms_cli.delivery.calls.carrying import Carriage
from idms_cli.delivery.calls.ending import Ending
from idms_cli.delivery.calls.exchange import Exchange
from idms_cli.delivery.calls.gate import Gate
from idms_cli.delivery.calls.items import count_items, items
from idms_cli.delivery.calls.journal import Journal, open_journal
from idms_cli.delivery.calls.judging import Judge
from idms_cli.delivery.calls.limits import Extent, Toll
from idms_cli.delivery.calls.login import open_login
from idms_cli.delivery.calls.misfits import refuse_misfits
from idms_cli.delivery.calls.options import WebOptions
from idms_cli.delivery.calls.requests import Requests
from idms_cli.delivery.calls.tables import write_answers, write_undelivered
from idms_cli.errors import IdmsError
from idms_cli.templates.texts import Unrendered
from idms_cli.web.sending import Sender

Options = WebOptions


def open_destination(options: WebOptions, directory: Path) -> Destination:
    """Raises `BadStep` for keys that do not go together."""
    refuse_misfits(options)
    return _Web(options, directory)


class _Web:
    """See `Destination`."""

    def __init__(self, options: WebOptions, directory: Path) -> None:
        self._options = options
        self._ca_file = directory / options.ca_file if options.ca_file else None

    def describe(self) -> str:
        return f"{self._options.method} {self._options.to.shown}"

    def resource(self) -> str:
        return self._options.to.fixed

    def deliver(self, cargo: Cargo, delivery: Delivery) -> Receipt:
        extent = Extent(count_items(cargo, self._options), cargo.rows.count)
        delivery.log(f"{self.describe()}: {self._extent(extent)}")
        with open_journal(delivery.folder) as journal:
            journal.keep_shape(self._shape(cargo))
            journal.reopen(delivery.run_id)
            try:
                self._carry(cargo, delivery, journal, extent)
            except IdmsError:
                self._tell_in_vain(cargo, delivery, journal)
                raise
            self._tell(cargo, delivery, journal)
            where = self._where(cargo, delivery) if extent.requests == 1 else self._options.to.shown
            return Ending(self._options, delivery.folder, extent.requests, where).receipt(journal)

    def rehearse(self, cargo: Cargo, delivery: Delivery) -> str:
        extent = Extent(count_items(cargo, self._options), cargo.rows.count)
        first = next(items(cargo, self._options), None)
        if first is None:
            return f"would send nothing to {self._options.to.shown}: there are no rows"
        try:
            request = self._requests(delivery).made(first)
        except Unrendered as error:
            return f"would refuse the first of {self._extent(extent)} to {self._options.to.shown}: {error}"
        where = "" if extent.requests == 1 else ", the first to"
        return f"would {self._options.method} {self._extent(extent)}{where or ' to'} {request.call.shown}"

    def _carry(self, cargo: Cargo, delivery: Delivery, journal: Journal, extent: Extent) -> None:
        options, silence_s = self._options, self._options.silence.total_seconds()
        login = open_login(options.auth, delivery.secret, ca_file=self._ca_file, silence_s=silence_s)
        repeatable = options.is_repeatable
        judge = Judge(options.expect, repeatable=repeatable, with_key=options.idempotency_key is not None)
        with Sender(options.to.server, ca_file=self._ca_file, silence_s=silence_s) as sender:
            Carriage(
                self._requests(delivery, journal.kept_stem(_stem(delivery))),
                Exchange(sender, login, judge, options.answer.store if options.answer else ()),
                journal=journal,
                toll=Toll(options.max_refused, extent, journal.tallies(), repeatable=repeatable),
                delivery=delivery,
            ).carry(items(cargo, options), Gate(options.rate), width=options.concurrency, repeatable=repeatable)

    def _where(self, cargo: Cargo, delivery: Delivery) -> str:
        """Where the only request went."""
        try:
            return self._requests(delivery).made(next(items(cargo, self._options))).call.shown
        except Unrendered:
            return self._options.to.shown

    def _requests(self, delivery: Delivery, stem: str = "") -> Requests:
        return Requests(self._options, delivery.values, stem=stem)

    def _tell(self, cargo: Cargo, delivery: Delivery, journal: Journal) -> None:
        """Write what was not delivered, and what was answered."""
        if self._options.each or self._options.batch:
            write_undelivered(delivery.folder, cargo, self._options, journal)
        write_answers(delivery.folder, cargo, self._options, journal)

    def _tell_in_vain(self, cargo: Cargo, delivery: Delivery, journal: Journal) -> None:
        """The same after an error, which is the one that has to be told."""
        try:
            self._tell(cargo, delivery, journal)
        except IdmsError as error:
            delivery.log(f"{error}")

    def _shape(self, cargo: Cargo) -> str:
        """What decides which rows are in which request."""
        options = self._options
        return json.dumps([options.each, options.batch, options.wants_files, cargo.rows.count, cargo.rows.columns])

    def _extent(self, extent: Extent) -> str:
        many = f"{extent.requests:,} requests" if extent.requests != 1 else "1 request"
        if self._options.batch:
            return f"{many} of up to {self._options.batch:,} rows"
        return f"{many}, one for each row" if self._options.each else many


def _stem(delivery: Delivery) -> str:
    """What tells this step of this run from all others."""
    return f"{delivery.values.get('job', '')}/{delivery.run_id}/{delivery.folder.name}"
