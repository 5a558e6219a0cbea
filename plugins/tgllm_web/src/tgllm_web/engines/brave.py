"""Brave Search."""

from collections.abc import Mapping, Sequence

from tgllm.providers.json_values import as_list, as_object
from tgllm_web.engines.http import ask, client
from tgllm_web.engines.results import Fields, Found, Query, TimeRange, found_in

__all__ = ["Brave"]

_FRESHNESS: Mapping[TimeRange, str] = {"day": "pd", "week": "pw", "month": "pm", "year": "py"}
_LANGUAGES: Mapping[str, str] = {"ja": "jp", "zh": "zh-hans", "pt": "pt-br"}
"""Codes of the service that differ from the usual ones."""
_WORDS: Mapping[int, str] = {
    429: "Brave Search has had too many requests, or the month's are used up; wait a few seconds before the next search"
}
_FIELDS = Fields("url", "title", "description", "age")
_MOST_WORDS, _MOST_CHARACTERS = 50, 400


class Brave:
    """Searches with Brave Search."""

    def __init__(self, base_url: str, key: str, *, seconds: float) -> None:
        """Create a client; nothing is sent yet."""
        self._http = client(base_url, seconds=seconds, headers={"X-Subscription-Token": key}, words=_WORDS)
        self._seconds = seconds

    async def search(self, query: Query) -> Sequence[Found]:
        text = " ".join(query.text.split()[:_MOST_WORDS])[:_MOST_CHARACTERS]
        params = {"q": text, "count": str(query.count)}
        if query.language:
            params["search_lang"] = _LANGUAGES.get(query.language, query.language)
        if query.time_range:
            params["freshness"] = _FRESHNESS[query.time_range]
        answer = as_object(await ask(self._http.get_json("web/search", params), self._seconds))
        return found_in(as_list(as_object(answer.get("web")).get("results")), _FIELDS, query.count)

    async def aclose(self) -> None:
        await self._http.aclose()
