"""A folder on a server, or in a bucket, as `to:` names it; with nothing secret in it."""

from collections.abc import Callable
from dataclasses import dataclass

from idms_cli.config.addresses import split_server
from idms_cli.config.problems import BadValue

HOME = "/~/"
"""As in curl: the user's own folder."""
_NO_PASSWORD = "name where it is kept under `auth:`"  # noqa: S105 - a hint


@dataclass(frozen=True)
class Folder:
    """Where the files go."""

    scheme: str
    host: str
    """The server, or the bucket."""
    path: str
    """With a slash at both ends, and as it is written: nothing in it stands for anything else."""
    user: str = ""
    port: int | None = None

    @property
    def netloc(self) -> str:
        """Host and, where one is named, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def resource(self) -> str:
        """What of the world it is, whoever logs in there."""
        return f"{self.scheme}://{self.netloc}{self.path}"

    def of(self, name: str = "") -> str:
        """The whole address of a file in it, as people know it."""
        user = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{user}{self.netloc}{self.path}{name}"

    def on_server(self, name: str = "") -> str:
        """The path as the server knows it: of a file, or of the folder itself without the slash at its end."""
        whole = f"{self.path}{name}".removeprefix(HOME)
        return whole if name or whole == "/" else whole.rstrip("/") or "."


def folder_parser(*schemes: str, user: bool = True) -> Callable[[object], Folder]:
    """Reads addresses of these kinds; of servers where somebody logs in, or of buckets."""
    example = f"{schemes[0]}://user@host/folder/" if user else f"{schemes[0]}://bucket/folder/"

    def parse(text: object) -> Folder:
        if not isinstance(text, str) or "://" not in text:
            raise BadValue("the address of a folder is wanted here", hint=f"write {example}")
        if not text.isprintable():
            raise BadValue("an address cannot have control characters in it", show_value=False)
        scheme, _, rest = text.partition("://")
        where, slash, path = rest.partition("/")
        name, at, server = where.rpartition("@")
        if ":" in name:
            raise BadValue("a password does not belong in the address", hint=_NO_PASSWORD, show_value=False)
        if user and not name:
            raise BadValue("the address names no user", hint=f"write {example}")
        if not user and at:
            raise BadValue("a bucket has no user", hint=f"write {example}", show_value=False)
        host, port = split_server(server) or ("", None)
        if not host:
            raise BadValue("this is no name of a server, or no port", hint=f"write {example}")
        if user and not slash:
            hint = f"write {text}{HOME} for the user's own folder, {text}/ for the top, or {text}/folder/"
            raise BadValue("this address names no folder", hint=hint)
        return Folder(scheme.casefold(), host, _folder_path(path), name, port)

    return parse


def _folder_path(text: str) -> str:
    """With slashes at both ends. Raises `BadValue` for what may be the name of a file, and for what leads elsewhere."""
    parts = text.removesuffix("/").split("/") if text else []
    if any(part in ("", ".", "..") for part in parts):
        raise BadValue("a part of this path has no name", hint="write the folder's whole path, without // and ..")
    if parts and not text.endswith("/") and "." in parts[-1]:
        hint = f"write the folder with a / at its end, and the file's name in `file:`: {parts[-1]}"
        raise BadValue("this looks like a file, and a folder is wanted", hint=hint)
    return "".join(f"/{part}" for part in parts) + "/"
