"""Raw updates: how they are fetched, and to which lane they belong.

Updates are read as plain JSON, without aiogram's models, so that an update that aiogram can't parse is stored like any
other.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from aiogram.methods.base import TelegramMethod

from tgllm.bot.updates.rich_text import without_rich_messages
from tgllm.db.tables.inbox import InboxRow, NewUpdate
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import mend_surrogates

__all__ = [
    "ALLOWED_UPDATES",
    "CONTINUE",
    "FORGET",
    "REOPEN",
    "RETRY",
    "RawGetUpdates",
    "as_id",
    "as_mapping",
    "content_of",
    "is_raw_own",
    "lane_of",
    "message_of",
    "to_inbox",
    "turn_id_of",
]

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "stopped_message_generation", "my_chat_member")
"""The kinds of updates that the bot asks Telegram for."""

_MOST_ID = 2**63 - 1
"""SQLite: INTEGER. Bot API: ids have at most 52 significant bits."""

CONTROL_KINDS = frozenset({"callback_query", "stopped_message_generation"})
_CONTROL_COMMAND = re.compile(r"/(?:stop|cancel)(?:@\w+)?(?:\s.*)?", re.IGNORECASE | re.DOTALL)

RETRY = "retry"
"""First word of the callback data of the button that retries the last question; the turn's id follows."""
CONTINUE = "continue"
"""The same for the button that continues an answer that was cut off; the turn's id follows."""
REOPEN = "reopen"
"""The same for the button that reopens an earlier conversation; its id follows."""
FORGET = "forget"
"""The same for the button that deletes a user's data; the user's id and the expiry time follow."""
LANE_PRESSES = frozenset({RETRY, CONTINUE, REOPEN, FORGET})
"""Presses that change the conversation, so they wait for its running turn."""


class RawGetUpdates(TelegramMethod[list[dict[str, Any]]]):
    """getUpdates that returns raw updates. Bot API: getUpdates."""

    __returning__: ClassVar[Any] = list[dict[str, Any]]
    __api_method__: ClassVar[str] = "getUpdates"

    offset: int | None = None
    limit: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None


def to_inbox(raw: Mapping[str, Any]) -> NewUpdate | None:
    """Return the inbox row for an update; None without an update id, since such an update can't be confirmed."""
    update_id = as_id(raw.get("update_id"))
    if update_id is None:
        return None
    kind = next((key for key in raw if key != "update_id"), "unknown")
    return NewUpdate(
        update_id=update_id,
        # SQLite can't store a lone surrogate; one in an update would keep the whole batch from being stored.
        lane=mend_surrogates(lane_of(kind, raw.get(kind)).key),
        kind=mend_surrogates(kind),
        control=_is_control(kind, raw.get(kind)),
        payload=json.dumps(raw, separators=(",", ":")),
        sender_id=_sender_of(kind, as_mapping(raw.get(kind))),
    )


def _sender_of(kind: str, content: Mapping[str, Any]) -> int | None:
    # A stopped draft has no sender, but drafts exist only in private chats, whose id is the user's.
    sender = content.get("chat") if kind == "stopped_message_generation" else content.get("from")
    return as_id(as_mapping(sender).get("id"))


def content_of(update: InboxRow | NewUpdate) -> Mapping[str, Any]:
    """Return the content of a stored update, such as its message, with rich messages as text; empty if no object."""
    return as_mapping(_read(update.payload).get(update.kind))


def message_of(payload: str) -> Mapping[str, Any]:
    """Return the message of a stored update's payload in the same way; empty for an update of another kind."""
    return as_mapping(_read(payload).get("message"))


def _read(payload: str) -> Mapping[str, Any]:
    raw: dict[str, Any] = json.loads(payload)
    return without_rich_messages(raw) if '"rich_message"' in payload else raw


def lane_of(kind: str, content: object) -> Lane:
    """Return the lane of an update: of its chat, else of its sender, else lane 0."""
    body = as_mapping(content)
    message = as_mapping(body.get("message")) if kind == "callback_query" else body
    chat_id = as_id(as_mapping(message.get("chat")).get("id"))
    if chat_id is None:
        return Lane(as_id(as_mapping(body.get("from")).get("id")) or 0)
    # In groups without topics message_thread_id marks a thread of replies, which has no lane of its own.
    in_topic = message.get("is_topic_message") or kind == "stopped_message_generation"
    thread = as_id(message.get("message_thread_id")) if in_topic else None
    connection = message.get("business_connection_id")
    return Lane(chat_id, thread, connection if isinstance(connection, str) else None)


def _is_control(kind: str, content: object) -> bool:
    """Return whether the update must not wait for the running turn of its lane."""
    if kind in CONTROL_KINDS:
        return _first_word(as_mapping(content).get("data")) not in LANE_PRESSES
    message = as_mapping(content)
    text = message.get("text")
    if kind != "message" or not isinstance(text, str) or not is_raw_own(message):
        return False
    return _CONTROL_COMMAND.fullmatch(text) is not None


def is_raw_own(message: Mapping[str, Any]) -> bool:
    """Return whether the sender wrote a message: forwarded messages and those sent via a bot are no commands."""
    return "forward_origin" not in message and "via_bot" not in message


def _first_word(data: object) -> str:
    return data.partition(":")[0] if isinstance(data, str) else ""


def as_id(value: object) -> int | None:
    """Return a Telegram id; None for any other value, and for a number that does not fit into the database."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -_MOST_ID <= value <= _MOST_ID else None


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return a part of an update that should be an object; an empty mapping if it is anything else."""
    return value if isinstance(value, Mapping) else {}  # pyright: ignore[reportUnknownVariableType]  JSON from outside


def turn_id_of(update_id: int) -> str:
    """Return the id of the turn that an update starts: the same for each attempt."""
    return f"u{update_id}"
