"""A connection of idms.yaml as what the iMIS client needs."""

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from idms_cli.config.secret_sources import resolve
from idms_cli.config.settings import Connection, Settings
from idms_cli.errors import IdmsError
from idms_cli.imis.access import SiteAccess
from idms_cli.imis.counts import Calls

if TYPE_CHECKING:
    from idms_cli.imis.site import Site


def site_access(connection: Connection, name: str, settings: Settings, *, patient: bool = False) -> SiteAccess:
    """How to reach a connection; its password is resolved only when a login is needed.

    With `patient` a connection that is known to be down, or to refuse the login, is not asked.
    """
    return SiteAccess(
        name=name,
        url=connection.url,
        username=connection.username,
        password=lambda: resolve(connection.password, settings.directory).reveal(),
        state=settings.state,
        rate_per_s=connection.rate,
        concurrency=connection.concurrency,
        ca_file=connection.ca_file,
        timeout_s=connection.timeout.total_seconds(),
        page_size=connection.page_size,
        patient=patient,
    )


class RunSites:
    """The sites that one run works with, each opened when it is first wanted, and closed with the block."""

    def __init__(
        self, settings: Settings, *, log: Callable[[str], None] = lambda _: None, patient: bool = False
    ) -> None:
        """For `patient` see `site_access`."""
        self._settings = settings
        self._log = log
        self._patient = patient
        self._stack = ExitStack()
        self._open: dict[str, Site] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def of(self, connection: str) -> "Site":
        """As `SiteOf`; nothing is asked yet."""
        if connection not in self._open:
            from idms_cli.imis.site import Site  # noqa: PLC0415 - loads httpx, which nobody needs to read a job

            access = site_access(
                self._settings.connections[connection], connection, self._settings, patient=self._patient
            )
            self._open[connection] = self._stack.enter_context(Site(access, log=self._log))
        return self._open[connection]

    def calls(self) -> Calls:
        """How often all of them together were asked."""
        return sum((site.calls.snapshot() for site in self._open.values()), Calls())


class OpenSites:
    """Sites that several jobs ask, one after the other: each is opened when it is first wanted, and tried once."""

    def __init__(self, settings: Settings) -> None:
        self._sites = RunSites(settings)
        self._tried: dict[str, IdmsError | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._sites.__exit__(kind, error, traceback)

    def of(self, connection: str) -> "Site":
        """As `SiteOf`. One that did not answer is not asked again."""
        if connection not in self._tried:
            self._tried[connection] = self._try(connection)
        if error := self._tried[connection]:
            raise error
        return self._sites.of(connection)

    def _try(self, connection: str) -> IdmsError | None:
        try:
            self._sites.of(connection).knock()
        except IdmsError as error:
            return error
        return None
