"""Requests to the bot's web server, byte by byte where it matters."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: str


async def get(port: int, path: str, *, method: str = "GET", headers: str = "") -> Got:
    """The answer to a request with these header lines."""
    return parsed(await send(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode()))


async def send(port: int, data: bytes) -> bytes:
    """All that the server sends until it ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def parsed(answer: bytes) -> Got:
    head, _, body = answer.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    return Got(int(first.split()[1]), {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}, body)


def samples(text: str) -> dict[str, float]:
    """The values of a scrape by name and labels, as they are written there."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
