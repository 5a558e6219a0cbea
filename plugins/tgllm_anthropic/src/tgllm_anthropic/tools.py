"""Tools in the format of the Messages API (Anthropic API: tool use)."""

from tgllm.api.types import ChatRequest
from tgllm.providers.encoding.tool_messages import object_schema
from tgllm_anthropic.messages import Body

__all__ = ["fields_of", "is_forced"]

_NAMED = "tool:"
"""Beginning of a ``ToolChoice`` that names a tool."""


def is_forced(request: ChatRequest) -> bool:
    """Return whether the model has to call a tool."""
    return bool(request.tools) and request.tool_choice not in {"auto", "none"}


def fields_of(request: ChatRequest, mark: Body | None = None) -> Body:
    """Return the fields of a body that are about tools; empty if there are none.

    Args:
        request: the request.
        mark: ``cache_control`` of the last tool.
    """
    if not request.tools:
        return {}
    # Alternatives in the outermost object of a schema are refused, and one such tool would fail every request.
    # Without "strict": it makes one grammar of all schemas, which is refused as too large if there are many.
    tools: list[Body] = [
        {"name": tool.name, "description": tool.description, "input_schema": object_schema(tool.schema)}
        for tool in request.tools
    ]
    if mark:
        tools[-1]["cache_control"] = mark
    choice = _choice(request)
    return {"tools": [*tools], **({"tool_choice": choice} if choice else {})}


def _choice(request: ChatRequest) -> Body | None:
    """Return the choice of tools; None for the API's default, which is any number of calls."""
    choice = request.tool_choice
    if choice == "none":
        return {"type": "none"}
    one: Body = {} if request.parallel_tools else {"disable_parallel_tool_use": True}
    if choice == "auto":
        return {"type": "auto", **one} if one else None
    named: Body = {"type": "any"}
    if choice.startswith(_NAMED):
        named = {"type": "tool", "name": choice.removeprefix(_NAMED)}
    return {**named, **one}
