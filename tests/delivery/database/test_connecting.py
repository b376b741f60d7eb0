"""What a server says at the door, in any language, and what is made of it."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from idms_cli.delivery.sql import postgresql
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, LoginRefused, Unreachable
from tests.delivery.database.rows import TWO, refused


@contextmanager
def door(words: str, *, asks: bool = True) -> Iterator[int]:
    """A server that speaks PostgreSQL's protocol as far as asking for a password, and then refuses in these words."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client:
                    client.recv(4096)
                    if asks:
                        client.sendall(b"R" + struct.pack("!ii", 8, 3))
                        client.recv(4096)
                    fields = b"SFATAL\0C28P01\0M" + words.encode() + b"\0\0"
                    client.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(30)


def step(port: int, more: str = "") -> str:
    to = f"postgresql://feeds@127.0.0.1:{port}/crm"
    return f"{{to: '{to}', auth: {{password: {{env: X}}}}, tls: off, table: members, mode: append{more}}}"


@pytest.mark.parametrize(
    ("words", "asks", "kind"),
    [
        ("Passwort-Authentifizierung für Benutzer »feeds« fehlgeschlagen", True, LoginRefused),
        ("пользователь \u202e не прошёл проверку", True, LoginRefused),
        ('password authentication failed for user "feeds"', True, LoginRefused),
        ('role "feeds" is not permitted to log in', False, LoginRefused),
        ('database "crm" does not exist', True, DeliveryRefused),
        ("sorry, too many clients already", False, Unreachable),
        ("remaining connection slots are reserved for roles with the SUPERUSER attribute", True, Unreachable),
        ("the database system is starting up", False, Unreachable),
        ("the database system is shutting down", True, Unreachable),
    ],
)
def test_a_refusal_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, asks: bool, kind: type[IdmsError]
) -> None:
    monkeypatch.setenv("X", "secret!")
    with door(words, asks=asks) as port:
        error = refused(step(port), TWO, tmp_path)
    assert type(error) is kind
    assert words.replace("\u202e", "\\u202e") in str(error)
    assert "secret!" not in str(error)


def test_a_server_that_does_not_answer_the_door_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "secret!")
    monkeypatch.setattr(postgresql, "CONNECT_TIMEOUT_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refused(step(silent.getsockname()[1], ", statement_timeout: 1s"), TWO, tmp_path)
    assert isinstance(error, Unreachable)
    assert str(error).endswith("no connection: not within the time limit.")


def test_a_secret_that_is_not_there_is_a_mistake_of_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("X", raising=False)
    error = refused(step(1), TWO, tmp_path)
    assert isinstance(error, InputError)
    assert str(error) == "the environment variable X is not set"


def test_an_authority_file_that_is_not_there_is_a_mistake_of_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "secret!")
    error = refused(step(1).replace("tls: off", "ca_file: none.pem"), TWO, tmp_path)
    assert isinstance(error, InputError)
    assert str(error) == f"The authority file {tmp_path}/none.pem cannot be used: there is no such file."


def test_a_server_that_speaks_no_tls_is_refused_before_the_password_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "secret!")
    listener = socket.create_server(("127.0.0.1", 0))
    got: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client:
                    got.append(client.recv(4096))
                    client.sendall(b"N")
                    got.append(client.recv(4096))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    error = refused(step(listener.getsockname()[1]).replace("tls: off", "tls: encrypt"), TWO, tmp_path)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(30)
    assert isinstance(error, Unreachable)
    assert "the server speaks no TLS" in str(error)
    assert b"secret!" not in b"".join(got)
