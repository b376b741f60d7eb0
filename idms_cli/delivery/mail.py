"""A mail with the files attached, handed to a server once; who has it is known, also after a crash."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from idms_cli.config.mail import MailServer, Person
from idms_cli.config.settings import Settings
from idms_cli.delivery import BadStep, Cargo, Delivery, Destination, Parcel, Receipt
from idms_cli.delivery.mails.letter import Stamp, is_utf8, message_id, written
from idms_cli.delivery.mails.options import MailOptions
from idms_cli.delivery.mails.post import Post, open_post
from idms_cli.errors import DeliveryRefused, Interrupted, OutcomeUnknown, Unreachable
from idms_cli.templates.moments import OCCASION
from idms_cli.templates.texts import NotAText
from idms_cli.web.relays import relay_of
from idms_cli.web.smtp import Envelope, hand_over
from idms_cli.web.smtpline import Reply

Options = MailOptions

NAMES = (*OCCASION, "count", "files")
"""What templates of a mail may name."""

_LOOK = "It is not sent again by itself: look whether it came, or into the server's log for its Message-ID."


def complete(options: MailOptions, settings: Settings) -> MailOptions:
    """The server and the sender of idms.yaml, where the step names none."""
    if settings.mail is None:
        return options
    of_site = {"server": settings.mail.server, "from_": settings.mail.from_}
    return options.model_copy(update={key: value for key, value in of_site.items() if getattr(options, key) is None})


def open_destination(options: MailOptions, directory: Path) -> Destination:
    """Raises `BadStep` when nobody is said to take the mail, or to send it."""
    if options.server is None:
        hint = "Say `server: {host: ...}` here, or `mail: {server: ...}` in idms.yaml."
        raise BadStep(("to",), "no mail server is named", hint=hint)
    if options.from_ is None:
        hint = "Say `from:` here, or `mail: {from: ...}` in idms.yaml."
        raise BadStep(("to",), "nobody is said to send this mail", hint=hint)
    for key, template in (("subject", options.subject), ("body", options.body), ("html", options.html)):
        try:
            if template is not None:
                template.refuse_unknown(NAMES)
        except NotAText as error:
            raise BadStep((key,), str(error), hint=error.hint) from None
    return _Mail(options, options.server, options.from_, directory)


class _Mail:
    """See `Destination`."""

    def __init__(self, options: MailOptions, server: MailServer, sender: Person, directory: Path) -> None:
        self._options = options
        self._server = server
        self._sender = sender
        self._directory = directory
        self._people = [person.address for person in options.people]

    def describe(self) -> str:
        return f"mail to {', '.join(self._people)}"

    def resource(self) -> str:
        return f"mail:{','.join(self._people)}/{self._options.subject.source}"

    def deliver(self, cargo: Cargo, delivery: Delivery) -> Receipt:
        stamp = Stamp(self._message_id(delivery), datetime.now(UTC))
        post = open_post(delivery.folder, stamp, delivery.run_id, self._people)
        size = self._send(cargo, delivery, post) if post.of("pending") else 0
        return self._ended(post, size)

    def rehearse(self, cargo: Cargo, delivery: Delivery) -> str:
        parcels = self._parcels(cargo)
        self._written(parcels, cargo, delivery, Stamp(self._message_id(delivery), datetime.now(UTC)))
        files = ", ".join(parcel.name for parcel in parcels) or "a text without a file"
        return f"would mail {files} to {', '.join(self._people)}, by {self._server.host}:{self._server.on_port}"

    def _send(self, cargo: Cargo, delivery: Delivery, post: Post) -> int:
        """Hand the mail over for those who wait for it; its size in bytes."""
        content = self._written(self._parcels(cargo), cargo, delivery, post.stamp)
        relay = relay_of(self._server, delivery.secret, self._directory)
        envelope = Envelope(self._sender.address, post.of("pending"), is_utf8([self._sender, *self._options.people]))
        if delivery.stopping():
            raise Interrupted("the run was stopped")
        delivery.log(f"mail {post.stamp.name} for {', '.join(envelope.recipients)} goes to {relay.shown}")

        def about_to_end(refused: Mapping[str, Reply]) -> None:
            _note(post, envelope.recipients, refused)
            post.keep()

        try:
            hand_over(relay, envelope, content, before_the_end=about_to_end)
        except OutcomeUnknown as error:
            post.settle("unknown", post.of("sent"), dict.fromkeys(post.of("sent"), str(error)))
            post.keep()
            raise
        except Exception:
            if post.of("sent"):  # the server had it all, and said no
                post.settle("pending", post.of("sent"))
                post.keep()
            raise
        post.settle("done", post.of("sent"))
        post.keep()
        for address in post.of("refused", "pending"):
            delivery.log(f"{address} does not have it: {post.reasons[address]}")
        return len(content)

    def _ended(self, post: Post, size: int) -> Receipt:
        if unknown := post.of("unknown"):
            message = f"Whether {', '.join(unknown)} got the mail {post.stamp.name} is unknown"
            reason = post.reasons.get(unknown[0], "the run died while the server was taking it.")
            raise OutcomeUnknown(f"{message}: {reason}", hint=_LOOK)
        if waiting := post.of("pending"):
            raise Unreachable(
                f"{len(waiting)} of {len(self._people)} recipients did not get the mail now: "
                f"{waiting[0]}: {post.reasons.get(waiting[0], '')}.",
                hint="The others have it. `retry:` of the step sends it to those who do not.",
            )
        refused = post.of("refused")
        if not post.of("done"):
            raise DeliveryRefused(
                f"Nobody got the mail: {refused[0]}: {post.reasons[refused[0]]}.", hint="Check the addresses."
            )
        counts = {"recipients": len(post.of("done"))}
        return Receipt(", ".join(post.of("done")), 1, size, len(refused), counts=counts)

    def _written(self, parcels: Sequence[Parcel], cargo: Cargo, delivery: Delivery, stamp: Stamp) -> bytes:
        """The whole mail. Raises `DeliveryRefused` when it is too large."""
        most = self._options.max_size
        size = sum(parcel.path.stat().st_size for parcel in parcels)
        content = b""
        if size <= most:  # else it is not even read
            values = {**delivery.values, "count": cargo.rows.count, "files": [parcel.name for parcel in parcels]}
            content = written(self._options, self._sender, stamp, parcels, values)
            size = len(content)
        if size > most:
            raise DeliveryRefused(
                f"the mail has {size:,} bytes, and `max_size:` allows {most:,}",
                hint="Send less: `compress: zip`, fewer columns, or another way to deliver it.",
            )
        return content

    def _parcels(self, cargo: Cargo) -> Sequence[Parcel]:
        return cargo.parcels() if self._options.wants_files else ()

    def _message_id(self, delivery: Delivery) -> str:
        job = delivery.values.get("job", "")
        return message_id(self._sender, job, delivery.run_id, delivery.folder.name, *self._people)


def _note(post: Post, people: Sequence[str], refused: Mapping[str, Reply]) -> None:
    """Who gets the mail with the next word, and who does not."""
    post.settle("sent", [address for address in people if address not in refused])
    for address, reply in refused.items():
        post.settle("pending" if reply.can_pass else "refused", [address], {address: str(reply)})
