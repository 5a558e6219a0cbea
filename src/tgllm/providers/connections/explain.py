"""Classifies the error of a connection: the one place for the Bot API, for services and for downloads."""

from typing import TYPE_CHECKING

from tgllm.providers.connections.causes import Cause, find_cause
from tgllm.providers.connections.failure import ConnectionFailure, Kind, target_of

if TYPE_CHECKING:
    from tgllm.providers.proxies import Proxy

__all__ = ["explain_connection", "failure_from"]

_ABOUT_PROXY: frozenset[Kind] = frozenset({"dns", "refused", "unreachable", "connect_timeout"})
"""Before a tunnel is open, these are about the connection to the proxy itself."""


def explain_connection(
    error: BaseException, url: str, *, proxy: "Proxy | None" = None, seconds: float | None = None, setting: str = ""
) -> ConnectionFailure | None:
    """Return why a server did not answer, or None for an error that is not of a connection.

    Args:
        error: the error of aiohttp, httpx, or a library that uses one of them.
        url: the address of the request; only its host and port are shown.
        proxy: the proxy of the request.
        seconds: the time limit that applied.
        setting: name of the setting with the address, for the advice.
    """
    cause = find_cause(error, seconds)
    return None if cause is None else failure_from(cause, url, proxy=proxy, setting=setting)


def failure_from(cause: Cause, url: str, *, proxy: "Proxy | None" = None, setting: str = "") -> ConnectionFailure:
    """Return the failure of a connection to ``url`` with a known cause; see ``explain_connection``."""
    target, through = target_of(url), "" if proxy is None else str(proxy)
    if proxy is not None and cause.kind in _ABOUT_PROXY:
        detail = f"the proxy can't be reached: {cause.detail}"
        return ConnectionFailure(target, "proxy", detail, _advice(cause, proxy.source), through)
    place = proxy.source if proxy is not None and cause.kind == "proxy" else setting
    return ConnectionFailure(target, cause.kind, cause.detail, _advice(cause, place), through)


def _advice(cause: Cause, setting: str) -> str:
    return cause.advice.replace("{setting}", setting or "the address")
