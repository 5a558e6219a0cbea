"""Access requests of people: one for each person, and a limited number in total."""

from dataclasses import dataclass
from typing import Final, Literal

from tgllm.api.clock import Clock, milliseconds
from tgllm.config.sections.access import AccessSection
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import pending_access
from tgllm.db.tables import users
from tgllm.db.tables.users import SeenUser, User
from tgllm.i18n import Catalogue
from tgllm.services.access.card_texts import MOST_REASON, person_card
from tgllm.services.access.cards import AccessCards, Subject
from tgllm.services.common.actor import PROGRAM, note
from tgllm.services.common.text import one_line

__all__ = ["PERSON_VERDICTS", "AccessRequests", "Asked", "expire"]

Asked = Literal["asked", "pending", "denied", "blocked", "full"]
"""Result of a request: ``asked``: stored; ``pending``: one is pending already; ``denied``: it may not be repeated yet;
``blocked``: the person is blocked; ``full``: too many are pending."""

PERSON_VERDICTS: Final = (("approve", "deny"), ("guest", "block"))
"""Rows of buttons of a person's card."""

_DAY = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class AccessRequests:
    """Stores requests, and shows them to the admins."""

    clock: Clock
    texts: Catalogue
    cards: AccessCards
    settings: AccessSection

    def request_in(self, conn: Connection, person: SeenUser, reason: str = "") -> Asked:
        """Store the request of a person without access, within a larger transaction.

        Args:
            conn: an open write transaction.
            person: the requesting person.
            reason: reason given by the person; may be empty.
        """
        now = milliseconds(self.clock)
        expire(conn, now, person.id)
        row = users.get(conn, person.id)
        refused = None if row is None else self._refusal(conn, row, now)
        if refused is not None:
            return refused
        if pending_access.waiting(conn).people >= self.settings.most_pending:
            return "full"
        users.upsert_seen(conn, person, now)
        users.register_pending(conn, person.id, now, one_line(reason, MOST_REASON) or None)
        self._show(conn, person.id, now)
        return "asked"

    def _refusal(self, conn: Connection, row: User, now: int) -> Asked | None:
        """Return why a new request is refused, or None; a denial that is old enough is reset."""
        if row.status == "blocked":
            return "blocked"
        if row.status == "denied":
            if now - (row.decided_at or 0) < self.settings.ask_again_days * _DAY:
                return "denied"
            users.set_status(conn, row.id, "pending", now)
            return None
        return "pending" if row.requested_at is not None else None

    def _show(self, conn: Connection, user_id: int, now: int) -> None:
        user = users.get(conn, user_id)
        if user is not None and user.requested_at is not None:
            subject = Subject("users", user.id, user.requested_at)
            self.cards.show(conn, subject, person_card(self.texts, user), PERSON_VERDICTS, now)


def expire(conn: Connection, now: int, user_id: int | None = None) -> list[User]:
    """End expired access of all people or of one, and record it in the audit trail."""
    expired = users.expire(conn, now, user_id)
    for user in expired:
        note(conn, PROGRAM, "user.expire", str(user.id), now, {"role": user.role})
    return expired
