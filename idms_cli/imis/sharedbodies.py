"""Bodies that hold several records: read, changed in one place and written back whole, one change at a time."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from idms_cli.errors import RecordRefused
from idms_cli.imis.entities import replace_whole
from idms_cli.imis.kinds import Key
from idms_cli.imis.site import Site

Body = dict[str, Any]

_STRIPES = 64
_REMEMBERED = 10_000
"""More objects than one window of a run can have under way."""


class SharedBodies:
    """Writes parts of whole objects, such as the addresses of a contact. Thread-safe.

    Two records of one object may be read before either is written. Written back as they were read, the second would
    undo the first; so an object that was written here is read again before it is changed again.
    """

    def __init__(
        self, site: Site, *, read: Callable[[Key], Body | None], path: Callable[[Body], str], what: str
    ) -> None:
        self._site = site
        self._read = read
        self._path = path
        self._what = what
        self._turns = [threading.Lock() for _ in range(_STRIPES)]
        self._written: OrderedDict[Key, None] = OrderedDict()
        self._guard = threading.Lock()

    def change(
        self,
        key: Key,
        seen: Body,
        alter: Callable[[Body], Body],
        *,
        stored: Callable[[Body], bool],
        once: bool = False,
    ) -> None:
        """Write the object at `key`, last seen as `seen`, back as `alter` returns it; not at all if that is the same.

        `stored` says of a body whether it holds the change, for when the answer is lost; `once` as `replace_whole`.
        Raises `RecordRefused`.
        """
        with self._turns[hash(key) % _STRIPES]:
            body = self._there(key) if self._was_written(key) else seen
            changed = alter(body)
            if changed == body:
                return

            def look() -> bool | None:
                found = self._read(key)
                return None if found is None else stored(found)

            self._remember(key)
            replace_whole(self._site, self._path(body), changed, stored=look, once=once)

    def add(self, key: Key, alter: Callable[[Body], Body], *, create: Callable[[], Any] | None = None) -> Any:
        """Read the object at `key`, write it back with what `alter` adds, once, and give the reply, which may be None.

        Where there is none, `create` makes it. Raises `RecordRefused`, and `OutcomeUnknown` when it may be stored.
        """
        with self._turns[hash(key) % _STRIPES]:
            body = self._read(key)
            self._remember(key)
            if body is None and create is not None:
                return create()
            if body is None:
                raise self._missing(key)
            whole = alter(body)
            return self._site.put(self._path(body), whole, once=True)

    def _there(self, key: Key) -> Body:
        body = self._read(key)
        if body is None:
            raise self._missing(key)
        return body

    def _missing(self, key: Key) -> RecordRefused:
        return RecordRefused([f"There is no {self._what} {'|'.join(key)}"], status=404, code="not-found")

    def _was_written(self, key: Key) -> bool:
        with self._guard:
            return key in self._written

    def _remember(self, key: Key) -> None:
        with self._guard:
            self._written[key] = None
            self._written.move_to_end(key)
            if len(self._written) > _REMEMBERED:
                self._written.popitem(last=False)
