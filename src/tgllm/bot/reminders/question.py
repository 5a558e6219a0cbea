"""Question of a scheduled prompt: an update as if the person had just written it in the chat.

So it waits for its turn in the lane, its author's access is checked when it starts, it counts for budgets and rates,
and the answer is streamed, stored and recovered after a crash like any other.
"""

import json
from typing import Any, Final

from tgllm.api import UserInfo
from tgllm.bot.updates.places import place_of
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, inbox, users
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.reminders.store import Reminder
from tgllm.services.common.lane import Lane

__all__ = ["ask_later"]

_FIRST: Final = -4_000_000_000_000_000
"""Ids of these updates are this and microseconds since 1970. They grow with time, and Telegram's are positive, so that
neither is ever taken for the other one, and a stop or an edit finds the question as an earlier one."""
_LAST_OF_BASIC: Final = -1_000_000_000_000
"""Ids of supergroups are not above it (Bot API: Chat)."""


def ask_later(conn: Connection, reminder: Reminder, person: UserInfo, username: str, now: int) -> bool:
    """Queue the question of a prompt; return False if its chat takes none, such as a topic that has become another.

    Args:
        conn: an open write transaction.
        reminder: a prompt.
        person: who has set it.
        username: the bot's, without the @, with which a question in a group is addressed.
        now: UTC in milliseconds.
    """
    message = _message(conn, reminder, person, username, now)
    place = place_of("message", message)
    if place.closed or place.lane.key != reminder.lane:
        return False
    update_id = _free_id(conn, now)
    payload = json.dumps({"update_id": update_id, "message": message}, separators=(",", ":"))
    inbox.add_updates(conn, [NewUpdate(update_id, reminder.lane, "message", control=False, payload=payload)], now)
    return True


def _message(conn: Connection, reminder: Reminder, person: UserInfo, username: str, now: int) -> dict[str, Any]:
    lane = Lane.parse(reminder.lane)
    text, entities = reminder.text, list[dict[str, Any]]()
    if lane.chat_id < 0:
        name = f"@{username}"
        text, entities = f"{name} {text}", [{"type": "mention", "offset": 0, "length": len(name)}]
    message: dict[str, Any] = {
        "message_id": reminder.message_id,
        "date": now // 1000,
        "from": _sender(conn, person),
        "chat": _chat(conn, lane, person),
        "text": text,
        "entities": entities,
    }
    if lane.topic_id is not None:
        message |= {"message_thread_id": lane.topic_id, "is_topic_message": True}
    return message


def _sender(conn: Connection, person: UserInfo) -> dict[str, Any]:
    """Return the person as Telegram last described them, so that the update changes nothing about them."""
    row = users.get(conn, person.id)
    known: dict[str, Any] = {"id": person.id, "is_bot": False, "first_name": "" if row is None else row.first_name}
    if row is not None:
        optional = {"last_name": row.last_name, "username": row.username, "language_code": row.language_code}
        known |= {name: value for name, value in optional.items() if value is not None}
    return known


def _chat(conn: Connection, lane: Lane, person: UserInfo) -> dict[str, Any]:
    if lane.chat_id > 0:
        return {"id": lane.chat_id, "type": "private", "first_name": person.name}
    group = groups.get(conn, lane.chat_id)
    kind = "supergroup" if lane.chat_id <= _LAST_OF_BASIC else "group"
    chat: dict[str, Any] = {"id": lane.chat_id, "type": kind, "title": "" if group is None else group.title}
    return chat if lane.topic_id is None else {**chat, "is_forum": True}


def _free_id(conn: Connection, now: int) -> int:
    update_id = _FIRST + now * 1000
    while inbox.get(conn, update_id) is not None:
        update_id += 1
    return update_id
