"""Where a database is: postgresql://user@host:5432/db, sqlite:///members.db..., with nothing secret in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import PlainValidator, WithJsonSchema

from idms_cli.config.addresses import is_loopback
from idms_cli.config.fields import parse_path
from idms_cli.config.problems import BadValue
from idms_cli.config.spelling import did_you_mean

_EXAMPLES = "write postgresql://user@host:5432/database or sqlite:///folder/file.db"
_NO_PASSWORD = "name where it is kept: `auth: {password: ...}`"  # noqa: S105 - a hint
_SQL = "pip install 'idms-cli[sql]'"
_SECRETS = ("pass", "pwd", "secret", "token", "key")


class Kind(NamedTuple):
    """One kind of database."""

    driver: str
    """Of SQLAlchemy: the one that is used, and no other."""
    library: str
    install: str
    """What to do where the library is missing."""
    keys: frozenset[str]
    """Of a step, that mean something for it."""


_LOGIN = frozenset({"auth"})
_TIMEOUTS = frozenset({"lock_timeout", "statement_timeout"})
_TLS = frozenset({"tls", "ca_file"})

KINDS: Mapping[str, Kind] = {
    "postgresql": Kind("psycopg", "psycopg", "pip install 'idms-cli[postgresql]'", _LOGIN | _TLS | _TIMEOUTS),
    "sqlite": Kind("pysqlite", "sqlite3", "", frozenset({"lock_timeout"})),
    "mysql": Kind("pymysql", "pymysql", "pip install pymysql", _LOGIN | _TLS | _TIMEOUTS),
    "mariadb": Kind("pymysql", "pymysql", "pip install pymysql", _LOGIN | _TLS | _TIMEOUTS),
    "mssql": Kind("pyodbc", "pyodbc", "pip install pyodbc, and install Microsoft's ODBC driver", _LOGIN),
    "oracle": Kind("oracledb", "oracledb", "pip install oracledb", _LOGIN),
}


@dataclass(frozen=True)
class DatabaseAddress:
    """One database."""

    scheme: str
    """One of `KINDS`."""
    database: str
    """Its name; of SQLite the path of its file."""
    host: str = ""
    """Empty for a socket of this machine."""
    port: int | None = None
    user: str = ""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the driver is told beside. Never shown."""

    @property
    def kind(self) -> Kind:
        return KINDS[self.scheme]

    @property
    def shown(self) -> str:
        """As people know it."""
        user = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{user}{self.netloc}/{self.database}"

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def is_here(self) -> bool:
        """Whether what is sent never leaves this machine."""
        return not self.host or is_loopback(self.host)

    def below(self, directory: Path) -> "DatabaseAddress":
        """With the path of SQLite's file made absolute."""
        return replace(self, database=str(directory / self.database)) if self.scheme == "sqlite" else self

    def missing(self) -> str:
        """What to do before this kind can be used; empty when nothing is missing."""
        if find_spec(self.kind.library) is None:
            return self.kind.install if self.scheme == "postgresql" else f"{_SQL}; {self.kind.install}"
        return _SQL if find_spec("sqlalchemy") is None else ""


def parse_database(text: object) -> DatabaseAddress:
    """Raises `BadValue`; where a password may be in the text, it is not shown."""
    if not isinstance(text, str) or "://" not in text:
        raise BadValue("the address of a database is wanted here", hint=_EXAMPLES)
    if any(not character.isprintable() or character.isspace() for character in text):
        raise BadValue("an address cannot have blanks or control characters in it", show_value=False)
    scheme, _, driver = text.partition("://")[0].partition("+")
    if scheme not in KINDS:
        hint = did_you_mean(scheme, KINDS) or _EXAMPLES
        raise BadValue("there is no such kind of database", hint=hint, show_value=False)
    if driver and driver != KINDS[scheme].driver:
        raise BadValue(f"{scheme} is reached by the driver {KINDS[scheme].driver} only", show_value=False)
    rest = text.partition("://")[2]
    return _file(rest) if scheme == "sqlite" else _server(scheme, rest)


def _file(rest: str) -> DatabaseAddress:
    if not rest.startswith("/") or "?" in rest or "#" in rest:
        hint = "write sqlite:///folder/file.db, or with four slashes from the top"
        raise BadValue("this names no file of SQLite", hint=hint, show_value="@" not in rest)
    path = parse_path(rest[1:])
    if rest.endswith("/") or not path.name:
        raise BadValue("this names no file of SQLite", hint="write sqlite:///folder/file.db")
    return DatabaseAddress("sqlite", str(path))


def _server(scheme: str, rest: str) -> DatabaseAddress:
    where = rest.partition("/")[0].partition("?")[0]
    login, at, _ = where.rpartition("@")
    if ":" in login:
        raise BadValue("a password does not belong in the address", hint=_NO_PASSWORD, show_value=False)
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname or "", parts.port
        asked = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise BadValue("this is no name of a server, or no port", hint=_EXAMPLES, show_value=False) from None
    query = _checked_query(scheme, dict(asked), host)
    database = unquote(parts.path.removeprefix("/"))
    hint = f"write {scheme}://user@host/database"
    if "#" in rest or "/" in database or port == 0 or (not host and scheme != "postgresql"):
        raise BadValue("this is not the address of a database", hint=hint, show_value=False)
    if not database and not query:
        raise BadValue("the address names no database", hint=hint)
    if not at or not login:
        raise BadValue("the address names no user", hint=hint)
    return DatabaseAddress(scheme, database, host, port, unquote(login), query)


def _checked_query(scheme: str, query: Mapping[str, str], host: str) -> Mapping[str, str]:
    """For PostgreSQL the folder of a socket; what other drivers know is theirs, but no secret."""
    if scheme == "postgresql":
        if query and (set(query) != {"host"} or host or not query["host"].startswith("/")):
            hint = "only ?host=/run/postgresql is known, the folder of a socket; all else has keys of its own"
            raise BadValue("this cannot follow the '?'", hint=hint, show_value=False)
    elif any(word in key.casefold() for key in query for word in _SECRETS):
        raise BadValue("a password does not belong in the address", hint=_NO_PASSWORD, show_value=False)
    return query


DatabaseTo = Annotated[DatabaseAddress, PlainValidator(parse_database), WithJsonSchema({"type": "string"})]
