"""A message as a POST with JSON: our own form, Slack's, Teams', or one of a template."""

from collections.abc import Callable

from idms_cli.config.channels import WebhookChannel
from idms_cli.notify import Message, Site
from idms_cli.notify.bodies import body_of
from idms_cli.notify.posting import Target, post


class Webhook:
    """The channel."""

    def __init__(self, options: WebhookChannel, site: Site) -> None:
        self._options = options
        self._site = site

    def send(self, message: Message, handed: Callable[[], None]) -> None:
        """`Idempotency-Key` is the same at each attempt."""
        options, site = self._options, self._site
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.key}
        headers |= {name: site.text_of(value) for name, value in options.headers.items()}
        if options.bearer:
            headers["Authorization"] = f"Bearer {site.reveal(options.bearer)}"
        ca_file = site.directory / options.ca_file if options.ca_file else None
        target = Target(site.text_of(options.url), headers, site.limit_s, ca_file)
        post(target, body_of(message, options.template), handed)


def open_channel(options: str | WebhookChannel, site: Site) -> Webhook:
    """`options` may be the address alone."""
    return Webhook(WebhookChannel(url=options) if isinstance(options, str) else options, site)
