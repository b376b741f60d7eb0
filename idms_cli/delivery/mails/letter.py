"""A mail as it travels: its words, its files, and a name by which it is known when it comes twice."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.policy import SMTP
from html import escape
from typing import Any, NamedTuple

from idms_cli.config.mail import Person
from idms_cli.delivery import Parcel
from idms_cli.delivery.mails.options import MailOptions
from idms_cli.delivery.texts import Template
from idms_cli.errors import InputError
from idms_cli.templates.texts import Unrendered

# 7bit: what every server takes as it is; letters beyond ASCII are encoded.
_POLICY = SMTP.clone(cte_type="7bit")


def message_id(sender: Person, *parts: object) -> str:
    """The same for the same parts, and so for each attempt at the same step of the same run."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()
    return f"<idms.{digest[:32]}@{sender.domain}>"


class Stamp(NamedTuple):
    """By what a mail is known: its Message-ID, and when it was written."""

    name: str
    date: datetime


def written(
    options: MailOptions, sender: Person, stamp: Stamp, parcels: Sequence[Parcel], values: Mapping[str, Any]
) -> bytes:
    """The whole mail. Raises `InputError` for templates that do not fit the values."""
    message = EmailMessage(policy=_POLICY.clone(utf8=is_utf8([sender, *options.people, *_replies(options)])))
    message["From"] = _address(sender)
    message["To"] = tuple(map(_address, options.to.mail))
    if options.cc:
        message["Cc"] = tuple(map(_address, options.cc))
    if options.reply_to:
        message["Reply-To"] = _address(options.reply_to)
    message["Subject"] = _line(options.subject, values)
    message["Date"] = stamp.date
    message["Message-ID"] = stamp.name
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: so that nobody's absence is answered to it
    message.set_content(_text("body", options.body, values), charset="utf-8")
    if options.html:
        message.add_alternative(_text("html", options.html, _escaped(values)), subtype="html", charset="utf-8")
    for parcel in parcels:
        _attach(message, parcel)
    return message.as_bytes()


def is_utf8(people: Iterable[Person]) -> bool:
    """Whether an address has letters beyond ASCII where they cannot be encoded."""
    return any(not person.local.isascii() for person in people)


def _replies(options: MailOptions) -> list[Person]:
    return [options.reply_to] if options.reply_to else []


def _address(person: Person) -> Address:
    return Address(person.name, person.local, person.domain)


def _line(template: Template, values: Mapping[str, Any]) -> str:
    text = _text("subject", template, values).strip()
    if not text.isprintable():
        raise InputError("`subject:` would have a line end or another control character in it")
    return text


def _text(key: str, template: Template, values: Mapping[str, Any]) -> str:
    try:
        text = template.render(values)
        text.encode()
    except Unrendered as error:
        raise InputError(f"`{key}:` cannot be worked out: {error}") from error
    except UnicodeEncodeError:
        raise InputError(f"`{key}:` would have half a character in it") from None
    return text


def _escaped(value: Any) -> Any:
    """What HTML shows as it is."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        made = copy(value)  # of the same kind: a moment is a mapping, and a text by itself
        made.update({name: _escaped(one) for name, one in value.items()})
        return made
    return [_escaped(one) for one in value] if isinstance(value, list | tuple) else value


def _is_utf8_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _attach(message: EmailMessage, parcel: Parcel) -> None:
    kind = Message()
    kind["Content-Type"] = parcel.media_type
    maintype, _, subtype = kind.get_content_type().partition("/")
    parameters = dict(kind.get_params(failobj=[])[1:])
    content = parcel.path.read_bytes()
    if maintype == "text" and "charset" not in parameters and _is_utf8_text(content):
        parameters["charset"] = "utf-8"  # else it counts as ASCII
    message.add_attachment(content, maintype, subtype, filename=parcel.name, params=parameters)
