"""Download of a page: one hop after another, each checked, with limits of time and size."""

import asyncio
import contextlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from yarl import URL

from tgllm.api.errors import ToolFailed
from tgllm.providers.connections.late_certificates import aiohttp
from tgllm_web.allowed import Allowed
from tgllm_web.guard import ForbiddenAddressError, Guard

__all__ = ["Document", "Fetcher", "checked_url"]

MOST_REDIRECTS = 5
_LONGEST_URL = 2_000
_CHUNK = 2**16
_DEFLATED = 8
"""Mark in the first byte of the header of zlib."""
_HEADERS: Mapping[str, str] = {
    "User-Agent": "Mozilla/5.0 (compatible; tgllm-web/1.0)",
    "Accept": "text/html,application/xhtml+xml,text/plain,application/json;q=0.9,application/xml;q=0.8,*/*;q=0.1",
    "Accept-Encoding": "gzip, deflate",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_PUBLIC = "the address is on a private network, on this machine, or reserved; only pages of the internet are read"
_NO_URL = "this is no URL of a page: it begins with https:// or http://, and has a host"
_REASONS: Mapping[int, str] = {
    401: "the page needs a login",
    403: "the site refuses programs, or the page needs a login",
    404: "there is no such page",
    410: "the page was removed",
    429: "the site has had too many requests; try another page",
    451: "the page is blocked for legal reasons",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A downloaded document."""

    url: str
    """After redirects."""
    media_type: str
    """In lower case, without parameters; empty if the site does not say."""
    charset: str | None
    body: bytes = field(repr=False)
    """Decompressed."""
    is_whole: bool
    """False if the document is larger than the limit, and the body its beginning."""


class Fetcher:
    """Downloads documents. Each download has its own connections, and no cookies."""

    def __init__(
        self, allowed: Allowed, *, seconds: float, most_bytes: int, resolver: aiohttp.ThreadedResolver | None = None
    ) -> None:
        """Create a fetcher; nothing is opened yet.

        Args:
            allowed: the rule for ports and addresses.
            seconds: time limit of a download, redirects included.
            most_bytes: bytes of a document that are read, after decompression.
            resolver: resolves host names; None: as the system does.
        """
        self._allowed = allowed
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._resolver = resolver

    async def fetch(self, url: str) -> Document:
        """Download a document.

        Raises:
            ToolFailed: the URL or an address is not allowed, the site can't be reached, or it sends no page in time.
        """
        guard = Guard(self._allowed)
        try:
            async with asyncio.timeout(self._seconds), self._session(guard) as session:
                return await self._follow(session, guard, checked_url(url, self._allowed))
        except TimeoutError:
            raise ToolFailed(f"the site took longer than {self._seconds:g} seconds") from None
        except ForbiddenAddressError:
            raise ToolFailed(_NOT_PUBLIC) from None
        # The errors contain URLs and headers, so they are neither shown nor kept as the cause.
        except (aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
            raise ToolFailed(_NOT_PUBLIC if guard.refused else _reason(error)) from None

    def _session(self, guard: Guard) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            socket_factory=guard.socket, resolver=self._resolver, use_dns_cache=False, force_close=True
        )
        # A proxy of the environment would resolve names itself, past the guard.
        return aiohttp.ClientSession(
            connector=connector,
            connector_owner=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
            auto_decompress=False,
        )

    async def _follow(self, session: aiohttp.ClientSession, guard: Guard, url: URL) -> Document:
        for _ in range(MOST_REDIRECTS + 1):
            guard.begin(url.host or "", url.port or 0)
            async with session.get(url, allow_redirects=False) as response:
                if (target := _redirected(response, url)) is None:
                    return await self._read(response, url)
            url = checked_url(str(target), self._allowed)
        raise ToolFailed(f"the site redirects more than {MOST_REDIRECTS} times")

    async def _read(self, response: aiohttp.ClientResponse, url: URL) -> Document:
        if response.status != HTTPStatus.OK:
            raise ToolFailed(_REASONS.get(response.status, f"the site answered with HTTP status {response.status}"))
        body = _Body(response.headers.get("Content-Encoding", ""), self._most_bytes)
        async for chunk in response.content.iter_chunked(_CHUNK):
            if not body.add(chunk):
                break
        media_type = response.content_type if "Content-Type" in response.headers else ""
        return Document(str(url), media_type.lower(), response.charset, bytes(body.data), body.is_whole)


class _Body:
    """Body of a response, decompressed up to a number of bytes, however small what is compressed."""

    def __init__(self, encoding: str, most: int) -> None:
        self.data = bytearray()
        self.is_whole = True
        self._most = most
        self._encoding = encoding.strip().lower()
        self._is_first = True
        self._inflater = _inflater(self._encoding)

    def add(self, chunk: bytes) -> bool:
        """Add a piece; return whether there is room for more."""
        left = self._most - len(self.data)
        if self._inflater is None:
            self.data += chunk[:left]
            self.is_whole = len(chunk) <= left
            return self.is_whole
        if self._is_first and self._encoding == "deflate":
            self._inflater = zlib.decompressobj(_window(chunk))
        self._is_first = False
        inflater = self._inflater
        # One byte more than there is room for shows that there is more.
        more = inflater.decompress(chunk, left + 1)
        self.data += more[:left]
        self.is_whole = len(more) <= left
        # What follows the end is not read: zlib would keep it, and copy all of it for each further piece.
        return self.is_whole and not inflater.eof


def checked_url(url: str, allowed: Allowed) -> URL:
    """Return the URL if it may be requested, without its fragment.

    The host is checked when its address is known (``Guard``), and not here: names and numbers have many spellings.

    Raises:
        ToolFailed: it is no URL of a page, or it has a port or a login that is not allowed.
    """
    text = url.strip()
    try:
        parsed = URL(text) if len(text) <= _LONGEST_URL else None
        port = parsed.port if parsed is not None else None
    except ValueError:
        parsed, port = None, None
    if parsed is None or not parsed.host or port is None or parsed.scheme not in {"http", "https"}:
        raise ToolFailed(_NO_URL)
    if parsed.user is not None or parsed.password is not None:
        raise ToolFailed("a URL with a user name or password is not requested")
    if not allowed.allows_port(parsed.host, port):
        raise ToolFailed("only the ports 80 and 443 are allowed")
    return parsed.with_fragment(None)


def _redirected(response: aiohttp.ClientResponse, url: URL) -> URL | None:
    location = response.headers.get("Location", "")
    if response.status not in _REDIRECTS or not location:
        return None
    with contextlib.suppress(ValueError):
        return url.join(URL(location))
    raise ToolFailed("the site redirects to an invalid address")


def _inflater(encoding: str) -> "zlib._Decompress | None":  # pyright: ignore[reportPrivateUsage]  the name of the type
    match encoding:
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        case "deflate":
            return zlib.decompressobj()
        case _:
            raise ToolFailed(f"the site sends the page in an encoding that was not asked for: {encoding[:20]}")


def _window(start: bytes) -> int:
    # Some servers send the bare format without the header of zlib.
    return zlib.MAX_WBITS if start[0] & 0x0F == _DEFLATED else -zlib.MAX_WBITS


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.InvalidURL):
        return _NO_URL
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "there is no such host"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "the site has no valid certificate"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "the site can't be reached"
    return "the site broke the connection, or does not speak HTTP"
