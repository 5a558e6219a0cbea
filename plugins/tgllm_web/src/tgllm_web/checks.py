"""What ``tgllm doctor`` says about the plugin."""

from collections.abc import Iterator
from importlib.util import find_spec

from tgllm.api.context import Check
from tgllm_web.settings import Settings

__all__ = ["checks", "missing"]

_NAME = "Web search"


def checks(settings: Settings) -> Iterator[Check]:
    """Yield the checks of the search and of the pages."""
    if settings.search is None:
        detail = (
            'set search to "searxng", "brave", "tavily" or "duckduckgo" in [plugins.web], so that models can search'
        )
        yield Check(_NAME, "not configured", detail)
    elif reason := missing(settings):
        yield Check(_NAME, "failed", reason)
    else:
        yield Check(_NAME, "ok", settings.search)
    if settings.pages and find_spec("trafilatura") is None:
        yield Check("Web pages", "failed", "pip install trafilatura lxml_html_clean to read pages")


def missing(settings: Settings) -> str:
    """Return what the service of the settings lacks; empty if it lacks nothing, or if there is none."""
    match settings.search:
        case "searxng" if not settings.searxng_url:
            return "set searxng_url in [plugins.web] to the address of SearXNG"
        case "brave" if not settings.brave_api_key:
            return "set BRAVE_API_KEY to a key of Brave Search"
        case "tavily" if not settings.tavily_api_key:
            return "set TAVILY_API_KEY to a key of Tavily"
        case "duckduckgo" if find_spec("ddgs") is None:
            return 'pip install "tgllm-web[duckduckgo]" to search with DuckDuckGo'
        case _:
            return ""
