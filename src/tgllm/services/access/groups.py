"""Access of groups: requests by people, and decisions by admins.

In an approved group, everybody who is not denied or blocked may use the bot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tgllm.api.clock import Clock, milliseconds
from tgllm.config.sections.access import AccessSection
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import pending_access
from tgllm.db.tables import groups, outbox, users
from tgllm.db.tables.groups import Group, GroupStatus
from tgllm.i18n import Catalogue
from tgllm.services.access.access_requests import Asked
from tgllm.services.access.card_texts import group_card, group_decided
from tgllm.services.access.cards import AccessCards, Subject
from tgllm.services.access.lost_access import without_access
from tgllm.services.access.verdicts import DECIDED
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.common.actor import Actor, note
from tgllm.services.common.lane import Lane
from tgllm.services.common.recent_keys import RecentKeys
from tgllm.services.messaging.people import message_to
from tgllm.services.people.decisions import AccessError, administrator
from tgllm.services.turns.running import RunningTurn, RunningTurns

__all__ = ["FULL_SECONDS", "GROUP_VERDICTS", "MOST_FULL", "GroupAccess", "GroupDecided", "GroupVerdict"]

GroupVerdict = Literal["approve", "deny"]
GROUP_VERDICTS: Final = (("approve", "deny"),)
"""Rows of buttons of a group's card."""

FULL_SECONDS: Final = 600.0
"""Seconds for which a group is not requested again after the limit of pending requests was reached."""
MOST_FULL: Final = 1000
"""Maximum number of groups remembered for this."""

_STATUS: Final[dict[GroupVerdict, GroupStatus]] = {"approve": "active", "deny": "denied"}


@dataclass(frozen=True, slots=True)
class GroupDecided:
    """Result of a decision on a group."""

    group: Group
    changed: bool
    """False if the decision changed nothing."""
    losing: Sequence[RunningTurn] = ()
    """Running turns of people who have lost access."""

    def enforce(self) -> None:
        """Stop the turns that have lost access; call this after the commit."""
        for turn in self.losing:
            turn.stop("person")


@dataclass(frozen=True, slots=True)
class GroupAccess:
    """Stores requests for groups, and decisions on them."""

    clock: Clock
    texts: Catalogue
    cards: AccessCards
    settings: AccessSection
    running: RunningTurns
    turned_away: RecentKeys[int]
    """Ids of groups whose request was refused because too many are pending."""

    async def request(self, database: Database, chat_id: int, title: str, by: int) -> None:
        """Call ``request_in`` in a separate transaction, unless the group was refused recently."""
        if chat_id in self.turned_away:
            return
        if await database.write(lambda conn: self.request_in(conn, chat_id, title, by)) == "full":
            self.turned_away.note(chat_id)

    def request_in(self, conn: Connection, chat_id: int, title: str, by: int) -> Asked:
        """Store a request for a group, within a larger transaction.

        Args:
            conn: an open write transaction.
            chat_id: Telegram id of the group.
            title: title of the group.
            by: user id of the requesting person.
        """
        known = groups.get(conn, chat_id)
        if known is not None:
            return "denied" if known.status == "denied" else "pending"
        if pending_access.waiting(conn).groups >= self.settings.most_pending:
            return "full"
        now = milliseconds(self.clock)
        groups.request(conn, chat_id, title, now, by=by)
        group = groups.get(conn, chat_id)
        if group is not None:
            text = group_card(self.texts, group, users.get(conn, by))
            self.cards.show(conn, _subject(group), text, GROUP_VERDICTS, now)
        return "asked"

    def decide_in(
        self, conn: Connection, chat_id: int, verdict: GroupVerdict, actor: Actor, *, only_pending: bool = False
    ) -> GroupDecided:
        """Approve or deny a group and notify it, within a larger transaction; ``enforce`` the result after the commit.

        Args:
            conn: an open write transaction.
            chat_id: Telegram id of the group, or its former id if it was migrated to a supergroup.
            verdict: the decision.
            actor: author of the decision.
            only_pending: keep an earlier decision, so that the first of several admins wins.

        Raises:
            AccessError: the group has no request, or the actor is not an admin.
        """
        now = milliseconds(self.clock)
        administrator(conn, actor, now)
        chat_id = present_id(conn, chat_id)
        before = groups.get(conn, chat_id)
        if before is None:
            raise AccessError(f"no group {chat_id}", code="access_unknown_group", group=chat_id)
        if before.status == _STATUS[verdict] or (only_pending and before.status != "pending"):
            return GroupDecided(before, changed=False)
        after = groups.set_status(conn, chat_id, _STATUS[verdict], now, decided_by=actor.id)
        change = {"status_before": before.status, "status": after.status, "title": after.title}
        note(conn, actor, f"group.{verdict}", str(chat_id), now, change)
        if before.status == "pending":
            self.cards.close(conn, _subject(after), group_decided(self.texts, conn, after, verdict, actor.id), now)
        outbox.drop_notices(conn, Lane(chat_id).key, DECIDED)
        outbox.add(conn, [message_to(chat_id, self.texts(f"access.told_group_{verdict}"))], now)
        return GroupDecided(after, changed=True, losing=without_access(conn, self.running.turns, now))

    def approve_by(self, conn: Connection, chat_id: int, title: str, actor: Actor) -> GroupDecided:
        """Approve a group to which an admin has added the bot.

        Raises:
            AccessError: the actor is not an admin.
        """
        now = milliseconds(self.clock)
        administrator(conn, actor, now)
        groups.request(conn, chat_id, title, now, by=actor.id)
        groups.set_title(conn, chat_id, title, now)
        return self.decide_in(conn, chat_id, "approve", actor)


def _subject(group: Group) -> Subject:
    return Subject("groups", group.id, group.requested_at)
