"""Hooks of the web plugin. What searches and reads is imported for the first call of a tool."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tgllm import hookimpl
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.tools import ToolOutput, ToolSpec, ToolUse
from tgllm.api.turn import TurnInfo
from tgllm.api.types import ChatRequest
from tgllm_web.checks import checks, missing
from tgllm_web.offers import READ, READ_DESCRIPTION, READ_SCHEMA, SEARCH, SEARCH_DESCRIPTION, SEARCH_SCHEMA
from tgllm_web.settings import Settings

if TYPE_CHECKING:
    from tgllm_web.known import KnownUrls
    from tgllm_web.reading import Reader
    from tgllm_web.searching import Searcher

__all__ = ["tgllm_before_request", "tgllm_doctor", "tgllm_plugin_info", "tgllm_shutdown", "tgllm_tools"]

_SPARE_SECONDS = 15.0
"""Time for waiting until other pages are read."""


class _Web:
    """Tools of one run of the bot, made when they are called."""

    def __init__(self, ctx: PluginContext) -> None:
        self.ctx = ctx
        self.settings = ctx.settings if isinstance(ctx.settings, Settings) else Settings()
        self._known: KnownUrls | None = None
        self._searcher: Searcher | None = None
        self._reader: Reader | None = None

    @property
    def known(self) -> "KnownUrls":
        if self._known is None:
            from tgllm_web.known import KnownUrls  # noqa: PLC0415  imported when a tool can be called

            self._known = KnownUrls()
        return self._known

    async def search(self, use: ToolUse) -> ToolOutput:
        if self._searcher is None:
            from tgllm_web.searching import Searcher  # noqa: PLC0415  imported when a tool is called
            from tgllm_web.services import make_engine  # noqa: PLC0415  imported when a tool is called

            self._searcher = Searcher(make_engine(self.settings), self.known, count=self.settings.results)
        return await self._searcher.search(use)

    async def read(self, use: ToolUse) -> ToolOutput:
        if self._reader is None:
            from tgllm_web.services import make_reader  # noqa: PLC0415  imported when a tool is called

            self._reader = make_reader(self.ctx, self.settings, self.known)
        return await self._reader.read(use)

    async def aclose(self) -> None:
        if self._searcher is not None:
            await self._searcher.aclose()


_open: dict[int, _Web] = {}
"""By the identity of the context, which the value keeps."""


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the description of the plugin."""
    env = {"brave_api_key": "BRAVE_API_KEY", "tavily_api_key": "TAVILY_API_KEY"}
    texts = Path(__file__).parent / "texts"
    return PluginInfo(id="web", title="Web", api="1.2", settings=Settings, env=env, texts=texts)


@hookimpl
def tgllm_tools(ctx: PluginContext) -> Sequence[ToolSpec]:
    """Return the tools that the settings allow."""
    web = _open[id(ctx)] = _Web(ctx)
    settings = web.settings
    tools: list[ToolSpec] = []
    if settings.search is not None and not missing(settings):
        tools.append(
            ToolSpec(
                SEARCH,
                SEARCH_DESCRIPTION,
                web.search,
                schema=SEARCH_SCHEMA,
                danger="read",
                timeout=settings.search_seconds + _SPARE_SECONDS,
                title="🔎 searching",
                titles={"ru": "🔎 ищу"},
            )
        )
    if settings.pages:
        tools.append(
            ToolSpec(
                READ,
                READ_DESCRIPTION,
                web.read,
                schema=READ_SCHEMA,
                danger="dangerous" if settings.approve else "read",
                timeout=settings.page_seconds + settings.extract_seconds + _SPARE_SECONDS,
                # A page that was requested twice after a crash does no harm.
                repeatable=True,
                title="📄 reading",
                titles={"ru": "📄 читаю"},
            )
        )
    return tools


@hookimpl
def tgllm_before_request(ctx: PluginContext, request: ChatRequest, turn: TurnInfo) -> None:
    """Note the URLs in what people have written, which may be read without a question."""
    web = _open.get(id(ctx))
    if web is not None and any(tool.name == READ for tool in request.tools):
        web.known.add_messages(turn.chat, reversed(request.messages))


@hookimpl
async def tgllm_shutdown(ctx: PluginContext) -> None:
    """Close the connections."""
    if web := _open.pop(id(ctx), None):
        await web.aclose()


@hookimpl
def tgllm_doctor(ctx: PluginContext) -> Sequence[Check]:
    """Check the key or the address of the service that searches."""
    return tuple(checks(ctx.settings if isinstance(ctx.settings, Settings) else Settings()))
