"""A bucket, as deliveries use it: an object is there whole or not at all, and says which delivery put it there."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import obstore
from obstore import exceptions
from obstore.store import S3Store

from idms_cli.delivery import Parcel
from idms_cli.delivery.uploads.address import Folder
from idms_cli.delivery.uploads.bucketerrors import status_of, translated
from idms_cli.delivery.uploads.uploading import NameTaken
from idms_cli.errors import DeliveryRefused
from idms_cli.remote.patience import Patience
from idms_cli.remote.waiting import Waiter

WHOLE = 8 << 20
"""Bytes that go in one request, which alone can be made to depend on what is there..."""
PIECE = 5 << 20
"""...and the least in each request of a larger object (of at most 10,000)..."""
MOST_PIECES = 9_000
AT_A_TIME = 2
"""...of which so many are on their way: what is in memory does not grow with the object."""
READ = 1 << 20
MARK = "idms-delivery"
"""The metadata that says which delivery put an object there."""
T = TypeVar("T")


class NoConditions(Exception):
    """The service does not know requests that depend on what is there."""


class NotReadable(Exception):
    """The key may put objects there, but not look at them."""


@dataclass(frozen=True)
class Seen:
    """An object that is there."""

    size: int
    mark: str
    """Of the delivery that put it there; empty when it was nobody of ours."""


class Bucket:
    """One prefix of it. Everything may raise `Unreachable`, `LoginRefused`, `DeliveryRefused` and `InputError`."""

    def __init__(self, store: S3Store, where: Folder, waiter: Waiter, patience: Patience) -> None:
        self._store = store
        self._where = where
        self._waiter = waiter
        self._patience = patience
        # obstore has the same limit for each request, and takes back what was sent; this one comes after it.
        self._last_resort = replace(patience.to_the_end(), silence_s=2 * patience.silence_s)
        self._has_no_conditions = False

    def address(self, name: str = "") -> str:
        """As people know it."""
        return self._where.of(name)

    def look(self, name: str) -> Seen | None:
        """What is there; None when nothing is. Raises `NotReadable`."""
        with self._clearly(name):
            return self._wait(self._look(name), name)

    async def _look(self, name: str) -> Seen | None:
        try:
            found = await obstore.get_async(self._store, self._key(name), options={"head": True})
        except (exceptions.NotFoundError, FileNotFoundError):
            return None
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            raise NotReadable from error
        return Seen(found.meta["size"], str(found.attributes.get(MARK, "")))

    def put(self, parcel: Parcel, name: str, mark: str, told: Callable[[int], None], *, only_new: bool) -> None:
        """The whole of a file, or nothing. Raises `NameTaken` with `only_new`, and `Interrupted`.

        A larger object cannot be made to depend on what is there: that is looked for just before.
        """
        size = parcel.path.stat().st_size
        attributes = {"Content-Type": parcel.media_type, MARK: mark}
        if size <= WHOLE and not (only_new and self._has_no_conditions):
            try:
                self._put(name, parcel.path.read_bytes(), attributes, mode="create" if only_new else "overwrite")
            except NoConditions:
                self._has_no_conditions = True
            else:
                told(size)
                return
        if only_new and self._is_taken(name):
            raise NameTaken
        piece = max(PIECE, size // MOST_PIECES + 1)
        self._put(name, self._pieces(parcel.path, told), attributes, chunk_size=piece)

    def _is_taken(self, name: str) -> bool:
        try:
            return self.look(name) is not None
        except NotReadable as error:
            raise DeliveryRefused(
                f"{self.address(name)}: this access key may not look whether it is there",
                hint="It needs s3:GetObject and s3:ListBucket as well; or say overwrite: replace.",
            ) from error

    def _pieces(self, path: Path, told: Callable[[int], None]) -> Iterator[bytes]:
        """An error in it makes obstore take back what was sent."""
        with path.open("rb") as source:
            while piece := source.read(READ):
                self._patience.check(0, self.address())
                self._waiter.heard()
                yield piece
                told(len(piece))

    def _put(self, name: str, content: "bytes | Iterator[bytes]", attributes: dict[str, str], **more: Any) -> None:
        async def put() -> None:
            await obstore.put_async(
                self._store,
                self._key(name),
                content,
                attributes=attributes,
                use_multipart=not isinstance(content, bytes),
                max_concurrency=AT_A_TIME,
                **more,
            )

        with self._clearly(name):
            try:
                self._wait(put(), name)
            except exceptions.AlreadyExistsError as error:
                raise NameTaken from error
            except exceptions.BaseError as error:
                if more.get("mode") == "create" and status_of(error) == 501:
                    raise NoConditions from error
                raise

    def _wait(self, work: Coroutine[Any, Any, T], name: str) -> T:
        return self._waiter.wait(work, what=self.address(name), patience=self._last_resort)

    def _key(self, name: str) -> str:
        return f"{self._where.path}{name}".removeprefix("/")

    @contextmanager
    def _clearly(self, name: str) -> Iterator[None]:
        try:
            yield
        except (exceptions.BaseError, FileNotFoundError) as error:
            raise translated(error, self.address(name), self._where, self._patience) from error
