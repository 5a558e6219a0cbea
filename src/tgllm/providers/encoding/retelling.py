"""Calls of tools and their results as text, for models that can't get them in the form of their service."""

import json
from collections.abc import Iterable
from dataclasses import replace

from tgllm.api.types import ChatMessage, Part, TextPart, ToolCallPart, ToolResultPart

__all__ = ["has_tool_parts", "retold", "retold_message"]


def has_tool_parts(message: ChatMessage) -> bool:
    """Whether a message has calls of tools, or their results."""
    for part in message.parts:  # noqa: SIM110  a generator costs three times as much, for each message of each request
        if isinstance(part, ToolCallPart | ToolResultPart):
            return True
    return False


def retold(messages: Iterable[ChatMessage]) -> tuple[ChatMessage, ...]:
    """Return the messages with calls and results as texts; messages without them stay the same objects.

    A call is told with its result, in the message of the user: a model that finds calls as text in its own answers goes
    on to write such texts instead of calling.
    """
    found: list[ChatMessage] = []
    calls: dict[str, ToolCallPart] = {}
    for message in messages:
        found.append(retold_message(message, calls) if has_tool_parts(message) else message)
        calls = {part.id: part for part in message.parts if isinstance(part, ToolCallPart)}
    return tuple(found)


def retold_message(message: ChatMessage, calls: dict[str, ToolCallPart]) -> ChatMessage:
    """Return one message with its calls and results as texts.

    Args:
        message: the message.
        calls: the calls of the message before it, by their ids.
    """
    if message.role == "assistant":
        names = [part.name for part in message.parts if isinstance(part, ToolCallPart)]
        kept: tuple[Part, ...] = tuple(part for part in message.parts if not isinstance(part, ToolCallPart))
        # Services refuse a message without content.
        said = kept if message.text.strip() else (*kept, TextPart(f"I need {_list(names)} first."))
        return replace(message, parts=said, provider_data=None)
    parts = [_told(part, calls.get(part.id)) if isinstance(part, ToolResultPart) else part for part in message.parts]
    return replace(message, parts=tuple(parts))


def _told(result: ToolResultPart, call: ToolCallPart | None) -> TextPart:
    arguments = json.dumps(call.arguments, ensure_ascii=False) if call else ""
    outcome = "failed" if result.is_error else "returned"
    return TextPart(
        f"The tool {result.name} was called with {arguments or 'unknown arguments'} and {outcome}:\n{result.text}\n\n"
    )


def _list(names: list[str]) -> str:
    return " and ".join(dict.fromkeys(names))
