"""Tavily, a search service for models."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tgllm.providers.json_values import as_list, as_object
from tgllm_web.engines.http import ask, client
from tgllm_web.engines.results import Fields, Found, Query, found_in

if TYPE_CHECKING:
    from tgllm.api.types import Json

__all__ = ["Tavily"]

_WORDS: Mapping[int, str] = {
    432: "the credits of the plan at Tavily are used up; the operator of the bot must renew them",
    433: "the limit of pay-as-you-go at Tavily is reached; the operator of the bot must raise it",
}
_FIELDS = Fields("url", "title", "content", "published_date")
_MOST_CHARACTERS = 400


class Tavily:
    """Searches with Tavily."""

    def __init__(self, base_url: str, key: str, *, seconds: float) -> None:
        """Create a client; nothing is sent yet."""
        self._http = client(base_url, seconds=seconds, headers={"Authorization": f"Bearer {key}"}, words=_WORDS)
        self._seconds = seconds

    async def search(self, query: Query) -> Sequence[Found]:
        body: dict[str, Json] = {
            "query": query.text[:_MOST_CHARACTERS],
            "max_results": query.count,
            "search_depth": "basic",
            "include_raw_content": False,
        }
        if query.time_range:
            body["time_range"] = query.time_range
        answer = as_object(await ask(self._http.post_json("search", body), self._seconds))
        return found_in(as_list(answer.get("results")), _FIELDS, query.count)

    async def aclose(self) -> None:
        await self._http.aclose()
