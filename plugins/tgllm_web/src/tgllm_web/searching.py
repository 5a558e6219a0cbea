"""Tool that searches the web."""

from collections.abc import Sequence
from typing import cast

from tgllm.api.errors import ToolFailed
from tgllm.api.tools import Source, ToolOutput, ToolUse
from tgllm.api.types import JsonObject
from tgllm_web.engines.results import Engine, Found, Query, TimeRange
from tgllm_web.known import KnownUrls
from tgllm_web.text import clean

__all__ = ["Searcher"]

_MOST = 20


class Searcher:
    """Searches with one service."""

    def __init__(self, engine: Engine, known: KnownUrls, *, count: int) -> None:
        """Create a searcher.

        Args:
            engine: the service.
            known: gets the URLs of the results, so that they can be read.
            count: results if the model does not ask for another number.
        """
        self._engine = engine
        self._known = known
        self._count = count

    async def search(self, use: ToolUse) -> ToolOutput:
        """Return the results of a search.

        Raises:
            ToolFailed: the service fails.
        """
        query = _query(use.arguments, self._count)
        use.progress(query.text[:60])
        found = await self._engine.search(query)
        if not found:
            return ToolOutput("There are no results. Other or fewer words may find more.")
        self._known.add(use.chat, [each.url for each in found])
        return ToolOutput(_shown(found), sources=tuple(Source(each.url, each.title) for each in found))

    async def aclose(self) -> None:
        """Release the connections."""
        await self._engine.aclose()


def _query(arguments: JsonObject, usual: int) -> Query:
    text = " ".join(clean(str(arguments["query"])).split())
    if not text:
        raise ToolFailed("the query is empty")
    count, language, time_range = (arguments.get(name) for name in ("count", "language", "time_range"))
    return Query(
        text,
        min(count, _MOST) if isinstance(count, int) else usual,
        language if isinstance(language, str) else None,
        # The schema has the same values.
        cast("TimeRange", time_range) if isinstance(time_range, str) else None,
    )


def _shown(found: Sequence[Found]) -> str:
    entries: list[str] = []
    for number, each in enumerate(found, 1):
        lines = [f"{number}. {each.title or each.url}", f"   {each.url}"]
        lines += [f"   {line}" for line in (each.date, each.excerpt) if line]
        entries.append("\n".join(lines))
    return "\n\n".join(entries)
