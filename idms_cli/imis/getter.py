"""What reading from a site needs of it: so that queries and metadata do not know how requests are sent."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from idms_cli.imis.clock import Clock

Parameters = Sequence[tuple[str, str]]
"""A query string in order; a name may come several times."""

Decode = Callable[[bytes], Any]
"""Makes of a body what its reader needs, or None."""


class Getter(Protocol):
    """The reading side of `Site`."""

    clock: Clock
    log: Callable[[str], None]
    page_size: int

    def get(
        self, path: str, parameters: Parameters = (), *, shrinkable: bool = False, decode: Decode | None = None
    ) -> Any:
        """The JSON at a path; errors as of `Site.get`."""

    def ask(self, path: str, body: Any) -> Any:
        """As `Site.ask`."""
