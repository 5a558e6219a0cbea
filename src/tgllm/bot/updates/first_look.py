"""What is stored about an update when it starts.

It is read in the transaction that claims the update, so that its handlers need no query for it: a query of their own
is a way to the database's thread and back, which takes many times longer than its statements.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tgllm.api import ChatInfo, UserInfo
from tgllm.api.clock import Clock, milliseconds
from tgllm.bot.updates.mentions import is_raw_heard
from tgllm.bot.updates.raw import content_of, sender_of
from tgllm.bot.updates.values import as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.turn import Turn
from tgllm.services.people.standing import AccessRows, access_rows, role_by
from tgllm.services.turns.opening import Opening, ReadAhead

__all__ = ["FirstLook", "Looking"]


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What was stored when the update was claimed. The defaults mean that it is not known."""

    access: AccessRows | None = None
    """About the access of its sender; None if the sender is unknown."""
    is_alone: bool = False
    """Whether no other update of its lane waited, and none was merged into it at an earlier attempt."""
    opening: Opening | None = None
    """What its turn will read first; None for what is probably no question."""
    ended: int = 0
    """``Database.ended`` after the claim."""

    @property
    def ahead(self) -> ReadAhead | None:
        """What was read ahead for its turn."""
        return None if self.opening is None else ReadAhead(self.opening, self.ended)


Open = Callable[[Connection, Turn], Opening]
"""Reads what a turn begins with."""


@dataclass(frozen=True, slots=True)
class Looking:
    """Reads first looks."""

    bot_id: int
    username: str
    """The bot's own, without the @."""
    clock: Clock
    open: Open | None
    """None: nothing is read ahead for turns."""

    def __call__(self, conn: Connection, row: InboxRow) -> FirstLook:
        """Read what handlers need to know of a claimed update."""
        content = content_of(row)
        sender_id = sender_of(row.kind, content)
        access = None if sender_id is None else access_rows(conn, sender_id, Lane.parse(row.lane).access_id)
        return FirstLook(access, not inbox.has_company(conn, row), self._opening(conn, row, content, access))

    def _opening(
        self, conn: Connection, row: InboxRow, content: Mapping[str, Any], access: AccessRows | None
    ) -> Opening | None:
        """Read what the turn of a question begins with. A wrong guess costs a query, or saves none."""
        text = content.get("text") or content.get("caption") or ""
        if self.open is None or access is None or row.kind != "message" or row.control or str(text).startswith("/"):
            return None
        role = role_by(access, milliseconds(self.clock))
        lane, is_private = Lane.parse(row.lane), as_mapping(content.get("chat")).get("type") == "private"
        if role is None or lane.ephemeral_user_id is not None:
            return None
        if not (is_private or is_raw_heard(content, self.bot_id, self.username, access.mode)):
            return None
        kind = "private" if is_private else "supergroup"
        chat = ChatInfo(lane.chat_id, kind, direct_topic_id=lane.direct_topic_id)
        turn = Turn(id="", lane=row.lane, user=UserInfo(access.user_id, "", role), chat=chat, text="")
        try:
            return self.open(conn, turn)
        except Exception:
            if not conn.in_transaction:
                raise
            return None
