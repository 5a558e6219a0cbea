"""DuckDuckGo, by the package ddgs, which reads the pages that people see."""

import asyncio
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tgllm.api.errors import ToolFailed
from tgllm.providers.network import check_request
from tgllm_web.engines.results import Fields, Found, Query, TimeRange, found_in

if TYPE_CHECKING:
    from tgllm.api.types import Json

__all__ = ["DuckDuckGo"]

_LIMITS: Mapping[TimeRange, str] = {"day": "d", "week": "w", "month": "m", "year": "y"}
_REGIONS: Mapping[str, str] = {"en": "us-en", "ja": "jp-jp", "uk": "ua-uk", "zh": "cn-zh", "ko": "kr-kr", "cs": "cz-cs"}
"""Regions of languages that are not named like their country."""
_FIELDS = Fields("href", "title", "body")
_AT_ONCE = 2
_NO_RESULTS = "no results"


class DuckDuckGo:
    """Searches in threads, which can't be stopped: a search that takes too long is left to its own time limit."""

    def __init__(self, *, seconds: float) -> None:
        """Create a client; nothing is sent yet."""
        self._seconds = seconds
        self._running: set[asyncio.Task[Sequence[Found]]] = set()

    async def search(self, query: Query) -> Sequence[Found]:
        check_request("duckduckgo.com")
        if len(self._running) >= _AT_ONCE:
            raise ToolFailed("other searches are running; wait a few seconds before the next one")
        task = asyncio.create_task(asyncio.to_thread(self._search, query), name="duckduckgo search")
        self._running.add(task)
        task.add_done_callback(self._done)
        done, _ = await asyncio.wait({task}, timeout=self._seconds)
        if not done:
            raise ToolFailed(f"the search took longer than {self._seconds:g} seconds; try later")
        return task.result()

    async def aclose(self) -> None:
        if self._running:
            await asyncio.wait(set(self._running), timeout=self._seconds)

    def _done(self, task: "asyncio.Task[Sequence[Found]]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Of a search that has taken too long, no one reads the exception.
            task.exception()

    def _search(self, query: Query) -> Sequence[Found]:
        # Imported by name and on first use, since it is an extra.
        try:
            library: Any = import_module("ddgs")
            errors: Any = import_module("ddgs.exceptions")
        except Exception as error:
            raise ToolFailed(
                "the package ddgs can't be imported; the operator of the bot must install tgllm-web[duckduckgo]"
            ) from error
        code = query.language
        options: dict[str, object] = {"region": _REGIONS.get(code, f"{code}-{code}")} if code else {}
        if query.time_range:
            options["timelimit"] = _LIMITS[query.time_range]
        try:
            results: Sequence[Json] = library.DDGS(timeout=max(1, int(self._seconds))).text(
                query.text, max_results=query.count, backend="duckduckgo", **options
            )
        except errors.RatelimitException:
            raise ToolFailed("DuckDuckGo has had too many requests; wait some minutes before the next search") from None
        except errors.TimeoutException:
            raise ToolFailed("DuckDuckGo did not answer in time; try later") from None
        except errors.DDGSException as error:
            if _NO_RESULTS in str(error).lower():
                return ()
            raise ToolFailed("DuckDuckGo can't be searched now; try later") from None
        return found_in(results, _FIELDS, query.count)
