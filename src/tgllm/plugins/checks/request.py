"""Validation of a request that a plugin has changed, so that errors are not attributed to the provider."""

from typing import cast, get_args

from tgllm.api.types import (
    ChatMessage,
    ChatRequest,
    FilePart,
    ReasoningEffort,
    TextPart,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
)
from tgllm.plugins.calls.outcome import Breach
from tgllm.plugins.checks.values import called

__all__ = ["check_request"]

_HOOK = "tgllm_before_request"
_EFFORTS = (None, *get_args(ReasoningEffort))


def check_request(changed: ChatRequest, before: ChatRequest) -> ChatRequest:
    """Return ``changed`` if it can replace ``before``.

    Raises:
        Breach: names the invalid field.
    """
    if changed.model != before.model:
        raise Breach(f"{_HOOK} changed the model: people choose it, and what it costs is counted by it")
    _check("system", changed.system, str)
    _check("temperature", changed.temperature, int, float)
    _check("max_output_tokens", changed.max_output_tokens, int)
    _check("user_key", changed.user_key, str)
    if changed.reasoning_effort not in _EFFORTS:
        raise Breach(f"{_HOOK} set reasoning_effort to {changed.reasoning_effort!r}")
    _check_messages(changed.messages)
    _check_tools(changed, before)
    return changed


def _check_tools(changed: ChatRequest, before: ChatRequest) -> None:
    """Check the tools: a plugin may take some away or describe them in other words, and adds none of its own."""
    tools: object = changed.tools
    if not isinstance(tools, tuple):  # pyright: ignore[reportUnnecessaryIsInstance]  from a plugin
        raise Breach(f"{_HOOK} set tools to {called(tools)} instead of a tuple")
    known = {tool.name for tool in before.tools}
    for tool in cast("tuple[object, ...]", tools):
        if not isinstance(tool, ToolDefinition):
            raise Breach(f"{_HOOK} put {called(tool)} among the tools")
        if tool.name not in known:
            raise Breach(f"{_HOOK} added the tool {tool.name!r}: tools come from tgllm_tools")
    _check("tool_choice", changed.tool_choice, str)
    _check("parallel_tools", changed.parallel_tools, bool)


def _check(field: str, value: object, *kinds: type) -> None:
    if value is not None and not isinstance(value, kinds):
        raise Breach(f"{_HOOK} set {field} to {called(value)}")


def _check_messages(messages: object) -> None:
    if not isinstance(messages, tuple) or not messages:
        raise Breach(f"{_HOOK} set messages to something else than a tuple with a message in it")
    for message in cast("tuple[object, ...]", messages):
        if not isinstance(message, ChatMessage):
            raise Breach(f"{_HOOK} put {called(message)} among the messages")
        if message.role not in {"user", "assistant"}:
            raise Breach(f"{_HOOK} made a message with the role {message.role!r} instead of user or assistant")
        _check_parts(message.parts)


def _check_parts(parts: object) -> None:
    if not isinstance(parts, tuple):
        raise Breach(f"{_HOOK} set the parts of a message to {called(parts)} instead of a tuple")
    for part in cast("tuple[object, ...]", parts):
        if not isinstance(part, TextPart | FilePart | ToolCallPart | ToolResultPart):
            raise Breach(f"{_HOOK} put {called(part)} among the parts of a message")
        if isinstance(part, TextPart):
            _check_text(part.text)


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise Breach(f"{_HOOK} made a TextPart of {called(text)}")
