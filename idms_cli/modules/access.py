"""A connection of idms.yaml as what the iMIS client needs."""

from idms_cli.config.secret_sources import resolve
from idms_cli.config.settings import Connection, Settings
from idms_cli.imis.site import SiteAccess


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
