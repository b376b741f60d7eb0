"""A service that speaks S3 (moto), and in front of it one that spoils what it is told to."""

import http.client
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "feeds"
SECRET = "hunter2hunter2"


@dataclass
class Faults:
    """What the service does wrong from now on. `methods` says of which requests."""

    methods: tuple[str, ...] = ("PUT", "POST")
    status: int = 0
    """Its answer instead of what was asked for..."""
    code: str = ""
    """...with this code in it."""
    cut_after: int | None = None
    """Bytes of bodies after which every connection is cut."""
    stands_still_after: int | None = None
    """Bytes of bodies after which no more is read."""
    loses_answer: bool = False
    """It does what is asked for, and cuts the connection instead of answering; once."""
    keeps_answer: bool = False
    """It does what is asked for, and says nothing as long as this holds."""
    slow_s: float = 0


@dataclass
class Service:
    """Its address, and what is in its bucket, seen with another client."""

    client: Any
    faults: Faults = field(default_factory=Faults)
    url: str = ""
    asked: list[str] = field(default_factory=list)
    """The requests, as in `PUT in/members.csv`."""
    received: int = 0
    """Bytes of bodies."""
    authorizations: list[str] = field(default_factory=list)

    def put(self, key: str, text: str) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=text.encode())

    def get(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def head(self, key: str) -> dict[str, Any]:
        return dict(self.client.head_object(Bucket=BUCKET, Key=key))

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=key)

    def keys(self) -> list[str]:
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def unfinished(self) -> int:
        """Uploads in several parts that were neither completed nor taken back."""
        return len(self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))

    def step(self, directory: Path, more: str = "", to: str = f"s3://{BUCKET}/in/") -> str:
        for name in ("s3-id", "s3-secret"):
            (directory / name).write_text(SECRET)
            (directory / name).chmod(0o600)
        auth = "{access_key: {file: s3-id}, secret_key: {file: s3-secret}}"
        return f'to: "{to}"\nendpoint: {self.url}\nauth: {auth}\nsilence: 3s\n{more}\n'


@contextmanager
def moto() -> Iterator[str]:
    """The address of one that does everything right."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def service_in_front_of(url: str) -> Iterator[Service]:
    """With an empty bucket."""
    login = {"aws_access_key_id": "id", "aws_secret_access_key": "key", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=url, **login)
    service = Service(client)
    client.create_bucket(Bucket=BUCKET)
    for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
        client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    for key in service.keys():  # noqa: SIM118 - no mapping
        service.delete(key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _front(service, url.partition("//")[2]))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)
        client.close()


def _front(service: Service, behind: str) -> type[BaseHTTPRequestHandler]:
    faults = service.faults

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            service.asked.append(f"{self.command} {self.path.removeprefix(f'/{BUCKET}/')}")
            service.authorizations.append(self.headers.get("Authorization", ""))
            is_bad = self.command in faults.methods
            body = self._body(is_bad)
            if body is None:
                return
            if is_bad and faults.status:
                text = f"<Error><Code>{faults.code}</Code><Message>As the test wants it.</Message></Error>".encode()
                self._answer(faults.status, {}, b"" if self.command == "HEAD" else text)
                return
            status, headers, content = self._forwarded(body)
            if is_bad and faults.loses_answer:
                faults.loses_answer = False
                self.close_connection = True
                return
            while is_bad and faults.keeps_answer:
                time.sleep(0.05)
            self._answer(status, headers, content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on  # noqa: N815 - its names

        def _body(self, is_bad: bool) -> bytes | None:
            left, pieces = int(self.headers.get("Content-Length", "0")), []
            while left:
                piece = self.rfile.read(min(left, 1 << 16))
                left -= len(piece)
                service.received += len(piece)
                pieces.append(piece)
                time.sleep(faults.slow_s)
                if not piece or (is_bad and faults.cut_after is not None and service.received > faults.cut_after):
                    self.close_connection = True
                    return None
                if is_bad and faults.stands_still_after is not None and service.received > faults.stands_still_after:
                    while faults.stands_still_after is not None:
                        time.sleep(0.05)
                    self.close_connection = True
                    return None
            return b"".join(pieces)

        def _forwarded(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection(behind, timeout=60)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read()
            finally:
                connection.close()

        def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.casefold() not in ("transfer-encoding", "connection", "content-length", "server", "date"):
                    self.send_header(name, value)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name
            """Says nothing."""

    return Front
