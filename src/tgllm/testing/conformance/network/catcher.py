"""A server that records what it is sent, for requests that must not arrive there, or only arrive there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

__all__ = ["Catcher", "catching"]

_ANSWER = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_MOST = 64 * 1024
_SECONDS = 0.2


@dataclass(slots=True)
class Catcher:
    """What has arrived."""

    port: int = 0
    received: list[str] = field(default_factory=list[str])
    """The beginning of each connection: the head of a request, and its body if it came at once."""


@asynccontextmanager
async def catching() -> AsyncGenerator[Catcher]:
    """Listen on this machine, and answer each request with 502."""
    catcher = Catcher()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            catcher.received.append(head.decode(errors="replace"))
            writer.write(_ANSWER)
            await writer.drain()
            # Closing with unread data would reset the connection before the answer is read.
            async with asyncio.timeout(_SECONDS):
                catcher.received[-1] += (await reader.read(_MOST)).decode(errors="replace")
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    catcher.port = server.sockets[0].getsockname()[1]
    async with server:
        yield catcher
