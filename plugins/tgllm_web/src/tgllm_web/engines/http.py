"""Calls of the services that have an API: their errors in words, and a time limit."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from tgllm.api.errors import ProviderError, ToolFailed
from tgllm.providers.failure import Failure
from tgllm.providers.http import ProviderHttp

__all__ = ["ask", "client"]

_WORDS: Mapping[int, str] = {
    401: "the search service rejected the key; the operator of the bot must check it",
    402: "the account at the search service has no credit left; the operator of the bot must renew it",
    403: "the search service refuses the request; the operator of the bot must check the key",
    404: "the search service has no such address; the operator of the bot must check the setting of its URL",
    422: "the search service rejects the query or the key; try a shorter query without a language",
    429: "the search service has had too many requests; wait a minute before the next search",
}
_DOWN = 500

T = TypeVar("T")


def client(
    base_url: str, *, seconds: float, headers: Mapping[str, str] | None = None, words: Mapping[int, str] | None = None
) -> ProviderHttp:
    """Create a client of a service.

    Args:
        base_url: prefix of the paths.
        seconds: time limit between two pieces of an answer.
        headers: sent with every request; their values are never part of an error.
        words: reasons for statuses that differ from the usual ones.

    Raises:
        ToolFailed: the URL or the key can't be sent.
    """

    def explain(failure: Failure) -> ProviderError:
        usual = f"the search service answered with HTTP status {failure.status}"
        if failure.status >= _DOWN:
            usual = f"the search service is down (HTTP status {failure.status}); try later"
        return ProviderError({**_WORDS, **(words or {})}.get(failure.status, usual))

    try:
        return ProviderHttp(base_url, headers=headers, idle_seconds=seconds, explain=explain)
    except ProviderError as error:
        raise ToolFailed(f"the search can't be used: {error}") from None


async def ask(call: Awaitable[T], seconds: float) -> T:
    """Await a call of a client within a time limit.

    Raises:
        ToolFailed: the service fails, or takes too long.
    """
    try:
        async with asyncio.timeout(seconds):
            return await call
    except TimeoutError:
        raise ToolFailed(f"the search took longer than {seconds:g} seconds; try later") from None
    except ProviderError as error:
        raise ToolFailed(str(error)) from None
