"""A small S3 server in memory: objects, pages of two, and answers that fail. It checks no signatures."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 2
KEYS = {"access_key": "the-access-key", "secret_key": "the-secret-key"}


@dataclass
class Stored:
    """An object."""

    content: bytes
    sha256: str = ""
    modified: float = 2_000_000_000.0


@dataclass
class FakeS3:
    """The server's state."""

    endpoint: str = ""
    objects: dict[str, Stored] = field(default_factory=dict)
    failures: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """Answers by method: status and code; each is given once."""
    calls: list[str] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, object]:
        """Settings of the section ``s3``."""
        return {"bucket": "files", "endpoint": self.endpoint, "prefix": "bots/one", **KEYS}


@contextmanager
def running_s3() -> Generator[FakeS3]:
    """Run a server on a free port of this machine."""
    state = FakeS3()

    class Handler(_Handler):
        fake = state

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.endpoint = f"http://127.0.0.1:{server.server_port}"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeS3

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._fails():
            self.fake.objects[self._key()] = Stored(content, self.headers.get("x-amz-meta-sha256", ""))
            self._answer(200)

    def do_GET(self) -> None:
        if self._fails():
            return
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if "list-type" in query:
            self._list(query)
            return
        found = self.fake.objects.get(self._key())
        if found is None:
            self._answer(404, _error("NoSuchKey"))
        else:
            self._answer(200, found.content, {"x-amz-meta-sha256": found.sha256} if found.sha256 else {})

    def do_HEAD(self) -> None:
        if not self._fails():
            self._answer(200 if self._key() in self.fake.objects else 404)

    def do_POST(self) -> None:
        wanted = re.findall(r"<Key>(.*?)</Key>", self.rfile.read(int(self.headers["Content-Length"])).decode())
        if not self._fails():
            for key in wanted:
                self.fake.objects.pop(key, None)
            self._answer(200, b"<DeleteResult/>")

    def _list(self, query: dict[str, str]) -> None:
        keys = sorted(key for key in self.fake.objects if key.startswith(query.get("prefix", "")))
        keys = [key for key in keys if key > query.get("continuation-token", "")]
        shown = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{_time(self.fake.objects[key].modified)}</LastModified>"
            f"<Size>{len(self.fake.objects[key].content)}</Size></Contents>"
            for key in keys[:PAGE]
        )
        more = len(keys) > PAGE
        token = f"<NextContinuationToken>{escape(keys[PAGE - 1])}</NextContinuationToken>" if more else ""
        body = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{shown}</ListBucketResult>"
        self._answer(200, body.encode())

    def _fails(self) -> bool:
        self.fake.calls.append(f"{self.command} {self._key()}")
        failures = self.fake.failures.get(self.command, [])
        if not failures:
            return False
        status, code = failures.pop(0)
        self._answer(status, _error(code))
        return True

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/files").removeprefix("/")

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name of the base class
        pass


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
