"""A message as a mail, handed to the site's mail server."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import cast

from idms_cli.config.channels import MailChannel
from idms_cli.config.mail import MailServer, MailSettings, Person
from idms_cli.notify import Message, Site
from idms_cli.web.relays import relay_of
from idms_cli.web.smtp import Envelope, hand_over

# 7bit: what every server takes as it is; letters beyond ASCII are encoded.
_POLICY = SMTP.clone(cte_type="7bit")


class Mail:
    """The channel."""

    def __init__(self, to: Sequence[Person], sender: Person, server: MailServer, site: Site) -> None:
        self._to = to
        self._sender = sender
        self._server = server
        self._site = site

    def send(self, message: Message, handed: Callable[[], None]) -> None:
        """Its Message-ID is the same at each attempt: mail servers and programs drop the second of two."""
        limit = timedelta(seconds=self._site.limit_s)
        server = self._server.model_copy(update={"silence": min(self._server.silence, limit)})
        relay = relay_of(server, self._site.reveal, self._site.directory)
        people = [self._sender, *self._to]
        is_utf8 = any(not person.local.isascii() for person in people)
        envelope = Envelope(self._sender.address, [person.address for person in self._to], is_utf8)
        hand_over(relay, envelope, self._written(message, is_utf8=is_utf8), before_the_end=lambda _: handed())

    def _written(self, message: Message, *, is_utf8: bool) -> bytes:
        mail = EmailMessage(policy=_POLICY.clone(utf8=is_utf8))
        mail["From"] = _address(self._sender)
        mail["To"] = tuple(map(_address, self._to))
        mail["Subject"] = message.subject
        mail["Date"] = message.at
        mail["Message-ID"] = f"<{message.key}@{self._sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: so that nobody's absence is answered to it
        mail["X-Idms-Kind"] = message.kind
        if message.job:
            mail["X-Idms-Job"] = message.job
        mail.set_content(message.text, charset="utf-8")
        return mail.as_bytes()


def open_channel(options: Sequence[Person] | MailChannel, site: Site) -> Mail:
    """What the channel does not say is as under `mail:` in idms.yaml, which was checked to say it."""
    own = options if isinstance(options, MailChannel) else None
    of_site = cast("MailSettings", site.mail)
    server = own.server if own and own.server else of_site.server
    sender = own.from_ if own and own.from_ else of_site.from_
    return Mail(own.to if own else cast("Sequence[Person]", options), cast("Person", sender), server, site)


def _address(person: Person) -> Address:
    return Address(person.name, person.local, person.domain)
