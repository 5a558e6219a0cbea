"""Makes the plugin's parts from its settings, when a tool is called for the first time."""

from tgllm.api.context import PluginContext
from tgllm.api.errors import ToolFailed
from tgllm.providers.connections.late_certificates import aiohttp
from tgllm_web.allowed import Allowed
from tgllm_web.engines.results import Engine
from tgllm_web.extracting import Extractor
from tgllm_web.fetching import Fetcher
from tgllm_web.known import KnownUrls
from tgllm_web.reading import Reader
from tgllm_web.settings import Settings

__all__ = ["make_engine", "make_reader"]


def make_engine(settings: Settings) -> Engine:
    """Return the service of the settings.

    Raises:
        ToolFailed: it is not configured, or its key or URL can't be sent.
    """
    # Each is imported when it is used: a bot has one of them.
    seconds = settings.search_seconds
    if settings.search == "searxng" and settings.searxng_url:
        from tgllm_web.engines.searxng import Searxng  # noqa: PLC0415  imported when it is used

        return Searxng(settings.searxng_url, seconds=seconds)
    if settings.search == "brave" and settings.brave_api_key:
        from tgllm_web.engines.brave import Brave  # noqa: PLC0415  imported when it is used

        return Brave(settings.brave_url, settings.brave_api_key.get_secret_value(), seconds=seconds)
    if settings.search == "tavily" and settings.tavily_api_key:
        from tgllm_web.engines.tavily import Tavily  # noqa: PLC0415  imported when it is used

        return Tavily(settings.tavily_url, settings.tavily_api_key.get_secret_value(), seconds=seconds)
    if settings.search == "duckduckgo":
        from tgllm_web.engines.duckduckgo import DuckDuckGo  # noqa: PLC0415  imported when it is used

        return DuckDuckGo(seconds=seconds)
    raise ToolFailed("the search is not configured")


def make_reader(
    ctx: PluginContext, settings: Settings, known: KnownUrls, resolver: aiohttp.ThreadedResolver | None = None
) -> Reader:
    """Return what reads pages.

    Args:
        ctx: context of the plugin.
        settings: its settings.
        known: the URLs that are opened without a question.
        resolver: resolves host names; None: as the system does.
    """
    allowed = Allowed.of(settings.allow)
    return Reader(
        allowed=allowed,
        fetcher=Fetcher(allowed, seconds=settings.page_seconds, most_bytes=settings.page_bytes, resolver=resolver),
        extractor=Extractor(seconds=settings.extract_seconds, megabytes=settings.extract_mb),
        known=known,
        part_characters=settings.part_characters,
        # The card of an approval has shown the URL already.
        unknown_urls="open" if settings.approve else settings.unknown_urls,
        clock=ctx.clock,
        texts=ctx.texts,
    )
