"""Notices to people about decisions: sent in private, in their language, through the outbox."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NOTICE
from tgllm.db.tables.users import User
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.people import language_of, message_to, tell
from tgllm.services.messaging.rows import with_priority
from tgllm.services.people.decisions import Verdict

__all__ = ["DECIDED", "tell_declined", "tell_role", "tell_verdict"]

DECIDED: Final = "access was decided before it was sent"
"""Error of dropped replies to a person or group without access."""
MANY_PER_SECOND: Final = 10
"""Rate of notices to many people, below Telegram's limit of about 30 messages a second (Bot FAQ)."""


def tell_verdict(conn: Connection, texts: Catalogue, user: User, verdict: Verdict, now: int) -> None:
    """Notify a person of a decision, in place of what still waits to tell them that there is none."""
    outbox.drop_notices(conn, Lane(user.id).key, DECIDED)
    tell(conn, user.id, texts(f"access.told_{verdict}", language_of(conn, user), until=_time(user.expires_at)), now)


def tell_declined(conn: Connection, texts: Catalogue, people: Iterable[User], now: int) -> None:
    """Notify people that they were denied, a few per second, so that answers are not delayed."""
    for place, user in enumerate(people):
        row = message_to(user.id, texts("access.told_deny", language_of(conn, user)))
        (row_id,) = outbox.add(conn, with_priority([row], NOTICE), now)
        if place >= MANY_PER_SECOND:
            outbox.postpone(conn, row_id, now + place // MANY_PER_SECOND * 1000)


def tell_role(conn: Connection, texts: Catalogue, user: User, now: int) -> None:
    """Notify a person of their new role."""
    tell(conn, user.id, texts(f"access.told_role_{user.role}", language_of(conn, user)), now)


def _time(at: int | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M} UTC"
