"""A TCP proxy in front of a server that cuts connections at chosen moments, in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

__all__ = ["CutProxy", "cut_proxy"]

CHUNK = 65536


@dataclass
class CutProxy:
    """Passes bytes on until it is told otherwise; the attributes may be set from any thread."""

    address: tuple[str, int]
    url: str = ""
    """The server's URL with the address of the proxy."""
    swallow_answer_to: bytes = b""
    """Once a client has sent these bytes, the answer of the server is waited for, and the connection is cut instead."""
    refuses: bool = False
    """Whether new connections are closed at once."""
    refusals: int = 0
    """How many were."""
    cuts: int = 0
    """How many answers were swallowed."""
    _writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])
    _loop: asyncio.AbstractEventLoop | None = None

    def cut_all(self) -> None:
        """Cut all connections."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._close_all)

    def _close_all(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            self.refusals += 1
            writer.close()
            return
        from_server, to_server = await asyncio.open_connection(*self.address)
        self._writers += [writer, to_server]
        swallowing = asyncio.Event()
        with_server = asyncio.create_task(self._back(from_server, writer, to_server, swallowing))
        try:
            while data := await reader.read(CHUNK):
                if self.swallow_answer_to and self.swallow_answer_to in data:
                    self.swallow_answer_to = b""
                    swallowing.set()
                to_server.write(data)
                await to_server.drain()
        except ConnectionError:
            pass
        finally:
            to_server.close()
            await with_server

    async def _back(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        to_server: asyncio.StreamWriter,
        swallowing: asyncio.Event,
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                if swallowing.is_set():
                    self.cuts += 1
                    break
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
            to_server.close()


@contextmanager
def cut_proxy(url: str) -> Iterator[CutProxy]:
    """Give a proxy in front of the server of a URL."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    proxy, ready = CutProxy((parts.hostname, parts.port)), threading.Event()

    async def serve() -> None:
        server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        user = f"{parts.username}@" if parts.username else ""
        proxy.url = urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{port}"))
        proxy._loop = asyncio.get_running_loop()
        ready.set()
        stopped = asyncio.Event()
        stopping.append(stopped)
        async with server:
            await stopped.wait()
            proxy._close_all()

    stopping: list[asyncio.Event] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield proxy
    finally:
        assert proxy._loop is not None
        proxy._loop.call_soon_threadsafe(stopping[0].set)
        thread.join(10)
