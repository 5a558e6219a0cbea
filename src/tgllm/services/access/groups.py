"""Groups: asked for by those who want the bot there, decided by admins.

In a group that has been let in, whoever is not blocked or declined may talk to the bot while there.
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
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.common.actor import Actor, note
from tgllm.services.common.recent_keys import RecentKeys
from tgllm.services.messaging.people import message_to
from tgllm.services.people.decisions import AccessError, administrator
from tgllm.services.turns.running import RunningTurn, RunningTurns

__all__ = ["FULL_SECONDS", "GROUP_VERDICTS", "MOST_FULL", "GroupAccess", "GroupDecided", "GroupVerdict"]

GroupVerdict = Literal["approve", "deny"]
GROUP_VERDICTS: Final = (("approve", "deny"),)
"""The buttons of a group's card."""

FULL_SECONDS: Final = 600.0
"""For how long a group is not asked for again that found too many pending_access."""
MOST_FULL: Final = 1000
"""Groups of which that is remembered."""

_STATUS: Final[dict[GroupVerdict, GroupStatus]] = {"approve": "active", "deny": "denied"}


@dataclass(frozen=True, slots=True)
class GroupDecided:
    """What came of a decision on a group."""

    group: Group
    changed: bool
    """False where everything is as it was."""
    losing: Sequence[RunningTurn] = ()
    """Turns that run there and must not any more."""

    def enforce(self) -> None:
        """What follows the commit: those turns are stopped."""
        for turn in self.losing:
            turn.stop("person")


@dataclass(frozen=True, slots=True)
class GroupAccess:
    """Registers requests for groups and carries out decisions on them."""

    clock: Clock
    texts: Catalogue
    cards: AccessCards
    settings: AccessSection
    running: RunningTurns
    turned_away: RecentKeys[int]
    """Ids of groups that were asked for while too many waited."""

    async def request(self, database: Database, chat_id: int, title: str, by: int) -> None:
        """``request_in`` in a transaction of its own; nothing where the group was turned away a little while ago."""
        if chat_id in self.turned_away:
            return
        if await database.write(lambda conn: self.request_in(conn, chat_id, title, by)) == "full":
            self.turned_away.note(chat_id)

    def request_in(self, conn: Connection, chat_id: int, title: str, by: int) -> Asked:
        """Note that somebody wants the bot in a group; part of a larger transaction.

        Args:
            conn: an open write transaction.
            chat_id: Telegram's id of the group.
            title: how it is called.
            by: user id of the one who wants it.
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
        """Let a group in or keep it out, and tell it; part of a larger transaction. ``enforce`` what comes after it.

        Args:
            conn: an open write transaction.
            chat_id: Telegram's id of the group, or the one that it had before it became a supergroup.
            verdict: what is decided.
            actor: who decides.
            only_pending: let an earlier decision stand: the first of several admins wins.

        Raises:
            AccessError: nobody has asked for that group, or the actor is no admin.
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
        outbox.add(conn, [message_to(chat_id, self.texts(f"access.told_group_{verdict}"))], now)
        return GroupDecided(after, changed=True, losing=without_access(conn, self.running.turns, now))

    def let_in_by(self, conn: Connection, chat_id: int, title: str, actor: Actor) -> GroupDecided:
        """Let a group in that an admin has brought the bot into.

        Raises:
            AccessError: the actor is no admin.
        """
        now = milliseconds(self.clock)
        administrator(conn, actor, now)
        groups.request(conn, chat_id, title, now, by=actor.id)
        groups.set_title(conn, chat_id, title, now)
        return self.decide_in(conn, chat_id, "approve", actor)


def _subject(group: Group) -> Subject:
    return Subject("groups", group.id, group.requested_at)
