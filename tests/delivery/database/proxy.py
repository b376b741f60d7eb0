"""A wire between a client and PostgreSQL that can be cut, or go silent, at a chosen moment."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Proxy:
    """Where it listens, and what it does wrong. Each fault happens once; then the wire is as it should be."""

    port: int
    cut_after: int | None = None
    """Bytes of the client after which both ends are closed."""
    silent_after: int | None = None
    """Bytes of the client after which nothing travels any more, although both ends stay open."""
    at_commit: Literal["", "before", "after"] = ""
    """Both ends are closed before the commit reaches the server, or when its answer would reach the client."""
    commits_before: int = 1
    """How many commits pass first: the first one belongs to the look at the table."""
    when_cut: Callable[[], None] = lambda: None
    closed: bool = False
    """Nobody gets a connection any more."""
    open: list[socket.socket] = field(default_factory=list)

    def carries(self, before: int, piece: bytes) -> bool | None:
        """What becomes of a piece from the client: True, it passes; None, it does not, and the ends are closed."""
        if self.silent_after is not None and before + len(piece) > self.silent_after:
            return False
        if self.cut_after is not None and before + len(piece) > self.cut_after:
            self.cut_after = None
            self.when_cut()
            return None
        return True


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(listener.getsockname()[1])

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            if proxy.closed:
                client.close()
                continue
            proxy.open.append(client)
            proxy.open.append(server := socket.create_connection(("127.0.0.1", port)))
            threading.Thread(target=_wire, args=(proxy, client, server), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        _close(*proxy.open)
        thread.join(30)


def _wire(proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
    """Both directions of one connection."""
    lost = threading.Event()  # the answer of the server goes nowhere
    back = threading.Thread(target=_answers, args=(proxy, client, server, lost), daemon=True)
    back.start()
    before, commits = 0, 0
    with suppress(OSError):
        while piece := client.recv(1 << 16):
            passes = proxy.carries(before, piece)
            before += len(piece)
            if passes is None:
                break
            if not passes:
                lost.set()
                continue
            if proxy.at_commit and b"COMMIT\0" in piece:
                commits += 1
                if commits > proxy.commits_before:
                    if proxy.at_commit == "before":
                        proxy.at_commit = ""
                        proxy.when_cut()
                        break
                    lost.set()
            server.sendall(piece)
    if not lost.is_set():
        _close(client, server)


def _answers(proxy: Proxy, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
    with suppress(OSError):
        while piece := server.recv(1 << 16):
            if not lost.is_set():
                client.sendall(piece)
            elif proxy.at_commit == "after":
                proxy.at_commit = ""
                proxy.when_cut()
                break
    if proxy.silent_after is None:
        _close(client, server)


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
