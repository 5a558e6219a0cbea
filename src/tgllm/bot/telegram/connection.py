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
from tgllm.providers.connections.failure import ConnectionFailure

if TYPE_CHECKING:
    from tgllm.providers.proxies import Proxy

__all__ = ["CONNECT_SECONDS", "ConnectionLost", "certificates", "failure_of"]

CONNECT_SECONDS: Final = 15.0
"""Time limit for opening a connection, TLS included."""
SETTING: Final = "telegram_api"
_PROXY_ASKS: Final = 407


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
    error: BaseException, url: str, *, proxy: "Proxy | None" = None, seconds: float | None = None
) -> ConnectionFailure | None:
    """Return why a request to the Bot API server at ``url`` failed; None for an error that is not of the connection."""
    if isinstance(error, UnreadableAnswer):
        if error.status == _PROXY_ASKS:
            return failure_from(proxy_refusal(error.status), url, proxy=proxy, setting=SETTING)
        is_redirect = HTTPStatus.MULTIPLE_CHOICES <= error.status < HTTPStatus.BAD_REQUEST
        cause = Cause("redirect" if is_redirect else "unreadable", error.detail, error.advice)
        return failure_from(cause, url, proxy=proxy, setting=SETTING)
    return explain_connection(error, url, proxy=proxy, seconds=seconds, setting=SETTING)
