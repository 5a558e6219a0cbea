"""A server made with the SDK, for tests: run as a program, with the port for HTTP or nothing for stdio."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from mcp.server.mcpserver import Context, Elicit, Image, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import (
    BlobResourceContents,
    EmbeddedResource,
    ResourceLink,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from pydantic import BaseModel, Field

server = MCPServer("tested")


class Sum(BaseModel):
    value: int


class Size(BaseModel):
    size: Literal["small", "large"] = Field(title="Which size?")
    gift: bool = Field(title="Is it a gift?")


class Name(BaseModel):
    name: str


@server.tool(annotations=ToolAnnotations(read_only_hint=True, title="Adding"))
def add(a: int, b: int) -> Sum:
    """Add two numbers."""
    return Sum(value=a + b)


@server.tool()
def env(name: str) -> str:
    """Return a variable of the environment."""
    return os.environ.get(name, "unset")


@server.tool()
def fail() -> str:
    """Fail."""
    raise ToolError("no milk today")


@server.tool()
async def slow(folder: str, ctx: Context) -> str:
    """Report progress, then wait to be cancelled."""
    await ctx.report_progress(1, 3, "one\nof three")
    (Path(folder) / "started").touch()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        (Path(folder) / "cancelled").touch()
        raise
    return "never"


@server.tool()
def many() -> list[TextContent | ResourceLink | EmbeddedResource | Image]:
    """Return a part of each kind."""
    return [
        TextContent(text="Look:"),
        Image(data=b"\x89PNG fake", format="png"),
        ResourceLink(name="page", uri="https://example.org/page", description="a page"),
        ResourceLink(name="file", uri="file:///etc/passwd"),
        EmbeddedResource(resource=TextResourceContents(uri="note://1", text="remember")),
        EmbeddedResource(resource=BlobResourceContents(uri="file:///x/data.bin", blob="AAEC", mime_type="a/b")),
    ]


@server.tool()
def die() -> str:
    """End the process in the middle of the call."""
    os._exit(3)


def ask_size() -> Elicit[Size]:
    return Elicit("What shall it be?", Size)


def ask_name() -> Elicit[Name]:
    return Elicit("Who are you?", Name)


@server.tool()
def order(size: Annotated[Size, Resolve(ask_size)]) -> str:
    """Order something, in the new way of asking."""
    return f"{size.size} gift={size.gift}"


@server.tool()
def greet(name: Annotated[Name, Resolve(ask_name)]) -> str:
    """Ask for a text."""
    return f"Hello {name.name}"


@server.tool()
async def order_old(ctx: Context) -> str:
    """Order something, in the old way of asking."""
    answer = await ctx.elicit("What shall it be?", Size)
    return f"{answer.action} {answer.data.size}" if answer.action == "accept" else answer.action


@server.tool()
async def grow(ctx: Context) -> str:
    """Add a tool, and say so."""
    server.add_tool(lambda: "I am new", name="new_one", description="New.")
    await ctx.notify_tools_changed()
    await ctx.session.send_tool_list_changed()
    return "grown"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        sys.stderr.write("tested server started\n")
        server.run("stdio")
