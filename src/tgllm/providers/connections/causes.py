"""What the exceptions of aiohttp, httpx, TLS and sockets say about a failed connection.

Errors of the libraries are recognised by the names of their classes: importing either library takes longer than most
commands, and a caller has imported the one that it uses.
"""

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

from tgllm.providers.connections.failure import Kind

__all__ = ["Cause", "find_cause", "proxy_refusal"]

_MOST_ERRORS: Final = 30
"""Maximum number of errors that are looked at in a chain."""

_CONNECT_TIMEOUTS: Final = frozenset({"ConnectionTimeoutError", "ConnectTimeout", "PoolTimeout"})
_TIMEOUTS: Final = frozenset({"TimeoutError", "TimeoutException"})
_CLOSED: Final = frozenset(
    {"ServerDisconnectedError", "RemoteProtocolError", "ReadError", "WriteError", "ClientOSError"}
)
_PROXY_REFUSES: Final = frozenset({"ClientHttpProxyError", "ProxyError"})
_UNDECODED: Final = frozenset({"ContentEncodingError", "DecodingError"})
_NO_HTTP: Final = frozenset(
    {"BadStatusLine", "BadHttpMessage", "ClientResponseError", "BadHttpMethod", "LineTooLong", "InvalidHeader"}
)
_NO_PLAIN_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"}
)
"""Reasons of OpenSSL for bytes that are not TLS."""
_UNREACHABLE: Final = {
    errno.ENETUNREACH: "there is no network, or no route to it",
    errno.EHOSTUNREACH: "there is no route to it",
    errno.ENETDOWN: "the network is down",
    errno.EHOSTDOWN: "the machine is down",
    errno.EADDRNOTAVAIL: "this machine has no address for it",
    errno.EAFNOSUPPORT: "this machine has no IPv6",
    errno.EACCES: "a firewall of this machine forbids it",
    errno.EPERM: "a firewall of this machine forbids it",
    errno.EMFILE: "this process has too many open files",
    errno.ENFILE: "this machine has too many open files",
}
_LOST: Final = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ENOTCONN})
_EXPIRED, _NOT_YET_VALID = 10, 9
_SELF_SIGNED: Final = frozenset({18, 19})
_UNKNOWN_ISSUER: Final = frozenset({2, 20, 21})
_WRONG_NAME: Final = frozenset({62, 64})
"""OpenSSL, X509_V_ERR: codes of certificate errors."""
_CLOCK = "check the clock of this machine first"
_AUTHORITY = (
    "if that is expected, as with a company's proxy, name the file of its certificate authority in SSL_CERT_FILE"
)
_NUMBER = re.compile(r"\[Errno (\d{1,4})\]")
_STATUS = re.compile(r"\b([1-5]\d\d)\b")
_WORDS = re.compile(r"[^A-Za-z0-9 .,:'()_-]+")


@dataclass(frozen=True, slots=True)
class Cause:
    """Kind, detail and advice of a failed connection, without its target."""

    kind: Kind
    detail: str
    advice: str = ""
    """``{setting}`` is where the name of the setting with the address belongs."""


def find_cause(error: BaseException, seconds: float | None = None) -> Cause | None:
    """Return the cause of a failed connection, or None for any other error.

    Args:
        error: raised by aiohttp, httpx, or a library that uses one of them.
        seconds: the time limit that applied, for the message.
    """
    errors = list(_chain(error))
    names = {kind.__name__ for found in errors for kind in type(found).__mro__}
    for look in (_refused_by_proxy, _dns, _tls, _by_number):
        for found in errors:
            if cause := look(found):
                return cause
    return _by_name(names, seconds)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it is about, outermost first."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST_ERRORS:
        found = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [item for item in _inner(found) if isinstance(item, BaseException)]


def _inner(error: BaseException) -> Iterator[object]:
    yield error.__cause__
    yield getattr(error, "os_error", None)
    yield getattr(error, "certificate_error", None)
    # httpcore has the error of the socket as an argument only.
    yield from cast("tuple[object, ...]", error.args)
    if not error.__suppress_context__:
        yield error.__context__
    if isinstance(error, BaseExceptionGroup):
        yield from cast("BaseExceptionGroup[BaseException]", error).exceptions


def _refused_by_proxy(error: BaseException) -> Cause | None:
    if type(error).__name__ not in _PROXY_REFUSES:
        return None
    status: object = getattr(error, "status", None)
    if not isinstance(status, int):
        found = _STATUS.search(str(error))
        status = int(found[1]) if found else 0
    return proxy_refusal(status)


def proxy_refusal(status: int) -> Cause:
    """Return the cause for a status with which a proxy refuses a request; 0 if it is not known."""
    answered = f"the proxy answers {status}" if status else "the proxy refuses the connection"
    match status:
        case 407:
            advice = "write both into {setting}, as http://user:password@host:port"
            return Cause("proxy", f"{answered} (it asks for a user name and password)", advice)
        case 403 | 405:
            advice = "allow the server in the proxy, or except it in NO_PROXY"
            return Cause("proxy", f"{answered} (it forbids this address)", advice)
        case 502 | 503 | 504:
            return Cause("proxy", f"{answered} (it can't reach the server)", "check the connection of the proxy")
        case _:
            return Cause("proxy", answered, "check {setting}")


def _dns(error: BaseException) -> Cause | None:
    if not isinstance(error, socket.gaierror | socket.herror) and type(error).__name__ != "ClientConnectorDNSError":
        return None
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
        return Cause("dns", "its name can't be looked up now (DNS gives no answer)", "check the network and its DNS")
    return Cause("dns", "there is no such name (DNS)", "check its spelling in {setting}, and the DNS of this network")


def _tls(error: BaseException) -> Cause | None:
    # Errors of aiohttp are also errors of ssl, but without the attributes.
    code: object = getattr(error, "verify_code", None)
    if isinstance(error, ssl.SSLCertVerificationError) and isinstance(code, int):
        return _certificate(code, _plain(error.verify_message))
    reason: object = getattr(error, "reason", None) if isinstance(error, ssl.SSLError) else None
    if not isinstance(reason, str):
        return None
    if reason in _NO_PLAIN_TLS:
        return Cause("tls", "the server does not speak TLS", "write http:// in place of https:// in {setting}")
    if "EOF" in reason:
        return Cause("tls", "the server ended the TLS handshake", "check whether {setting} has a port for TLS")
    return Cause("tls", f"no TLS connection ({_plain(reason.replace('_', ' ').lower())})", "check the server's TLS")


def _certificate(code: int, message: str) -> Cause:
    if code == _EXPIRED:
        return Cause("tls", "the server's certificate has expired", f"{_CLOCK}; the server's owner has to renew it")
    if code == _NOT_YET_VALID:
        return Cause("tls", "the server's certificate is not valid yet", _CLOCK)
    if code in _SELF_SIGNED:
        return Cause("tls", "the server's certificate is self-signed", _AUTHORITY)
    if code in _UNKNOWN_ISSUER:
        return Cause("tls", "the server's certificate is from an unknown authority", _AUTHORITY)
    if code in _WRONG_NAME:
        name = "check {setting}; a sign-in page of the network, or a proxy, may answer in place of the server"
        return Cause("tls", "the server's certificate is for another name", name)
    return Cause("tls", f"the server's certificate is not accepted ({message})", _AUTHORITY)


def _by_number(error: BaseException) -> Cause | None:
    """Return the cause by the number of an ``OSError``, or by those in the message of one for several addresses."""
    if not isinstance(error, OSError):
        return None
    numbers = [error.errno] if error.errno else [int(text) for text in _NUMBER.findall(str(error))]
    if errno.ECONNREFUSED in numbers:
        advice = "start the server, or correct host and port in {setting}"
        return Cause("refused", "the connection is refused (nothing listens there)", advice)
    if errno.ETIMEDOUT in numbers:
        return Cause("connect_timeout", "no connection (it timed out)", "check the network, and firewalls on the way")
    for number in numbers:
        if number in _UNREACHABLE:
            return Cause("unreachable", _UNREACHABLE[number], "check the network")
        if number in _LOST:
            return Cause("closed", "the connection was closed before an answer came", "check what is between")
    return None


def _by_name(names: set[str], seconds: float | None) -> Cause | None:
    limit = "" if seconds is None else f" within {seconds:g} s"
    if names & _CONNECT_TIMEOUTS:
        return Cause("connect_timeout", f"no connection{limit}", "check the network, and firewalls on the way")
    if names & _TIMEOUTS:
        return Cause("timeout", f"no answer{limit}", "check the network, and whether the server is overloaded")
    if cause := _spoiled(names):
        return cause
    if names & _CLOSED:
        advice = "check the network, and {setting}: a port for TLS needs https://"
        return Cause("closed", "the connection was closed before an answer came", advice)
    if names & {"InvalidURL", "NonHttpUrlClientError", "UnsupportedProtocol"}:
        return Cause("unreadable", "the address is not one of HTTP", "write {setting} like https://host:port")
    if names & {"ClientConnectionError", "ConnectError", "NetworkError", "ClientError", "HTTPError"}:
        return Cause("unreachable", "no connection", "check the network")
    return None


def _spoiled(names: set[str]) -> Cause | None:
    """Return the cause for an answer of which something came."""
    if names & _UNDECODED:
        advice = "a proxy or a gateway may have changed it; check {setting}"
        return Cause("unreadable", "the answer can't be decompressed", advice)
    if "ClientPayloadError" in names:
        return Cause("closed", "the connection was closed in the middle of the answer", "check what is between")
    if names & _NO_HTTP:
        return Cause("unreadable", "the answer is not HTTP", "check {setting}; a port for TLS needs https://")
    return None


def _plain(text: str) -> str:
    return " ".join(_WORDS.sub(" ", text).split())[:100]
