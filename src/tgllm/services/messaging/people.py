"""Messages to people, and their language."""

from collections.abc import Sequence

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox, users
from tgllm.db.tables.outbox import ANSWER, NewOutbox, Priority
from tgllm.db.tables.users import User
from tgllm.services.chats.language import chosen_language
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import without_controls
from tgllm.services.messaging.rows import plain_message, with_priority

__all__ = ["language_in", "language_of", "message_to", "tell"]


def language_of(conn: Connection, user: User) -> str:
    """Return the language for messages to a person: their choice, else the one of their Telegram client."""
    return chosen_language(conn, user.id) or user.language_code or ""


def language_in(conn: Connection, chat_id: int) -> str:
    """Return the language for messages that reply to no sender: the person's in private, the bot's in a group."""
    # Bot API: Chat. A private chat has the id of its user; ids of groups are negative.
    person = users.get(conn, chat_id) if chat_id > 0 else None
    return "" if person is None else language_of(conn, person)


def tell(conn: Connection, user_id: int, text: str, now: int, priority: Priority = ANSWER) -> None:
    """Add a message to a person's private chat, which has the id of the person (Bot API: Chat), to the outbox."""
    outbox.add(conn, with_priority([message_to(user_id, text)], priority), now)


def message_to(chat_id: int, text: str, buttons: Sequence[Sequence[tuple[str, str]]] = ()) -> NewOutbox:
    """Return the row that sends a text, with rows of buttons (label, callback data)."""
    return plain_message(Lane(chat_id), without_controls(text), buttons)
