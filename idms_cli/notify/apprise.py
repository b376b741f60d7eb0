"""A message for whatever Apprise knows; its addresses hold tokens, so they are kept as secrets."""

import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from idms_cli.config.secret_sources import SecretSource
from idms_cli.config.secrets import Secret
from idms_cli.errors import DeliveryRefused, InputError, OutcomeUnknown
from idms_cli.notify import Message, Site

if TYPE_CHECKING:
    from apprise import Apprise

PATIENCE_S = 4.0
"""So long Apprise waits for a service, unless an address says otherwise; it swallows our own limit as well."""
HINT = "It does not say why here: `apprise -vv -b test ADDRESS` does."


class AppriseChannel:
    """The channel."""

    def __init__(self, addresses: SecretSource, site: Site) -> None:
        self._addresses = addresses
        self._site = site

    def send(self, message: Message, handed: Callable[[], None]) -> None:
        """Apprise does not tell a lost answer from a refusal, but who refuses is quick."""
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
        began = time.monotonic()
        if told.notify(body=message.text, title=message.subject):
            return
        took_s = time.monotonic() - began
        if took_s >= min(PATIENCE_S, self._site.limit_s):
            raise OutcomeUnknown(f"Apprise had no answer within {took_s:.0f} s. It may have been taken.", hint=HINT)
        raise DeliveryRefused("Apprise could not send it", hint=HINT)

    def _address(self, told: "Apprise") -> None:
        for address in filter(None, map(str.strip, self._site.reveal(self._addresses).split("\n"))):
            if not told.add(Secret(address).reveal()):
                raise InputError("Apprise does not know such an address", hint="Try it: `apprise -vv -b test ADDRESS`.")


def open_channel(options: SecretSource, site: Site) -> AppriseChannel:
    """`options` is where addresses of Apprise are kept, one on each line: mailto://, slack://, pover://..."""
    return AppriseChannel(options, site)
