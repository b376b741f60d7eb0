"""A real PostgreSQL for tests: one cluster for the whole session, with a certificate, and a database for each test."""

import fcntl
import json
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import trustme

ADMIN = "keeper"
USER = "feeds"
PASSWORD = "corréct h@rse/1"
MISSING = "PostgreSQL is not installed: apt-get install postgresql"

SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
max_connections = 60
fsync = off                     # a power cut is no part of these tests, and a crash of the server loses nothing
shared_buffers = 16MB
ssl = on
ssl_cert_file = '{folder}/server.pem'
ssl_key_file = '{folder}/server.key'
log_min_messages = warning
"""
ACCESS = f"""
local all {ADMIN} trust
local all all scram-sha-256
host all {USER} 127.0.0.1/32 scram-sha-256
"""


def program(name: str) -> Path | None:
    """Where a program of the newest PostgreSQL is; the servers of Debian are not on the path."""
    found = [*Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    newest = max(found, key=lambda path: float(path.parts[4]), default=None)
    return newest or (Path(there) if (there := shutil.which(name)) else None)


@dataclass(frozen=True)
class Server:
    """A running cluster."""

    folder: Path
    port: int

    @property
    def ca_file(self) -> Path:
        return self.folder / "authority.pem"

    def psql(self, sql: str, *, database: str = "postgres", options: tuple[str, ...] = ("-At",)) -> str:
        """What psql prints for it, as the keeper of the cluster."""
        where = ["-h", str(self.folder), "-p", str(self.port), "-U", ADMIN, "-d", database]
        result = subprocess.run(
            [str(program("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1", *options, *where, "-c", sql],
            capture_output=True,
            check=False,
            env={**os.environ, "PGCLIENTENCODING": "UTF8", "PGOPTIONS": "-c default_transaction_read_only=off"},
        )
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout.decode().removesuffix("\n")


@dataclass(frozen=True)
class Database:
    """A database that belongs to `USER`."""

    server: Server
    name: str

    def psql(self, sql: str, *options: str) -> str:
        """What psql prints for it, as the keeper of the cluster."""
        return self.server.psql(sql, database=self.name, options=options or ("-At",))

    def make(self, sql: str) -> None:
        """Objects that belong to `USER`."""
        self.psql(f"SET ROLE {USER}; {sql}")

    def empty(self) -> None:
        """As it was when it was made."""
        self.psql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}' AND pid <> "
            f"pg_backend_pid(); DROP OWNED BY {USER} CASCADE; DROP SCHEMA IF EXISTS public CASCADE; "
            f"CREATE SCHEMA public AUTHORIZATION {USER}; ALTER DATABASE {self.name} RESET ALL"
        )

    def to(self, *, user: str = USER, port: int | None = None, host: str = "127.0.0.1") -> str:
        return f"postgresql://{user}@{host}:{port or self.server.port}/{self.name}"

    def step(self, **keys: object) -> str:
        """A step into the table `members` with the right password, as in a job file. A key that is None is left out."""
        said: Mapping[str, object] = {
            "to": self.to(),
            "auth": {"password": {"env": "IDMS_TEST_DATABASE"}},
            "ca_file": str(self.server.ca_file),
            "table": "members",
            "mode": "append",
            **keys,
        }
        return json.dumps({key: value for key, value in said.items() if value is not None})

    def plain(self, *, port: int | None = None, **keys: object) -> str:
        """The same without TLS, for a look at what travels."""
        return self.step(to=self.to(port=port), tls="off", ca_file=None, **keys)


@contextmanager
def running_server(shared: Path) -> Iterator[Server]:
    """The cluster of this test session: the first process that asks starts it, the last one that leaves ends it.

    Each holds a lock that the kernel takes back, so that one that dies keeps nobody from it.
    """
    shared.mkdir(exist_ok=True)
    with (shared / "postgres.users").open("w") as users:
        with _alone(shared):
            fcntl.flock(users, fcntl.LOCK_SH)
            told = shared / "postgres.json"
            if not told.exists():
                server = _start()
                told.write_text(json.dumps({"folder": str(server.folder), "port": server.port}))
            known = json.loads(told.read_text())
            server = Server(Path(known["folder"]), known["port"])
        try:
            yield server
        finally:
            with _alone(shared), suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                told.unlink()
                _stop(server)


@contextmanager
def _alone(shared: Path) -> Iterator[None]:
    with (shared / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def database(server: Server, name: str) -> Iterator[Database]:
    server.psql(f"CREATE DATABASE {name} OWNER {USER}")
    try:
        yield Database(server, name)
    finally:
        server.psql(f"DROP DATABASE {name} WITH (FORCE)")


def _start() -> Server:
    """Root may not run PostgreSQL: then its own account does. The path of a socket has 107 characters at most."""
    folder = Path(f"/tmp/idms-postgres-{os.getpid()}-{time.monotonic_ns()}")
    folder.mkdir(mode=0o755)
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    (folder / "server.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    (folder / "server.key").chmod(0o600)
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        for path in (folder, *folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    as_owner("initdb", "-D", str(data), "-U", ADMIN, "-N", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust")
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS.format(folder=folder))
    (data / "pg_hba.conf").write_text(ACCESS)
    port = _free_port()
    as_owner("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-o", f"-p {port}", "-w", "-s", "start")
    server = Server(folder, port)
    server.psql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
    return server


def _stop(server: Server) -> None:
    as_owner("pg_ctl", "-D", str(server.folder / "data"), "-m", "immediate", "-w", "-s", "stop")
    shutil.rmtree(server.folder)


def as_owner(name: str, *arguments: str) -> None:
    """Run a program of the server, as root by the account `postgres`."""
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    result = subprocess.run(
        [str(program(name)), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd="/",
        **user,  # type: ignore[call-overload]
    )
    assert result.returncode == 0, f"{name}: {result.stderr}"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
