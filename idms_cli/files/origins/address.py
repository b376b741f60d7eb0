"""Where a job's files are: a local path, sftp://, https:// or s3://, with nothing secret in it."""

import fnmatch
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import PlainValidator, WithJsonSchema

from idms_cli.config.addresses import is_loopback, split_server
from idms_cli.config.fields import parse_path
from idms_cli.config.foreign import shortened
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean

SCHEMES = ("sftp", "https", "s3")
LOCAL = "file"
DEFAULT_ARCHIVE = "archive"

_WILD = frozenset("*?")
_EXAMPLES = "write a path, sftp://user@host/folder/file.csv, https://host/file.csv or s3://bucket/folder/file.csv"
_NO_PASSWORD = "name where it is kept under `auth:`"  # noqa: S105 - a hint


@dataclass(frozen=True)
class Address:
    """One file, or with `*` and `?` in its name the files of one folder."""

    scheme: str
    """file, sftp, https, http or s3."""
    folder: str
    """With the slash at its end; empty for the folder that relative paths start from."""
    name: str
    host: str = ""
    """The server, or the bucket."""
    port: int | None = None
    user: str = ""
    query: str = field(default="", repr=False)
    """What follows the `?` of a web address. Never shown: it may hold a key."""

    @property
    def is_pattern(self) -> bool:
        """Whether the name stands for any number of files."""
        return not self.is_web and bool(_WILD & set(self.name))

    @property
    def is_web(self) -> bool:
        return self.scheme in ("https", "http")

    @property
    def shown(self) -> str:
        """As people know it: without what may be secret."""
        return self.of(self.name)

    def of(self, name: str) -> str:
        """The whole address of the file of this name in the same folder, as people know it."""
        if self.scheme == LOCAL:
            return f"{self.folder}{name}"
        user = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{user}{self.netloc}{self.folder}{name}"

    def label(self, name: str) -> Path:
        """How messages about the content of that file call it."""
        return Path(self.of(name)) if self.scheme == LOCAL else Path(f"{self.netloc}{self.folder}{name}")

    @property
    def netloc(self) -> str:
        """Host and, where one is named, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    def fits(self, name: str) -> bool:
        """Whether a file of this name is meant. As in a shell, `*` means no name that begins with a dot."""
        if not self.is_pattern:
            return name == self.name
        if name.startswith(".") and not self.name.startswith("."):
            return False
        return fnmatch.fnmatchcase(name, self.name.replace("[", "[[]"))

    def archive(self, folder: str | None) -> "Address":
        """Where files of a server are archived: a folder of its own below this one, unless it begins with a slash."""
        named = folder or DEFAULT_ARCHIVE
        whole = named if named.startswith("/") else f"{self.folder}{named}"
        return replace(self, folder=f"{whole.rstrip('/')}/")

    def below(self, directory: Path) -> "Address":
        """A local address made absolute; any other as it is."""
        if self.scheme != LOCAL:
            return self
        whole = directory / self.folder
        return replace(self, folder=f"{whole}/" if str(whole) != "/" else "/")


def parse_address(text: object) -> Address:
    """Raises `BadValue`; where a password may be in the text, it is not shown."""
    if not isinstance(text, str) or not text:
        raise BadValue("the path of a file is wanted here", hint=_EXAMPLES)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return _local(text)
    if any(not character.isprintable() for character in text):
        raise BadValue("an address cannot have control characters in it", show_value=False)
    if scheme in ("https", "http"):
        return _web(text)
    if scheme in SCHEMES:
        return _remote(scheme, rest)
    known = did_you_mean(scheme, SCHEMES) or _EXAMPLES
    raise BadValue(f"there are no sources of the kind '{shortened(scheme)}://'", hint=known, show_value=False)


def _local(text: str) -> Address:
    path = parse_path(text)
    if _WILD & set(str(path.parent)):
        raise _wild_folder()
    if not path.name or text.endswith("/"):
        raise BadValue("this names a folder, and a file is wanted", hint="write folder/*.csv for the files in it")
    folder = str(path.parent)
    return Address(LOCAL, "" if folder == "." else "/" if folder == "/" else f"{folder}/", path.name)


def _remote(scheme: str, rest: str) -> Address:
    where, slash, path = rest.partition("/")
    user, at, server = where.rpartition("@")
    if ":" in user:
        raise BadValue("a password does not belong in the address", hint=_NO_PASSWORD, show_value=False)
    if at and scheme == "s3":
        raise BadValue("a bucket has no user", hint="write s3://bucket/folder/file.csv", show_value=False)
    if scheme == "sftp" and not user:
        raise BadValue("the address names no user", hint="write sftp://user@host/folder/file.csv")
    host, port = _server(server)
    folder, name = f"/{path}".rpartition("/")[::2]
    if _WILD & set(folder):
        raise _wild_folder()
    if not host or not slash or not name:
        raise BadValue("this address names no file", hint=f"write {scheme}://.../folder/file.csv")
    return Address(scheme, f"{folder}/", name, host=host, port=port, user=user)


def _server(text: str) -> tuple[str, int | None]:
    server = split_server(text)
    if server is None:
        raise BadValue("this is no name of a server, or no port", hint=_EXAMPLES)
    return server


def _web(text: str) -> Address:
    if any(character.isspace() or character == "\\" for character in text):
        raise BadValue("a web address has no blanks", hint="write %20 for a blank", show_value=False)
    parts = urlsplit(text)
    if "@" in parts.netloc:
        raise BadValue("user and password do not belong in the address", hint=_NO_PASSWORD, show_value=False)
    if "#" in text:
        raise BadValue("what follows '#' is never sent to a server", hint="leave it out", show_value=False)
    host, port = _server(parts.netloc)
    if not host:
        raise BadValue("this address names no server", hint="write https://host/file.csv", show_value=False)
    if parts.scheme == "http" and not is_loopback(host):
        hint = "write https://"
        raise BadValue("http:// can be read and changed on its way; it is for this machine only", hint=hint)
    if "*" in parts.path:
        raise BadValue("a web server cannot list its files, so a '*' finds nothing", hint="name one file")
    folder, name = (parts.path or "/").rpartition("/")[::2]
    return Address(parts.scheme, f"{folder}/", name, host=host, port=port, query=parts.query)


def _wild_folder() -> BadValue:
    return BadValue("'*' and '?' can stand in the name of the file only", hint="make a job for each folder")


FileAddress = Annotated[Address, PlainValidator(parse_address), WithJsonSchema({"type": "string"})]
