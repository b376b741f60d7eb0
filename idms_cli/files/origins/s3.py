"""Objects in a bucket of Amazon S3, or of a service that speaks as it does."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import obstore
from obstore import exceptions
from obstore.store import S3Store

from idms_cli.files.origins import Access, FileChanged, Found, NameTaken, Origin
from idms_cli.files.origins.address import Address
from idms_cli.remote.s3 import Service, open_bucket, translated

if TYPE_CHECKING:
    from obstore import ObjectMeta

PIECE = 8 << 20
"""Bytes a request: each one has the whole of the source's `timeout`."""


@contextmanager
def open_s3(access: Access) -> Iterator[Origin]:
    """The folder (the keys with one prefix) of an s3:// address."""
    options, auth = access.options, access.options.auth
    service = Service(
        bucket=access.address.host,
        directory=access.directory,
        timeout=options.timeout,
        endpoint=options.endpoint,
        region=options.region,
        access_key=auth.access_key if auth else None,
        secret_key=auth.secret_key if auth else None,
        session_token=auth.session_token if auth else None,
    )
    with _translated(access.address.of("")):
        store = open_bucket(service)
    yield _S3(access, store)


class _S3:
    """See `Origin`."""

    def __init__(self, access: Access, store: S3Store) -> None:
        self._address = access.address
        self._archive = access.address.archive(access.options.archive)
        self._store = store

    def find(self) -> Sequence[Found]:
        if not self._address.is_pattern:
            one = self.look(self._address.name)
            return [] if one is None else [one]
        with _translated(self._address.of("")):
            listed = obstore.list_with_delimiter(self._store, _key(self._address) or None)
        found = [_found(each) for each in listed["objects"]]
        return [one for one in found if self._address.fits(one.name)]

    def look(self, name: str) -> Found | None:
        return self._look(self._address, name)

    def archived(self, name: str) -> Found | None:
        return self._look(self._archive, name)

    def _look(self, where: Address, name: str) -> Found | None:
        with _translated(where.of(name)):
            try:
                return _found(obstore.head(self._store, _key(where, name)))
            except (exceptions.NotFoundError, FileNotFoundError):
                return None

    def read(self, found: Found) -> Iterator[bytes]:
        for start in range(0, found.size or 0, PIECE):
            end = min(start + PIECE, found.size or 0)
            with _translated(self._address.of(found.name)), _still_there():
                answer = obstore.get(
                    self._store,
                    _key(self._address, found.name),
                    options={"range": (start, end), "if_match": found.etag or None},
                )
                piece = bytes(answer.bytes())
            yield piece

    def move(self, found: Found, name: str) -> None:
        """Copy, look whether the copy is what was read, delete. S3 itself has no rename.

        A bucket has no lock: an object that is replaced between the last look and the delete, some milliseconds, is
        lost, unless the bucket keeps versions.
        """
        source, target = _key(self._address, found.name), _key(self._archive, name)
        if self.archived(name) is not None:
            raise NameTaken(target)
        with _translated(f"{self._address.of(found.name)}: archiving it as {self._archive.of(name)}"):
            obstore.copy(self._store, source, target)
        copy = self.archived(name)
        if copy is None or copy.size != found.size or (copy.etag != found.etag and not _has_parts(found)):
            with _translated(self._archive.of(name)):
                obstore.delete(self._store, target)
            raise FileChanged
        self.finish(found, name)

    def archive_address(self, name: str) -> str:
        return self._archive.of(name)

    def finish(self, found: Found, name: str) -> None:
        del name
        now = self.look(found.name)
        if now is not None and now.is_like(found):
            with _translated(f"{self._address.of(found.name)}: deleting it, now that it is archived"):
                obstore.delete(self._store, _key(self._address, found.name))


def _key(where: Address, name: str = "") -> str:
    return f"{where.folder}{name}".removeprefix("/")


def _found(each: "ObjectMeta") -> Found:
    return Found(each["path"].rpartition("/")[2], each["size"], each["last_modified"], each["e_tag"] or "")


def _has_parts(found: Found) -> bool:
    """The ETag of an object that was uploaded in parts tells of the parts, and a copy has others."""
    return "-" in found.etag


@contextmanager
def _still_there() -> Iterator[None]:
    try:
        yield
    except (exceptions.PreconditionError, exceptions.NotFoundError, FileNotFoundError) as error:
        raise FileChanged from error


def _translated(what: str) -> AbstractContextManager[None]:
    return translated(what, place="`source:`")
