"""Order of messages in a request, and ids of calls, as the Mistral API demands them."""

import re
from collections.abc import Sequence
from typing import Any

from tgllm.testing.fake_providers.mistral_api.body import Message

__all__ = ["Complaint", "wrong_ids", "wrong_order"]

_TOOL_CALL_ID = re.compile(r"[A-Za-z0-9]{9}")
_WRONG_LAST = "Expected last role User or Tool (or Assistant with prefix True) for serving but got {}"
_AFTER = {
    "system": {"", "system"},
    "user": {"", "system", "user", "assistant"},
    "assistant": {"", "system", "user", "assistant", "tool"},
    "tool": {"assistant", "tool"},
}
"""Roles that each role may follow."""

Complaint = tuple[str, str, str]
"""Message, type and code of an error."""


def wrong_order(messages: Sequence[Message]) -> Complaint | None:
    """Return what is wrong with the order of roles, or with the number of results; None for nothing."""
    before = ""
    for message in messages:
        if before not in _AFTER[message.role]:
            return f"Unexpected role '{message.role}' after role '{before}'", "invalid_request_message_order", "3230"
        before = message.role
    last = messages[-1] if messages else None
    role = last.role if last is not None else "none"
    if role not in {"user", "tool"} and not getattr(last, "prefix", False):
        return _WRONG_LAST.format(role), "invalid_request_message_order", "3230"
    return _unanswered(messages)


def wrong_ids(messages: Sequence[Message]) -> Complaint | None:
    """Return the first id of a call that is not nine letters and digits."""
    for identifier in (each for message in messages for each in (*_made(message), *_answered(message))):
        if not _TOOL_CALL_ID.fullmatch(identifier):
            message = f"Tool call id was {identifier} but must be a-z, A-Z, 0-9, with a length of 9."
            return message, "invalid_function_call", "3280"
    return None


def _unanswered(messages: Sequence[Message]) -> Complaint | None:
    made: list[str] = []
    answered: list[str] = []
    # The end closes the last group of results.
    for message in (*messages, None):
        if message is not None and message.role == "tool":
            answered += _answered(message)
            continue
        if sorted(made) != sorted(answered):
            return "Not the same number of function calls and responses", "invalid_request_message_order", "3230"
        made, answered = _made(message), []
    return None


def _made(message: Message | None) -> list[str]:
    calls: list[dict[str, Any]] = (message.tool_calls or []) if message and message.role == "assistant" else []
    return [str(call.get("id", "")) for call in calls]


def _answered(message: Message) -> list[str]:
    return [message.tool_call_id or ""] if message.role == "tool" else []
