"""A server that receives Sentry's envelopes, and a DSN for it."""

import gzip
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["SentryServer", "sentry_server"]

KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class SentryServer:
    """What the server has received."""

    port: int = 0
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    bodies: list[bytes] = field(default_factory=list[bytes])
    """As they were sent, unzipped."""
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    paths: list[str] = field(default_factory=list[str])
    arrived: threading.Event = field(default_factory=threading.Event)

    @property
    def dsn(self) -> str:
        return f"http://{KEY}@127.0.0.1:{self.port}/42"

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if handler.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.bodies.append(body)
        self.headers.append(dict(handler.headers.items()))
        self.paths.append(handler.path)
        rest = body.partition(b"\n")[2]
        while rest.strip():
            line, _, rest = rest.partition(b"\n")
            item = json.loads(line)
            payload, rest = rest[: item["length"]], rest[item["length"] :].lstrip(b"\n")
            if item["type"] == "event":
                self.events.append(json.loads(payload))
        self.arrived.set()


@contextmanager
def sentry_server() -> Generator[SentryServer]:
    """Serve on a free port of this machine."""
    received = SentryServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.take(self)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()
