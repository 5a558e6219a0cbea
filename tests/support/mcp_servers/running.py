"""Servers as the bot runs them, for tests of tgllm-mcp, and a context that keeps what the plugin does with it."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tgllm.api import ChatInfo, PluginContext, ToolSpec, ToolUse, UserInfo
from tgllm.plugins.loading.live_tools import LiveTools, PluginTools
from tgllm_mcp.servers import Servers

HERE = Path(__file__).parent
SDK, RAW, OAUTH = HERE / "sdk_server.py", HERE / "raw_server.py", HERE / "oauth_server.py"


@dataclass
class Lines:
    """Keeps what is logged."""

    lines: list[tuple[str, dict[str, object]]] = field(default_factory=list[tuple[str, dict[str, object]]])

    def _keep(self, event: str, **values: object) -> None:
        self.lines.append((event, values))

    debug = info = warning = error = _keep

    @property
    def text(self) -> str:
        return repr(self.lines)


@dataclass
class Store:
    """Keeps values in memory."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])

    async def get(self, key: str) -> Any:
        return self.values.get(key)

    async def set(self, key: str, value: Any) -> None:
        self.values[key] = value

    async def delete(self, key: str) -> None:
        self.values.pop(key, None)


class Changes(PluginTools):
    """Tools of the plugin, and an event at each change."""

    def __init__(self, live: LiveTools) -> None:
        super().__init__("mcp", live)
        self.live = live
        self.event = asyncio.Event()

    def replace(self, tools: Sequence[ToolSpec], group: str = "") -> Sequence[str]:
        left_out = super().replace(tools, group)
        self.event.set()
        return left_out


@dataclass
class Running:
    """The servers of one test."""

    servers: Servers
    ctx: PluginContext
    tools: Changes
    log: Lines
    store: Store

    @property
    def specs(self) -> dict[str, ToolSpec]:
        return {spec.name: spec for spec in self.tools.live.of("mcp")}

    async def until(self, check: Callable[[], object]) -> None:
        """Wait until a check of the tools is true."""
        async with asyncio.timeout(100):
            while not check():
                self.tools.event.clear()
                if not check():
                    await self.tools.event.wait()

    def use(self, name: str, /, ask: Any = None, progress: Any = None, **arguments: Any) -> ToolUse:
        """Return a call of a tool by a person."""
        use = ToolUse(
            id="1",
            tool=name,
            arguments=arguments,
            user=UserInfo(1, "Ann", "user"),
            chat=ChatInfo(1, "private"),
            turn="t",
            context=self.ctx,
        )
        return replace(use, ask=ask, **({"progress": progress} if progress else {}))

    async def call(self, name: str, /, **how: Any) -> Any:
        """Call a tool that is offered now."""
        return await self.specs[name].handler(self.use(name, **how))


def sdk(**settings: Any) -> dict[str, Any]:
    return {"command": sys.executable, "args": [str(SDK)], "prefix": "", "connect_timeout": 120, **settings}


def raw(kind: str, **settings: Any) -> dict[str, Any]:
    return {"command": sys.executable, "args": [str(RAW), kind], "prefix": "", "connect_timeout": 120, **settings}


@dataclass
class Web:
    """A server of the SDK on a port."""

    port: int
    script: Path = SDK
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(self.script),
            str(self.port),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(100):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.05)  # the only sign of a server that is ready
                else:
                    writer.close()
                    return

    async def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            await self.process.wait()
            self.process = None
