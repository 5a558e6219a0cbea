"""What people are told of decisions on them: in private, in their own language, by the outbox."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.users import User
from tgllm.i18n import Catalogue
from tgllm.services.messaging.people import language_of, message_to, tell
from tgllm.services.people.decisions import Verdict

__all__ = ["tell_declined", "tell_role", "tell_verdict"]

MANY_PER_SECOND: Final = 10
"""Of the messages that go to many at once; Telegram takes about thirty a second in all (Bot FAQ)."""


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


def _time(at: int | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"
