"""Raw updates: where they belong, and how they are fetched.

An update is read here as plain JSON, before aiogram sees it, so that one that aiogram can't parse is stored like any
other and harms nobody.
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
"""First word of the callback data of the button that asks the last question again; the id of its turn follows."""
REOPEN = "reopen"
"""The same for the button that goes on with an earlier conversation; its id follows."""
FORGET = "forget"
"""The same for the button that deletes a person's data; their id and the time until which it may follow."""
LANE_PRESSES = frozenset({RETRY, REOPEN, FORGET})
"""Presses that change the conversation, and so wait for the turn that runs in it."""


class RawGetUpdates(TelegramMethod[list[dict[str, Any]]]):
    """getUpdates with the updates left as they came. Bot API: getUpdates."""

    __returning__: ClassVar[Any] = list[dict[str, Any]]
    __api_method__: ClassVar[str] = "getUpdates"

    offset: int | None = None
    limit: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None


def to_inbox(raw: Mapping[str, Any]) -> NewUpdate | None:
    """The inbox row for an update; None for something without an update id, which can't be confirmed anyway."""
    update_id = as_id(raw.get("update_id"))
    if update_id is None:
        return None
    kind = next((key for key in raw if key != "update_id"), "unknown")
    return NewUpdate(
        update_id=update_id,
        # Half a letter in one of them would keep all that came with it from being stored.
        lane=mend_surrogates(lane_of(kind, raw.get(kind)).key),
        kind=mend_surrogates(kind),
        control=_is_control(kind, raw.get(kind)),
        payload=json.dumps(raw, separators=(",", ":")),
    )


def content_of(update: InboxRow | NewUpdate) -> Mapping[str, Any]:
    """What a stored update brings, such as its message; empty where that is no object. Rich messages are text."""
    return as_mapping(_read(update.payload).get(update.kind))


def message_of(payload: str) -> Mapping[str, Any]:
    """The message that a stored update brings, in the same way; empty for an update of another kind."""
    return as_mapping(_read(payload).get("message"))


def _read(payload: str) -> Mapping[str, Any]:
    raw: dict[str, Any] = json.loads(payload)
    return without_rich_messages(raw) if '"rich_message"' in payload else raw


def lane_of(kind: str, content: object) -> Lane:
    """The lane of an update; lane 0 for kinds that belong to no chat."""
    body = as_mapping(content)
    message = as_mapping(body.get("message")) if kind == "callback_query" else body
    chat_id = as_id(as_mapping(message.get("chat")).get("id"))
    if chat_id is None:
        return Lane(as_id(as_mapping(body.get("from")).get("id")) or 0)
    # In groups without topics message_thread_id marks a thread of replies, which is no place of its own.
    in_topic = message.get("is_topic_message") or kind == "stopped_message_generation"
    thread = as_id(message.get("message_thread_id")) if in_topic else None
    connection = message.get("business_connection_id")
    return Lane(chat_id, thread, connection if isinstance(connection, str) else None)


def _is_control(kind: str, content: object) -> bool:
    """Whether the update must not wait behind the turn that runs in its lane."""
    if kind in CONTROL_KINDS:
        return _first_word(as_mapping(content).get("data")) not in LANE_PRESSES
    message = as_mapping(content)
    text = message.get("text")
    if kind != "message" or not isinstance(text, str) or not is_raw_own(message):
        return False
    return _CONTROL_COMMAND.fullmatch(text) is not None


def is_raw_own(message: Mapping[str, Any]) -> bool:
    """Whether the sender has written a message: those that they forward, or let another bot write, are no commands."""
    return "forward_origin" not in message and "via_bot" not in message


def _first_word(data: object) -> str:
    return data.partition(":")[0] if isinstance(data, str) else ""


def as_id(value: object) -> int | None:
    """An id of Telegram's; None for anything that is none, or more than fits into the database."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -_MOST_ID <= value <= _MOST_ID else None


def as_mapping(value: object) -> Mapping[str, Any]:
    """A part of an update that should be an object; empty if it is anything else."""
    return value if isinstance(value, Mapping) else {}  # pyright: ignore[reportUnknownVariableType]  JSON from outside


def turn_id_of(update_id: int) -> str:
    """The turn that an update begins: the same whenever it is begun."""
    return f"u{update_id}"
