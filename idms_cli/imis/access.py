"""What it takes to reach one iMIS site."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from idms_cli.errors import InputError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class SiteAccess:
    """All that is needed to talk to one connection of `idms.yaml`."""

    name: str
    url: str
    username: str
    password: Callable[[], str] = field(repr=False)
    """Called when a login is needed, which is seldom."""
    state: Path
    """The state directory: tokens and pace are kept below it, for all processes."""
    rate_per_s: float | None = 5
    concurrency: int = 1
    ca_file: Path | None = None
    timeout_s: float = 60
    page_size: int = 500
    patient: bool = False
    """Believe that the connection is down or refused when that is known, rather than try it."""
    try_refused: bool = False
    """Log in even with a secret that was refused before: somebody says that the site was mended."""

    def site_url(self) -> str:
        """`url` with a scheme and without a slash at its end.

        Raises `InputError` where it is no address, or the password would go unencrypted.
        """
        text = self.url.strip()
        if "://" not in text:
            text = f"https://{text}"
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in {"http", "https"} or parts.query or parts.fragment or parts.username:
            raise InputError(
                f"The url of connection {self.name} is not the address of a site.",
                hint="Write it like https://members.example.org, without user name or query.",
            )
        if parts.scheme == "http" and host not in _LOOPBACK:
            raise InputError(
                f"{text} would send the password of connection {self.name} unencrypted.",
                hint="Use https://. Plain http:// is only for a sandbox on this machine (127.0.0.1).",
            )
        return text.rstrip("/")
