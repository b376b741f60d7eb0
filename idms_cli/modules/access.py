"""A connection of idms.yaml as what the iMIS client needs."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from idms_cli.config.secret_sources import resolve
from idms_cli.config.settings import Connection, Settings
from idms_cli.errors import IdmsError
from idms_cli.imis.site import Site, SiteAccess


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


class OpenSites:
    """Sites that several jobs ask, one after the other: each is opened when it is first wanted, and tried once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self._tried: dict[str, Site | IdmsError] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def of(self, connection: str) -> Site:
        """As `SiteOf`. One that did not answer is not asked again."""
        if connection not in self._tried:
            self._tried[connection] = self._try(connection)
        found = self._tried[connection]
        if isinstance(found, IdmsError):
            raise found
        return found

    def _try(self, connection: str) -> Site | IdmsError:
        access = site_access(self._settings.connections[connection], connection, self._settings)
        site = self._stack.enter_context(Site(access))
        try:
            site.knock()
        except IdmsError as error:
            return error
        return site
