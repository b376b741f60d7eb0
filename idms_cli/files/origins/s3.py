"""Objects in a bucket of Amazon S3, or of a service that speaks as it does."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import obstore
from obstore import exceptions
from obstore.store import S3Store

from idms_cli.config.foreign import shortened
from idms_cli.errors import LoginRefused, Unreachable
from idms_cli.files.origins import Access, FileChanged, Found, NameTaken, Origin
from idms_cli.files.origins.address import Address

if TYPE_CHECKING:
    from obstore import ObjectMeta

CONNECT_TIMEOUT = "10s"
RETRIES = 3
PIECE = 8 << 20
"""Bytes a request: each one has the whole of the source's `timeout`."""
DEFAULT_REGION = "us-east-1"
MESSAGE = 200
ASKED_FOR_A_ROLE = "/latest/api/token"
"""Where a machine of Amazon's is asked for its role's key, when none was given."""
GIVE_A_KEY = (
    "Give `auth: {access_key: {env: NAME}, secret_key: {env: NAME}}`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or give this machine a role."
)


@contextmanager
def open_s3(access: Access) -> Iterator[Origin]:
    """The folder (the keys with one prefix) of an s3:// address."""
    with _translated(access.address.of("")):
        store = S3Store(
            access.address.host,
            config=_config(access),
            client_options={
                "allow_http": True,  # `endpoint:` lets http through to this machine only
                "connect_timeout": CONNECT_TIMEOUT,
                "timeout": access.options.timeout,
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": access.options.timeout},
        )
    yield _S3(access, store)


def _config(access: Access) -> Any:
    """What is not named here comes from the environment, or from the machine's own role."""
    options, auth = access.options, access.options.auth
    named = {
        "endpoint": options.endpoint,
        "region": options.region or (DEFAULT_REGION if options.endpoint else None),
        "access_key_id": access.secret(auth.access_key) if auth and auth.access_key else None,
        "secret_access_key": access.secret(auth.secret_key) if auth and auth.secret_key else None,
        "session_token": access.secret(auth.session_token) if auth and auth.session_token else None,
    }
    return {key: value for key, value in named.items() if value is not None}


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


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise LoginRefused(
            f"{what}: the service refuses this access key",
            hint="Check `auth:` of the source, and what the key may do in this bucket.",
        ) from error
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise Unreachable(f"missing: {what} is not there", hint="Check the names of bucket and object.") from error
    except exceptions.BaseError as error:
        if ASKED_FOR_A_ROLE in str(error):
            raise LoginRefused(f"{what}: there is no access key for it", hint=GIVE_A_KEY) from error
        if "NoSuchBucket" in str(error):
            raise Unreachable(f"missing: {what}: there is no such bucket", hint="Check its name.") from error
        reason = shortened(str(error).partition("\n")[0], MESSAGE).rstrip(".")
        hint = "Is the service up, and are `endpoint:` and `region:` right?"
        raise Unreachable(f"{what}: {reason}.", hint=hint) from error
