"""Tools of the host, made from those that a server lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tgllm.api.tools import Danger, ToolHandler, ToolSpec
from tgllm_mcp.naming import clean_schema, clean_text, tool_names
from tgllm_mcp.settings import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp_types import Tool

__all__ = ["Listed", "danger_of", "listed_tools"]

_LONGEST_DESCRIPTION = 1_024
_LONGEST_TITLE = 48


@dataclass(frozen=True, slots=True)
class Listed:
    """Tools of a server, and what is left out."""

    specs: tuple[ToolSpec, ...]
    names: Mapping[str, str]
    """The server's own name by the tool's."""
    left_out: tuple[str, ...]
    """Why tools are left out that the patterns include, a sentence each."""


def listed_tools(
    server_name: str, server: Server, tools: "Iterable[Tool]", handler_of: "Callable[[str], ToolHandler]"
) -> Listed:
    """Return the tools to offer.

    Args:
        server_name: name of the server in the settings.
        server: its settings.
        tools: what the server lists.
        handler_of: returns the handler of a tool, by the server's own name.
    """
    # A name that is listed twice counts once: the server could not tell the calls apart.
    wanted = {tool.name: tool for tool in tools if _is_wanted(server, tool.name)}
    prefix = f"{server_name}_" if server.prefix is None else server.prefix
    names = tool_names(wanted, prefix)
    specs: list[ToolSpec] = []
    left_out = [f"the tool {clean_text(name, 64)!r} has the name of another" for name in wanted if name not in names]
    for name, valid in names.items():
        tool = wanted[name]
        schema = clean_schema(tool.input_schema)
        if schema is None:
            left_out.append(f"the tool {clean_text(name, 64)!r} has a schema that is invalid, or describes no object")
            continue
        danger = danger_of(server, tool)
        specs.append(
            ToolSpec(
                name=valid,
                description=clean_text(tool.description or tool.title or name, _LONGEST_DESCRIPTION) or valid,
                handler=handler_of(name),
                schema=schema,
                access=server.access,
                danger=danger,
                timeout=server.timeout,
                repeatable=_may_repeat(server, tool, danger),
                title=f"🔌 {clean_text(_title(tool), _LONGEST_TITLE) or valid}",
            )
        )
    return Listed(tuple(specs), {valid: name for name, valid in names.items()}, tuple(left_out))


def danger_of(server: Server, tool: "Tool") -> Danger:
    """Return what a call of a tool can do: by pattern, the stricter first; then by trusted hints."""
    if _matches(server.write, tool.name):
        return "write"
    if _matches(server.read, tool.name):
        return "read"
    hints = tool.annotations if server.trust_hints else None
    if hints is not None and hints.read_only_hint is True:
        return "read"
    if hints is not None and hints.destructive_hint is False:
        return "write"
    return server.danger


def _may_repeat(server: Server, tool: "Tool", danger: Danger) -> bool | None:
    is_idempotent = server.trust_hints and tool.annotations is not None and tool.annotations.idempotent_hint is True
    return True if is_idempotent and danger != "dangerous" else None


def _title(tool: "Tool") -> str:
    hinted = tool.annotations.title if tool.annotations is not None else None
    # In one line: it stands in the status line of an answer.
    return " ".join((tool.title or hinted or tool.name).split())


def _is_wanted(server: Server, name: str) -> bool:
    return _matches(server.include, name) and not _matches(server.exclude, name)


def _matches(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
