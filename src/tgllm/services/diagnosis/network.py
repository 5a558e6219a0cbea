"""Checks of the way to a server, step by step: name, connection, proxy, TLS. Only HEAD /, or an empty POST, is sent."""

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from tgllm.api import Check, ConfigError, NotConfigured
from tgllm.api.clock import Clock
from tgllm.i18n import Catalogue
from tgllm.plugins.calls.outcome import Raised, Returned
from tgllm.plugins.calls.thread import HookThread
from tgllm.providers.network import check_request
from tgllm.providers.proxies import Proxy, find_http_proxy, find_proxy

__all__ = ["Reached", "Target", "knock", "reach"]

NAME_SECONDS: Final = 8.0
CONNECT_SECONDS: Final = 5.0
"""Time limit for one address, of which a name may have several."""
HANDSHAKE_SECONDS: Final = 8.0
ANSWER_SECONDS: Final = 15.0
MOST_HEAD: Final = 16 * 1024
_PORTS: Final = {"http": 80, "https": 443}
_TUNNEL_OPEN: Final = 200


@dataclass(frozen=True, slots=True)
class Target:
    """A server to be reached."""

    name: str
    url: str
    proxy: str | None = None
    """Proxy in the settings, to which the environment does not apply."""
    is_telegram: bool = False


@dataclass(frozen=True, slots=True)
class Reached:
    """Result for a server."""

    check: Check
    skew: float | None = None
    """Seconds by which this clock is ahead of the server's; None if it does not say the time."""


class _Failed(Exception):
    """A step failed; the message says which, why, and what to do."""


async def reach(target: Target, clock: Clock, texts: Catalogue) -> Reached:
    """Go to a server step by step, as far as possible."""
    name = f"Network: {target.name}"
    parts = urlsplit(target.url)
    host = parts.hostname or ""
    try:
        check_request(host)
        proxy = _proxy(target)
        notes: list[str] = []
        async with _connected(parts, proxy, texts, notes) as (reader, writer):
            before = clock.now()
            head = await _head(reader, writer, parts, proxy, texts)
            skew = _skew(head, (before + clock.now()) / 2)
    except (ConfigError, NotConfigured) as error:
        return Reached(Check(name, "not configured", str(error)))
    except _Failed as failure:
        return Reached(Check(name, "failed", str(failure)))
    return Reached(Check(name, "ok", ", ".join((_place(parts), *notes))), skew)


async def knock(url: str, texts: Catalogue) -> int | str:
    """Send an empty POST request to an address; return the status of the answer, or why there is none."""
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        check_request(parts.hostname or "")
        proxy = _proxy(Target("", url))
        async with _connected(parts, proxy, texts, []) as (reader, writer):
            head = await _head(reader, writer, parts, proxy, texts, method="POST", path=path)
    except (ConfigError, NotConfigured, _Failed) as error:
        return str(error)
    first = head.split(" ")
    return int(first[1][:3]) if head.startswith("HTTP/") and len(first) > 1 and first[1][:3].isdecimal() else head[:20]


def _proxy(target: Target) -> Proxy | None:
    if target.is_telegram:
        return find_http_proxy(target.url)[0]
    return find_proxy(target.url, target.proxy)


@asynccontextmanager
async def _connected(
    parts: SplitResult, proxy: Proxy | None, texts: Catalogue, notes: list[str]
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect, through the proxy if there is one, with TLS if the address says so."""
    first = parts if proxy is None else urlsplit(proxy.url)
    if first.scheme.startswith("socks"):
        raise NotConfigured(texts("doctor.net_socks", title=proxy))
    reader, writer = await _connect(first, texts, notes, proxy)
    try:
        if first.scheme == "https" and proxy is not None:
            await _encrypt(writer, first.hostname or "", texts, [])
        if proxy is not None and parts.scheme == "https":
            await _tunnel(reader, writer, parts, proxy, texts)
        if parts.scheme == "https":
            await _encrypt(writer, parts.hostname or "", texts, notes)
        yield reader, writer
    finally:
        writer.transport.abort()


async def _connect(
    parts: SplitResult, texts: Catalogue, notes: list[str], proxy: Proxy | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = parts.hostname or "", _port(parts)
    addresses = await _addresses(host, port, texts)
    reasons: list[str] = []
    for address in addresses:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await asyncio.open_connection(address, port)
        except TimeoutError:
            reasons.append(texts("doctor.net_slow", name=address))
        except OSError as error:
            reasons.append(f"{address}: {error.strerror or error}")
        else:
            notes.append(address if proxy is None else texts("doctor.net_proxy", title=proxy))
            notes.extend(reasons)
            return found
    raise _Failed(
        texts(
            "doctor.net_refused" if proxy is None else "doctor.net_proxy_refused",
            name=_place(parts),
            reason="; ".join(reasons),
        )
    )


async def _addresses(host: str, port: int, texts: Catalogue) -> Sequence[str]:
    """Resolve a name in a thread that may be left behind, since it can't be cancelled."""
    thread = HookThread()
    try:
        outcome = await thread.run(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), NAME_SECONDS)
    finally:
        thread.close()
    if isinstance(outcome, Returned):
        return list(dict.fromkeys(str(found[4][0]) for found in outcome.value))
    reason = texts("doctor.net_slow", name="DNS")
    if isinstance(outcome, Raised):
        reason = getattr(outcome.error, "strerror", None) or type(outcome.error).__name__
    raise _Failed(texts("doctor.net_name", name=host, reason=reason))


async def _tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, parts: SplitResult, proxy: Proxy, texts: Catalogue
) -> None:
    place = f"{_bracketed(parts.hostname or '')}:{_port(parts)}"
    writer.write(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{_login(proxy)}\r\n".encode())
    head = await _read_head(reader, texts, str(proxy))
    status = head.split(" ")[1] if head.startswith("HTTP/") and len(head.split(" ")) > 1 else "?"
    if status != str(_TUNNEL_OPEN):
        raise _Failed(texts("doctor.net_tunnel", title=proxy, status=status, name=place))


async def _encrypt(writer: asyncio.StreamWriter, host: str, texts: Catalogue, notes: list[str]) -> None:
    context = await asyncio.to_thread(ssl.create_default_context)
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            await writer.start_tls(context, server_hostname=host)
    except TimeoutError:
        raise _Failed(texts("doctor.net_tls", name=host, reason=texts("doctor.net_slow", name="TLS"))) from None
    except ssl.SSLCertVerificationError as error:
        raise _Failed(texts("doctor.net_certificate", name=host, reason=error.verify_message)) from None
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise _Failed(texts("doctor.net_tls", name=host, reason=reason)) from None
    found = writer.get_extra_info("ssl_object")
    notes.append(str(found.version()) if found is not None else "TLS")


async def _head(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    parts: SplitResult,
    proxy: Proxy | None,
    texts: Catalogue,
    *,
    method: str = "HEAD",
    path: str = "/",
) -> str:
    is_plain = proxy is not None and parts.scheme == "http"
    target = f"http://{_bracketed(parts.hostname or '')}:{_port(parts)}{path}" if is_plain else path
    login = _login(proxy) if is_plain and proxy is not None else ""
    host = _bracketed(parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    length = "Content-Length: 0\r\n" if method == "POST" else ""
    head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{length}{login}\r\n"
    writer.write(head.encode())
    return await _read_head(reader, texts, _place(parts))


async def _read_head(reader: asyncio.StreamReader, texts: Catalogue, place: str) -> str:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            data = await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        raise _Failed(texts("doctor.net_silent", name=place, reason=texts("doctor.net_slow", name="HTTP"))) from None
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
        raise _Failed(texts("doctor.net_silent", name=place, reason=type(error).__name__)) from None
    return data[:MOST_HEAD].decode("latin-1")


def _skew(head: str, now: float) -> float | None:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "date":
            try:
                return now - parsedate_to_datetime(value.strip()).replace(tzinfo=UTC).timestamp()
            except (ValueError, TypeError, OverflowError):
                return None
    return None


def _login(proxy: Proxy) -> str:
    parts = urlsplit(proxy.url)
    if parts.username is None:
        return ""
    secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Proxy-Authorization: Basic {base64.b64encode(secret.encode()).decode()}\r\n"


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS.get(parts.scheme, 443)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _place(parts: SplitResult) -> str:
    return f"{_bracketed(parts.hostname or '')}:{_port(parts)}"
