"""SearXNG, a search service that the operator runs."""

from collections.abc import Mapping, Sequence

from tgllm.providers.json_values import as_list, as_object
from tgllm_web.engines.http import ask, client
from tgllm_web.engines.results import Fields, Found, Query, found_in

__all__ = ["Searxng"]

_WORDS: Mapping[int, str] = {
    403: "SearXNG does not answer in JSON; its operator must add json to search.formats in its settings.yml",
    429: "SearXNG has had too many requests; its operator may add the bot's address to its limiter",
}
_FIELDS = Fields("url", "title", "content", "publishedDate")


class Searxng:
    """Searches with an instance of SearXNG."""

    def __init__(self, base_url: str, *, seconds: float) -> None:
        """Create a client; nothing is sent yet."""
        self._http = client(base_url, seconds=seconds, words=_WORDS)
        self._seconds = seconds

    async def search(self, query: Query) -> Sequence[Found]:
        params = {"q": query.text, "format": "json"}
        if query.language:
            params["language"] = query.language
        if query.time_range:
            params["time_range"] = query.time_range
        answer = as_object(await ask(self._http.get_json("search", params), self._seconds))
        return found_in(as_list(answer.get("results")), _FIELDS, query.count)

    async def aclose(self) -> None:
        await self._http.aclose()
