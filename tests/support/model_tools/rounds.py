"""Rounds of calls of tools, as the bot sends them to a provider after an answer."""

import json
from dataclasses import replace

from tgllm.api import ChatMessage, TextPart, ToolCall, ToolCallPart, ToolResultPart
from tgllm.testing.asking import Heard

__all__ = ["calls_of", "round_of", "with_failed_call"]


def calls_of(heard: Heard) -> list[ToolCall]:
    """Return the calls of an answer."""
    return [event for event in heard.events if isinstance(event, ToolCall)]


def round_of(heard: Heard, *texts: str) -> tuple[ChatMessage, ChatMessage]:
    """Return an answer as the bot sends it again, with results of its calls."""
    made = [
        ToolCallPart(f"neutral {number}", call.name, json.loads(call.arguments))
        for number, call in enumerate(calls_of(heard))
    ]
    results = [ToolResultPart(part.id, part.name, text) for part, text in zip(made, texts, strict=True)]
    said = (TextPart(heard.text),) if heard.text else ()
    answer = ChatMessage("assistant", (*said, *made), heard.finished.provider_data)
    return answer, ChatMessage("user", tuple(results))


def with_failed_call(results: ChatMessage) -> ChatMessage:
    """Return results of which the first is an error, after words of the person."""
    first, *rest = results.parts
    assert isinstance(first, ToolResultPart)
    return replace(results, parts=(TextPart("Go on."), replace(first, is_error=True), *rest))
