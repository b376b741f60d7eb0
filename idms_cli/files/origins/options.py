"""The part of a job's `source:` that says where its files are, what is expected of them, and what becomes of them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from idms_cli.config.addresses import SiteUrl
from idms_cli.config.checked import Section
from idms_cli.config.durations import format_duration
from idms_cli.config.fields import ListOf, PositiveDuration, RelativePath, Size
from idms_cli.config.problems import BadValue
from idms_cli.config.secret_sources import SecretSource
from idms_cli.files.origins import ORIGINS, entry_of, to_install
from idms_cli.files.origins.address import LOCAL, FileAddress
from idms_cli.remote.account import Fingerprint

DONE = ".done"
LONGEST_WAIT = timedelta(minutes=10)


def _short(value: timedelta) -> timedelta:
    if value > LONGEST_WAIT:
        raise BadValue(f"at most {format_duration(LONGEST_WAIT)}: a run waits for so long at most")
    return value


def _ending(value: bool | str | None) -> bool | str | None:
    if isinstance(value, str) and (not value or "/" in value):
        raise BadValue("an ending is wanted here", hint=f"write done: true for {DONE}, or another one as in .ok")
    return value


class ExpectOptions(Section):
    """What a file must be like before a run takes it."""

    newer_than: PositiveDuration | None = Field(default=None, description="Older files are left alone.")
    stable_for: Annotated[PositiveDuration, AfterValidator(_short)] | None = Field(
        default=None, description="Nobody may have changed the file for so long; at most 10m."
    )
    done: Annotated[bool | str | None, AfterValidator(_ending)] = Field(
        default=None,
        description=f"A file counts once another one is beside it, of its name and {DONE}, or with this ending.",
    )
    columns: ListOf[str] | None = Field(default=None, min_length=1, description="Columns that must be there.")
    changed: bool = Field(default=False, description="Skip the run when the last good one read the same content.")
    missing: Literal["fail", "skip"] = Field(default="fail", description="What a run does that finds no file.")

    @property
    def done_ending(self) -> str:
        """The ending of the file that says that another one is complete; empty when none is waited for."""
        return self.done if isinstance(self.done, str) else DONE if self.done else ""


class AfterOptions(Section):
    """What becomes of a file that was read: when its run completed, also partly or as unchanged; and when not."""

    success: Literal["keep", "archive"] = "keep"
    failure: Literal["keep", "archive"] = "keep"

    @property
    def archives(self) -> bool:
        return "archive" in (self.success, self.failure)


class AuthOptions(Section):
    """How to log in where the files are."""

    user: str | None = Field(default=None, min_length=1, description="https: whose password this is.")
    password: SecretSource | None = None
    key: SecretSource | None = Field(default=None, description="sftp: a private key.")
    passphrase: SecretSource | None = Field(default=None, description="sftp: of that key.")
    bearer: SecretSource | None = Field(default=None, description="https: a token.")
    access_key: SecretSource | None = Field(default=None, description="s3: the id of the access key.")
    secret_key: SecretSource | None = Field(default=None, description="s3: the secret access key.")
    session_token: SecretSource | None = Field(default=None, description="s3: of temporary credentials.")


class OriginOptions(Section):
    """Where the files are."""

    path: FileAddress = Field(description="A file, relative to the directory of idms.yaml; sftp://, https:// or s3://.")
    several: Literal["each", "together"] = Field(
        default="each", description="What becomes of several files: a run for each, or one for all together."
    )
    order: Literal["name", "time"] = Field(default="name", description="Which of several files is first.")
    expect: ExpectOptions = ExpectOptions()
    after: AfterOptions = AfterOptions()
    archive: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="The folder of archived files. `archive` beside the file, if unset."
    )
    auth: AuthOptions | None = None
    host_key: Fingerprint | None = Field(
        default=None, description="sftp: the fingerprint of the server's key, SHA256:..."
    )
    known_hosts: RelativePath | None = Field(
        default=None, description="sftp: the file of known keys. The account's and the system's, if unset."
    )
    ca_file: RelativePath | None = Field(default=None, description="https: certificates of a private authority.")
    endpoint: SiteUrl | None = Field(default=None, description="s3: the address of a service that is not Amazon's.")
    region: str | None = Field(default=None, min_length=1, description="s3: the region of the bucket.")
    max_size: Size = Field(default=4 * 1024**3, gt=0, description="The most bytes that are taken.")
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=60), description="How long a server may be silent before the run gives up."
    )


class Misfit(NamedTuple):
    """Something in a `source:` that does not go with where its files are."""

    key: tuple[str, ...]
    message: str
    hint: str


_OF_ORIGINS = {key for entry in ORIGINS.values() for key in entry.keys}


def misfits(options: OriginOptions) -> Iterator[Misfit]:
    """All that is wrong with an origin's options although each is right by itself."""
    address, entry = options.path, entry_of(options.path.scheme)
    what = "a local file" if address.scheme == LOCAL else f"{address.scheme}://"
    if missing := to_install(address.scheme):
        yield Misfit(("path",), f"files from {address.scheme}:// cannot be read here", missing)
    for key in sorted(options.model_fields_set & _OF_ORIGINS - set(entry.keys)):
        yield Misfit((key,), f"`{key}:` means nothing for {what}", f"Keys for it: {', '.join(entry.keys) or 'none'}.")
    if "auth" in entry.keys:
        yield from _login_misfits(options, what)
    if options.after.archives and not entry.moves:
        yield Misfit(("after",), f"nothing can be archived at {what}", "Leave `after:` out, and use expect: changed.")
    elif options.archive and not options.after.archives:
        yield Misfit(("archive",), "nothing is archived", "Say when: after: {success: archive}.")
    elif options.archive and _folder_of(options.archive) == _folder_of(address.folder):
        hint = "Choose another folder: archived files would be read again here."
        yield Misfit(("archive",), "this is the folder of the source itself", hint)
    if not address.is_pattern:
        for key in sorted(options.model_fields_set & {"several", "order"}):
            yield Misfit((key,), f"`{key}:` is for several files", "Write * in the name: completions-*.csv.")


def _login_misfits(options: OriginOptions, what: str) -> Iterator[Misfit]:
    entry = entry_of(options.path.scheme)
    given = set(options.auth.model_fields_set) if options.auth else set()
    if frozenset(given) not in entry.logins:
        ways = " or ".join(f"{{{', '.join(sorted(way))}}}" for way in entry.logins if way)
        hint = f"Write auth: {ways}" + ("; none is needed." if frozenset() in entry.logins else ".")
        yield Misfit(("auth",) if options.auth else ("path",), f"this is no way to log in at {what}", hint)


def _folder_of(text: str) -> str:
    return text.strip("/").removeprefix("./")
