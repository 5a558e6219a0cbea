"""What people are told of decisions on them: in private, in their own language, by the outbox."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox, users
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.users import User
from tgllm.i18n import Catalogue
from tgllm.services.chats.language import chosen_language
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import plain_message
from tgllm.services.people.decisions import Verdict

__all__ = ["language_in", "language_of", "message_to", "tell", "tell_declined", "tell_role", "tell_verdict"]

MANY_PER_SECOND: Final = 10
"""Of the messages that go to many at once; Telegram takes about thirty a second in all (Bot FAQ)."""


def language_of(conn: Connection, user: User) -> str:
    """The language that the bot talks to somebody in: their choice, else that of their Telegram."""
    return chosen_language(conn, user.id) or user.language_code or ""


def language_in(conn: Connection, chat_id: int) -> str:
    """The language for words to a chat that answer nobody in it: a person's own in private, the bot's in a group."""
    # Bot API: Chat. The id of a private chat is the person's own, and groups have negative ones.
    person = users.get(conn, chat_id) if chat_id > 0 else None
    return "" if person is None else language_of(conn, person)


def tell_verdict(conn: Connection, texts: Catalogue, user: User, verdict: Verdict, now: int) -> None:
    """Tell somebody what was decided about them."""
    tell(conn, user.id, texts(f"access.told_{verdict}", language_of(conn, user), until=_time(user.expires_at)), now)


def tell_declined(conn: Connection, texts: Catalogue, people: Iterable[User], now: int) -> None:
    """Tell many people that they were declined, a few each second, so that answers need not wait behind them."""
    for place, user in enumerate(people):
        row = message_to(user.id, texts("access.told_deny", language_of(conn, user)))
        (row_id,) = outbox.add(conn, [row], now)
        if place >= MANY_PER_SECOND:
            outbox.postpone(conn, row_id, now + place // MANY_PER_SECOND * 1000)


def tell_role(conn: Connection, texts: Catalogue, user: User, now: int) -> None:
    """Tell somebody what they may do from now on."""
    tell(conn, user.id, texts(f"access.told_role_{user.role}", language_of(conn, user)), now)


def tell(conn: Connection, user_id: int, text: str, now: int) -> None:
    """Store a message to somebody's private chat, whose id is the person's own (Bot API: Chat)."""
    outbox.add(conn, [message_to(user_id, text)], now)


def message_to(chat_id: int, text: str, buttons: Sequence[Sequence[tuple[str, str]]] = ()) -> NewOutbox:
    """The row that sends a text, with buttons of (label, callback data)."""
    return plain_message(Lane(chat_id), text, buttons)


def _time(at: int | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"
