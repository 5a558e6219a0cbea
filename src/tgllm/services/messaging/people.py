"""Messages to people, and the language they are written in."""

from collections.abc import Sequence

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox, users
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.users import User
from tgllm.services.chats.language import chosen_language
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import plain_message

__all__ = ["language_in", "language_of", "message_to", "tell"]


def language_of(conn: Connection, user: User) -> str:
    """The language that the bot talks to somebody in: their choice, else that of their Telegram."""
    return chosen_language(conn, user.id) or user.language_code or ""


def language_in(conn: Connection, chat_id: int) -> str:
    """The language for words to a chat that answer nobody in it: a person's own in private, the bot's in a group."""
    # Bot API: Chat. The id of a private chat is the person's own, and groups have negative ones.
    person = users.get(conn, chat_id) if chat_id > 0 else None
    return "" if person is None else language_of(conn, person)


def tell(conn: Connection, user_id: int, text: str, now: int) -> None:
    """Store a message to somebody's private chat, whose id is the person's own (Bot API: Chat)."""
    outbox.add(conn, [message_to(user_id, text)], now)


def message_to(chat_id: int, text: str, buttons: Sequence[Sequence[tuple[str, str]]] = ()) -> NewOutbox:
    """The row that sends a text, with buttons of (label, callback data)."""
    return plain_message(Lane(chat_id), text, buttons)
