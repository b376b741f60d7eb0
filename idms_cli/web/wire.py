"""Connections on which a whole exchange has to end in time; httpcore by itself limits only how long nothing comes."""

import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore


class Limit:
    """When the exchange in hand has to be over. For the streams of one connection, which one thread uses."""

    def __init__(self) -> None:
        self._ends_at: float | None = None
        self._stream: httpcore.NetworkStream | None = None

    def begin(self, limit_s: float) -> None:
        """An exchange begins; it may last so long."""
        self._ends_at = time.monotonic() + limit_s

    def of(self, timeout_s: float | None, late: type[httpcore.TimeoutException]) -> float | None:
        """How long the next step may take. Raises `late` when there is no time left."""
        if self._ends_at is None:
            return timeout_s
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise late("the exchange took too long")
        return left if timeout_s is None else min(left, timeout_s)

    def watch(self, stream: httpcore.NetworkStream) -> None:
        """This is the stream in use."""
        self._stream = stream

    def cut(self) -> None:
        """End the exchange in hand at once; may be called from any thread."""
        self._ends_at = 0.0
        line = self._stream.get_extra_info("socket") if self._stream else None
        if isinstance(line, socket.socket):
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)


class LimitedBackend(httpcore.NetworkBackend):
    """Opens connections that heed a limit."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        wait_s = self._limit.of(timeout, httpcore.ConnectTimeout)
        stream = self._backend.connect_tcp(host, port, wait_s, local_address, socket_options)
        return _LimitedStream(stream, self._limit)


class _LimitedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, limit: Limit) -> None:
        self._stream = stream
        self._limit = limit
        limit.watch(stream)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._limit.of(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._limit.of(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        wait_s = self._limit.of(timeout, httpcore.ConnectTimeout)
        return _LimitedStream(self._stream.start_tls(ssl_context, server_hostname, wait_s), self._limit)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
