"""A message for whatever Apprise knows; its addresses hold tokens, so they are kept as secrets."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from idms_cli.config.secret_sources import SecretSource
from idms_cli.config.secrets import Secret
from idms_cli.errors import DeliveryRefused, InputError
from idms_cli.notify import Message, Site

if TYPE_CHECKING:
    from apprise import Apprise


class AppriseChannel:
    """The channel."""

    def __init__(self, addresses: SecretSource, site: Site) -> None:
        self._addresses = addresses
        self._site = site

    def send(self, message: Message, handed: Callable[[], None]) -> None:
        """Apprise does not tell a lost answer from a refusal: what failed counts as not sent, and may come twice."""
        try:
            from apprise import Apprise  # noqa: PLC0415 - 300 ms, an extra
        except ImportError as error:
            raise InputError(
                "the channel apprise needs a library that is not here", hint="pip install 'idms-cli[apprise]'"
            ) from error
        told = Apprise()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it loads a hundred modules; what they deprecate is not ours to mend
            self._address(told)
        handed()
        if not told.notify(body=message.text, title=message.subject):
            raise DeliveryRefused(
                "Apprise could not send it", hint="It does not say why here: `apprise -vv -b test ADDRESS` does."
            )

    def _address(self, told: "Apprise") -> None:
        for address in filter(None, map(str.strip, self._site.reveal(self._addresses).split("\n"))):
            if not told.add(Secret(address).reveal()):
                raise InputError("Apprise does not know such an address", hint="Try it: `apprise -vv -b test ADDRESS`.")


def open_channel(options: SecretSource, site: Site) -> AppriseChannel:
    """`options` is where addresses of Apprise are kept, one on each line: mailto://, slack://, pover://..."""
    return AppriseChannel(options, site)
