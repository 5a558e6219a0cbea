"""Failed connections to the Bot API server, in words."""

import os
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import certifi
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods.base import TelegramMethod

from tgllm.bot.telegram.answers import UnreadableAnswer
from tgllm.providers.connections.causes import Cause, proxy_refusal
from tgllm.providers.connections.explain import explain_connection, failure_from
from tgllm.providers.connections.failure import ConnectionFailure, Kind

if TYPE_CHECKING:
    from tgllm.providers.proxies import Proxy

__all__ = ["AT_ONCE_SECONDS", "CONNECT_SECONDS", "ConnectionLost", "certificates", "failure_of"]

CONNECT_SECONDS: Final = 15.0
"""Time limit for opening a connection, TLS included."""
SETTING: Final = "telegram_api"
_PROXY_ASKS: Final = 407
_NOT_PASSED_ON: Final = frozenset({502, 503, 504, 521, 522, 523, 525, 526})
"""Statuses with which a gateway says that it has not reached the server, if it says so at once; those above 504 are
Cloudflare's."""
AT_ONCE_SECONDS: Final = 5.0
"""Time within which such a status says so. A gateway that has passed a request on waits longer for the answer."""


class ConnectionLost(TelegramNetworkError):
    """The Bot API server can't be reached, or something else answers in its place; contains no token."""

    def __init__(self, method: TelegramMethod[Any], failure: ConnectionFailure) -> None:
        """Create the error of a call."""
        super().__init__(method=method, message=str(failure))
        self.failure = failure


def certificates() -> ssl.SSLContext:
    """Trust the authorities in ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``, as for providers, and otherwise certifi's."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if file:
            return ssl.create_default_context(cafile=file)
        if folder:
            return ssl.create_default_context(capath=folder)
    except OSError:
        # Telegram's own certificate needs none of them; providers report the variable.
        pass
    return ssl.create_default_context(cafile=certifi.where())


def failure_of(
    error: BaseException,
    url: str,
    *,
    proxy: "Proxy | None" = None,
    seconds: float | None = None,
    took: float | None = None,
) -> ConnectionFailure | None:
    """Return why a request to the Bot API server at ``url`` failed; None for an error that is not of the connection.

    Args:
        error: raised by the request.
        url: address of the server.
        proxy: between the bot and the server.
        seconds: the time limit that applied, for the message.
        took: seconds until an answer that is none of the Bot API; None if not known.
    """
    if isinstance(error, UnreadableAnswer):
        if error.status == _PROXY_ASKS:
            return failure_from(proxy_refusal(error.status), url, proxy=proxy, setting=SETTING)
        return failure_from(Cause(_kind_of(error, took), error.detail, error.advice), url, proxy=proxy, setting=SETTING)
    return explain_connection(error, url, proxy=proxy, seconds=seconds, setting=SETTING)


def _kind_of(error: UnreadableAnswer, took: float | None) -> Kind:
    if HTTPStatus.MULTIPLE_CHOICES <= error.status < HTTPStatus.BAD_REQUEST:
        return "redirect"
    at_once = took is not None and took <= AT_ONCE_SECONDS
    return "gateway" if error.is_page and error.status in _NOT_PASSED_ON and at_once else "unreadable"
