"""Owner of the connection to one server: one task opens it, keeps it, closes it, and opens it anew."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from tgllm.api.context import PluginContext
from tgllm.api.errors import ToolFailed
from tgllm.api.tools import ToolHandler, ToolOutput, ToolUse
from tgllm_mcp.listing import Listed, listed_tools
from tgllm_mcp.settings import Server, filled
from tgllm_mcp.signing import SIGN_IN_SECONDS, NeedsSignIn, SignIn
from tgllm_mcp.words import Secrets, explain, leaves

if TYPE_CHECKING:
    from types import ModuleType

    from mcp import Client
    from mcp_types import Tool

    from tgllm_mcp import session

    Load = Callable[[], Awaitable[ModuleType]]

__all__ = ["Owner", "State"]

State = Literal["connecting", "ready", "waiting", "closed"]
# connecting  From the start of an attempt until the tools are listed. It ends by itself, after connect_timeout.
# ready       Its tools are the host's, and calls may run. Only in this state the host has any: a model is not offered
#             what can't be called.
# waiting     The attempt has failed or the connection has ended; the next attempt comes after a pause that doubles, so
#             that a server that dies at once costs nothing. A call that ran fails with an unknown outcome. If an
#             admin has to sign in, there is no next attempt before /mcp login: it would fail in the same way.
# closed      At shutdown, for good. Nothing of this is stored, so a crash of the bot costs nothing either: programs see
#             the end of their input and end, and the next start connects again.

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_STEADY = 60.0
"""Seconds for which a connection has to last for the next pause to be the first one again."""
_SETTLE = 1.0
"""Seconds after a change of the list of tools, in which further changes count as the same."""
_CLOSE_SECONDS = 7.0
"""Seconds for the end of a connection, less than the host gives a plugin at shutdown."""
_LEGACY = "legacy"


class Ended(Exception):
    """The connection has ended."""


class Owner:
    """Owner of one server's connection."""

    def __init__(self, name: str, server: Server, ctx: PluginContext, load: "Load") -> None:
        """Create the owner; ``start`` connects.

        Args:
            name: name of the server in the settings.
            server: its settings.
            ctx: context of the plugin.
            load: imports ``tgllm_mcp.session``, which is slow.
        """
        self.name = name
        self.server = server
        self.state: State = "connecting"
        self.reason = "it is not connected yet"
        """Why it is not ready, as the end of a sentence that begins with the server's name."""
        self.failure = ""
        """Why the last attempt has failed."""
        self.needs_sign_in = False
        """Whether the last attempt has failed for want of a sign-in, so that the next one waits for it."""
        self.last_words = ""
        """The last line that its program has written to standard error, without secrets."""
        self.listed: Listed | None = None
        self.tried = asyncio.Event()
        """Set once the first attempt has succeeded or failed."""
        self.sign_in = SignIn()
        """Signing in of an admin, if the server wants it."""
        self._ctx = ctx
        self._load = load
        self._secrets = Secrets(())
        self._client: Client | None = None
        self._module: ModuleType | None = None
        self._questions: session.Questions | None = None
        self._status: int | None = None
        self._seen: tuple[str, ...] | None = None
        self._is_legacy: bool | None = None
        """Whether the old era is needed; None: not read from the store yet."""
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._changed = asyncio.Event()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect, in a task that lasts until ``aclose``."""
        self._task = asyncio.create_task(self._run(), name=f"mcp {self.name}")

    async def aclose(self) -> None:
        """End the connection, and the program."""
        self._stop.set()
        if self._task is None:
            return
        # Only its own task may close the connection, so that is asked to; then it is cancelled, which closes it too.
        await asyncio.wait({self._task}, timeout=_CLOSE_SECONDS)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=2.0)

    async def wait(self, seconds: float) -> None:
        """Wait until an attempt has succeeded or failed, since ``tried`` was cleared last."""
        await _first(self.tried, timer=self._ctx.clock.sleep(seconds))

    def retry(self) -> None:
        """Connect now, instead of after the pause; a connection that there is ends."""
        self._end("it is connected again")
        self._wake.set()

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            began = self._ctx.clock.monotonic()
            self.state = "connecting"
            self._wake.clear()
            try:
                await self._connect()
            except Exception as error:  # noqa: BLE001  a server may do anything; it costs its own tools alone
                self._failed(error)
            finally:
                self._client = None
                self._ctx.tools.replace((), group=self.name)
                self._seen = None
            if self._ctx.clock.monotonic() - began > _STEADY:
                pause = _FIRST_PAUSE
            self.tried.set()
            if self.needs_sign_in:
                await self._until_woken()
                continue
            # All servers of a machine that was restarted would otherwise be asked in the same moment.
            await self._pause(pause * random.uniform(0.75, 1.25))  # noqa: S311  no secret
            pause = min(pause * 2, _LONGEST_PAUSE)
        self.state, self.reason = "closed", "the bot is shutting down"

    async def _connect(self) -> None:
        """Connect, and stay connected until the end."""
        self._status, self.last_words = None, ""
        self._ended.clear()
        self._changed.clear()
        server = self.server
        env, headers = filled(server.env, os.environ), filled(server.headers, os.environ)
        self._secrets = Secrets((*env.values(), *headers.values()), server.url)
        module = self._module = await self._load()
        self._questions = module.Questions()
        link = module.Link(
            server=server,
            env=env,
            headers=headers,
            mode=await self._mode(),
            clock=self._ctx.clock,
            questions=self._questions,
            said=self._said,
            ended=self._end,
            changed=self._changed.set,
            on_status=self._on_status,
            auth=self._auth(module) if server.oauth else None,
        )
        async with asyncio.timeout(self._patience()) as limit, module.connected(link) as client:
            self._publish(await module.every_tool(client))
            limit.reschedule(None)
            self._client, self._status = client, None
            self.needs_sign_in = False
            self.state, self.reason = "ready", ""
            self.tried.set()
            async with asyncio.TaskGroup() as tasks:
                listener = tasks.create_task(_quietly(module.listen(client, link)))
                await self._serve(module, client)
                listener.cancel()
            self._client = None
        if not self._stop.is_set():
            raise Ended(self.reason)

    def _auth(self, module: "ModuleType") -> object:
        server = self.server
        return module.oauth(self.name, server.url or "", server.oauth_redirect, self._ctx.store, self.sign_in)

    def _patience(self) -> float:
        """Return the seconds for a connection; a person who signs in may take longer than a server."""
        return self.server.connect_timeout + (SIGN_IN_SECONDS if self.sign_in.is_running else 0.0)

    async def _serve(self, module: "ModuleType", client: "Client") -> None:
        """Wait for the end, and list the tools again when they change."""
        while True:
            await _first(self._stop, self._ended, self._changed)
            if self._stop.is_set() or self._ended.is_set():
                return
            # A server may tell of a thousand changes a second: the list is asked for once a second at most.
            await self._ctx.clock.sleep(_SETTLE)
            self._changed.clear()
            async with asyncio.timeout(self.server.connect_timeout):
                self._publish(await module.every_tool(client))

    def _publish(self, tools: "tuple[Tool, ...]") -> None:
        seen = tuple(tool.model_dump_json(exclude_none=True) for tool in tools)
        if seen == self._seen:
            return
        listed = listed_tools(self.name, self.server, tools, self._handler)
        left_out = (*listed.left_out, *self._ctx.tools.replace(listed.specs, group=self.name))
        if self._seen is None:
            self._ctx.log.info("mcp.ready", server=self.name, tools=len(listed.specs), left_out=len(left_out))
        else:
            self._ctx.log.info("mcp.tools_changed", server=self.name, tools=len(listed.specs), left_out=len(left_out))
        for reason in left_out[:20]:
            self._ctx.log.warning("mcp.tool_left_out", server=self.name, reason=self._secrets.hide(reason))
        self._seen = seen
        self.listed = Listed(listed.specs, listed.names, left_out)

    def _handler(self, tool: str) -> ToolHandler:
        async def handle(use: ToolUse) -> ToolOutput:
            client, module, questions = self._client, self._module, self._questions
            if client is None or module is None or questions is None:
                raise ToolFailed(f"The server {self.name} can't be reached now; the call was not made.")
            try:
                return await module.call(client, questions, tool, use, self._end)
            except module.NeedsOldEra:
                await self._use_old_era()
                raise

        return handle

    async def _use_old_era(self) -> None:
        """Connect again in the old way, also after the next start."""
        self._is_legacy = True
        await self._ctx.store.set(f"{_LEGACY}.{self.name}", True)
        self.retry()

    async def _mode(self) -> "session.Mode":
        if self._is_legacy is None:
            self._is_legacy = await self._ctx.store.get(f"{_LEGACY}.{self.name}") is True
        return "legacy" if self._is_legacy else "auto"

    def _failed(self, error: Exception) -> None:
        self.state = "waiting"
        self.needs_sign_in = any(isinstance(leaf, NeedsSignIn) for leaf in leaves(error))
        reason = explain(self.name, error, self.server, self._status)
        # What the program or the transport has said last is nearer to the cause than what the SDK makes of it.
        if self._ended.is_set() and self.reason:
            reason = self.reason
        self.reason = self.failure = self._secrets.hide(reason)
        self._ctx.log.warning("mcp.failed", server=self.name, reason=self.reason, said=self.last_words)

    def _end(self, reason: str) -> None:
        if not self._ended.is_set():
            self.reason = reason
            self._ended.set()

    def _said(self, line: str) -> None:
        if line.strip():
            self.last_words = self._secrets.hide(line.strip())[:300]
            self._ctx.log.debug("mcp.said", server=self.name, line=self.last_words)

    def _on_status(self, status: int) -> None:
        self._status = status

    async def _until_woken(self) -> None:
        await _first(self._stop, self._wake)

    async def _pause(self, seconds: float) -> None:
        await _first(self._stop, self._wake, timer=self._ctx.clock.sleep(seconds))


async def _first(*events: asyncio.Event, timer: "Awaitable[None] | None" = None) -> None:
    """Wait until one of the events is set, or the timer ends."""
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    if timer is not None:
        tasks.append(asyncio.ensure_future(_true(timer)))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _true(timer: Awaitable[None]) -> Literal[True]:
    await timer
    return True


async def _quietly(listening: Awaitable[None]) -> None:
    """Listen for changes; errors are ignored, since the transport reports the end of a connection."""
    with suppress(Exception):
        await listening
