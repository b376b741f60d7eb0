"""Runs told to a service that watches for what does not come: Healthchecks and what takes the same requests.

https://healthchecks.io/docs/http_api/: the address alone is success, /start and /fail the others; `rid` tells which
start belongs to which end; the body, of which it keeps 100 kB, is shown with the ping.
"""

from collections.abc import Callable
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from idms_cli.config.channels import PingChannel
from idms_cli.notify import Message, Site
from idms_cli.notify.posting import Target, post

ENDS = {"start": "/start", "success": "", "failure": "/fail", "test": "/log"}


class Ping:
    """The channel."""

    def __init__(self, options: PingChannel, site: Site) -> None:
        self._options = options
        self._site = site

    def send(self, message: Message, handed: Callable[[], None]) -> None:
        """What is neither start nor success is a failure, whatever it is."""
        site = self._site
        address = site.text_of(self._options.url).replace("{job}", quote(message.job or "idms", safe=""))
        path, mark, query = address.partition("?")
        run = message.data.get("run")
        extra = f"rid={uuid5(NAMESPACE_URL, f'{path}#{run}')}" if run else ""
        url = path.rstrip("/") + ENDS.get(message.kind, "/fail") + mark + query
        if extra:
            url += ("&" if mark else "?") + extra
        ca_file = site.directory / self._options.ca_file if self._options.ca_file else None
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        post(Target(url, headers, site.limit_s, ca_file, is_repeatable=True), message.text.encode(), handed)


def open_channel(options: str | PingChannel, site: Site) -> Ping:
    """`options` may be the address alone; `{job}` in it is the name of the job."""
    return Ping(PingChannel(url=options) if isinstance(options, str) else options, site)
