"""What a service under test has seen of the tools in a request."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tgllm.api.types import ToolCallPart, ToolChoice, ToolDefinition, ToolResultPart

__all__ = ["SeenTools", "seen_calls", "seen_tools"]


@dataclass(frozen=True, slots=True)
class SeenTools:
    """The tools in a request, in the terms of ``ChatRequest``."""

    tools: tuple[ToolDefinition, ...] = ()
    choice: ToolChoice = "auto"
    parallel: bool = True


def seen_tools(body: Any) -> SeenTools:  # noqa: ANN401  JSON of any form
    """Return the tools in a request in OpenAI's format."""
    functions: list[Any] = [tool["function"] for tool in body.get("tools") or ()]
    choice = body.get("tool_choice") or "auto"
    return SeenTools(
        tuple(ToolDefinition(each["name"], each.get("description", ""), each["parameters"]) for each in functions),
        f"tool:{choice['function']['name']}" if isinstance(choice, dict) else {"any": "required"}.get(choice, choice),
        body.get("parallel_tool_calls") is not False,
    )


def seen_calls(body: Any) -> Sequence[ToolCallPart | ToolResultPart]:  # noqa: ANN401  JSON of any form
    """Return the calls and results in the messages of a request in OpenAI's format; results have no name there."""
    found: list[ToolCallPart | ToolResultPart] = []
    for message in body["messages"]:
        for call in message.get("tool_calls") or ():
            function = call["function"]
            found.append(ToolCallPart(call["id"], function["name"], _arguments(function["arguments"])))
        if message["role"] == "tool":
            found.append(ToolResultPart(message["tool_call_id"], "", _text(message["content"])))
    return found


def _arguments(arguments: Any) -> Any:  # noqa: ANN401  JSON of any form
    return json.loads(arguments) if isinstance(arguments, str) else arguments


def _text(content: Any) -> str:  # noqa: ANN401  JSON of any form
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content or ())
