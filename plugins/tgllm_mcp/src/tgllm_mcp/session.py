"""Connections to servers by the SDK, which takes a second to import: loaded in a thread, if there is a server."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Literal

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client import IncomingMessage, InputRequiredRoundsExceededError
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
from mcp_types import Implementation, Tool, ToolListChangedNotification
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from tgllm.api.clock import Clock
from tgllm.api.errors import ToolFailed
from tgllm.api.tools import ToolOutput, ToolUse
from tgllm_mcp.asking import Questions
from tgllm_mcp.naming import clean_text
from tgllm_mcp.oauth import oauth
from tgllm_mcp.results import output_of
from tgllm_mcp.settings import Server
from tgllm_mcp.stdio import Program, program_transport
from tgllm_mcp.web import HttpSettings, http_client

if TYPE_CHECKING:
    from mcp.client import Transport

__all__ = ["Link", "Mode", "NeedsOldEra", "Questions", "call", "connected", "every_tool", "listen", "oauth"]

Mode = Literal["auto", "legacy"]

_MOST_PAGES = 50
_MOST_TOOLS = 500
_MOST_STEPS = 1_000_000_000
_TIMED_OUT: Final = -32001
_CLOSED: Final = -32000
_NO_CHANNEL: Final = "no back-channel"

# The SDK logs every odd message of a server with a traceback, and addresses, which may have keys in them. The owner
# of the connection logs what matters.
for _name, _level in (("mcp", logging.CRITICAL), ("httpx2", logging.WARNING), ("httpcore2", logging.WARNING)):
    logging.getLogger(_name).setLevel(_level)


class NeedsOldEra(ToolFailed):
    """The server asks its questions in the way of the protocol before 2026, for which the connection is too new."""


@dataclass(frozen=True, slots=True)
class Link:
    """Settings of a connection, and the callbacks for its events."""

    server: Server
    env: Mapping[str, str]
    headers: Mapping[str, str]
    mode: Mode
    clock: Clock
    questions: Questions
    said: Callable[[str], None]
    """Called with each line that a program writes to standard error."""
    ended: Callable[[str], None]
    """Called with the reason when the server has ended, or has broken a limit."""
    changed: Callable[[], None]
    """Called when the list of tools has changed."""
    on_status: Callable[[int], None]
    """Called with the HTTP status of each response that is an error."""
    auth: httpx2.Auth | None = None


@asynccontextmanager
async def connected(link: Link) -> AsyncGenerator[Client]:
    """Connect to a server. Open and close it in one task: the SDK spins for ever if another one closes it."""

    async def on_message(message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            link.changed()

    async with AsyncExitStack() as stack:
        client = Client(
            await _transport(link, stack),
            mode=link.mode,
            elicitation_callback=link.questions.ask,
            message_handler=on_message,
            client_info=Implementation(name="tgllm", version=version("tgllm-mcp")),
            cache=None,
        )
        yield await stack.enter_async_context(client)


async def _transport(link: Link, stack: AsyncExitStack) -> "Transport":
    server = link.server
    if server.command is not None:
        program = Program(
            server.command, server.args, link.env, server.cwd, clock=link.clock, said=link.said, ended=link.ended
        )
        return program_transport(program)
    url = server.url or ""
    settings = HttpSettings(url, link.headers, server.connect_timeout, link.auth, link.on_status)
    client = await stack.enter_async_context(http_client(settings))
    return streamable_http_client(url, http_client=client)


async def every_tool(client: Client) -> tuple[Tool, ...]:
    """Return the tools of a server, of all pages, but not more than a person could oversee."""
    tools: list[Tool] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools.extend(page.tools)
        cursor = page.next_cursor
        if cursor is None or len(tools) >= _MOST_TOOLS:
            break
    return tuple(tools[:_MOST_TOOLS])


async def listen(client: Client, link: Link) -> None:
    """Wait for changes of the list of tools, which servers of the new era tell only those who listen.

    It returns if the server has none to tell.
    """
    tools = client.server_capabilities.tools
    if tools is None or not tools.list_changed or client.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return
    while True:
        try:
            async with client.listen(tools_list_changed=True) as events:
                async for _ in events:
                    link.changed()
        except SubscriptionLost:
            pass
        except (MCPError, ListenNotSupportedError, TimeoutError):
            return
        # There may have been a change in between.
        await link.clock.sleep(30.0)
        link.changed()


async def call(
    client: Client, questions: Questions, tool: str, use: ToolUse, ended: Callable[[str], None]
) -> ToolOutput:
    """Call a tool; if this is cancelled, the call is cancelled at the server too.

    Raises:
        NeedsOldEra: the connection has to be made again in the old way.
        ToolFailed: any other reason, for the model.
    """

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        use.progress(" ".join(clean_text(message or "", 100).split()), _count(progress), _count(total))

    with questions.during(use) as running:
        try:
            result = await client.call_tool(tool, dict(use.arguments), progress_callback=on_progress)
        except MCPError as error:
            raise _failure(error, running.declined, ended) from error
        except (anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise _lost(ended) from error
        except ValidationError as error:
            raise ToolFailed("The server's result breaks the protocol, so it can't be read.") from error
        except InputRequiredRoundsExceededError as error:
            raise ToolFailed("The server has asked too many questions.") from error
        except RuntimeError as error:
            # The SDK's word for a result that does not fit its schema, and for a connection that is closed.
            if str(error).startswith(("Invalid s", "Tool ")):
                raise ToolFailed("The server's result does not fit the schema that it has announced.") from error
            raise _lost(ended) from error
    output = output_of(result)
    if running.declined:
        return ToolOutput(
            f"{output.text}\n\n[The server has asked the person something, which was declined: {running.declined}]",
            output.sources,
            output.files,
            is_error=output.is_error,
        )
    return output


def _count(value: float | None) -> int | None:
    # A server may send infinity, or a number of 300 digits.
    return int(value) if value is not None and 0 <= value <= _MOST_STEPS else None


def _failure(error: MCPError, declined: str, ended: Callable[[str], None]) -> ToolFailed:
    if error.code == _CLOSED:
        return _lost(ended)
    if error.code == _TIMED_OUT:
        return ToolFailed("The server has not answered in time; it is unknown whether the call has happened.")
    if _NO_CHANNEL in error.message:
        return NeedsOldEra("The server had to be connected again, so that it can ask its question: call it once more.")
    reason = clean_text(error.message, 500) or f"error {error.code}"
    if declined:
        reason = f"{reason} (its question to the person was declined: {declined})"
    return ToolFailed(f"The server says: {reason}")


def _lost(ended: Callable[[str], None]) -> ToolFailed:
    ended("the connection was lost in a call")
    return ToolFailed("The connection to the server was lost; it is unknown whether the call has happened.")
