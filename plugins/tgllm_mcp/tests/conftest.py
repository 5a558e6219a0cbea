"""Servers as the bot runs them."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from mcp_servers.running import Changes, Lines, Running, Store, Web
from tgllm.api import PluginContext, SystemClock
from tgllm.plugins.loading.live_tools import LiveTools
from tgllm_mcp.servers import Servers
from tgllm_mcp.settings import Settings

Start = Callable[..., Any]


def said(key: str, language: str = "en", **params: object) -> str:
    """Return a text as its key and values."""
    return " ".join([language, key, *map(str, params.values())])


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start servers; they are ended again."""
    async with AsyncExitStack() as stack:

        async def begin(store: Store | None = None, **servers: Any) -> Running:
            log, tools, store = Lines(), Changes(LiveTools()), store or Store()
            ctx: PluginContext = PluginContext(
                plugin_id="mcp",
                settings=Settings.model_validate({"servers": servers}),
                log=log,
                data_dir=tmp_path,
                store=store,  # type: ignore[arg-type]  the part that is used
                clock=SystemClock(),
                texts=said,
                tools=tools,
            )
            running = Running(Servers(ctx), ctx, tools, log, store)
            stack.push_async_callback(running.servers.aclose)
            await running.servers.start()
            await running.servers.wait(150)  # on a busy machine
            return running

        yield begin


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Web(port)
    yield server
    await server.kill()
