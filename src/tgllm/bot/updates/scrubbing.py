"""What is kept of updates that no handler has finished: only what is for the bot, from people who may use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tgllm.bot.updates.mentions import is_raw_heard
from tgllm.bot.updates.places import place_of
from tgllm.bot.updates.raw import content_of
from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.scrub import scrub
from tgllm.db.tables.inbox import InboxRow
from tgllm.services.chats.group_mode import group_mode
from tgllm.services.common.lane import Lane
from tgllm.services.people.standing import may_talk

__all__ = ["Relevance"]

_MESSAGES = frozenset({"message", "edited_message"})


@dataclass(frozen=True, slots=True)
class Relevance:
    """Decides by the raw content which updates are for the bot, and empties the others."""

    bot_id: int
    username: str
    """The bot's own, without the @."""

    def is_for_the_bot(self, conn: Connection, lane: Lane, message: Mapping[str, Any], now: int) -> bool:
        """Return whether the bot will probably answer a message.

        Args:
            conn: to read who may use the bot.
            lane: the message's.
            message: the raw message.
            now: UTC in milliseconds.
        """
        sender, place = as_mapping(message.get("from")), place_of("message", message)
        sender_id = as_id(sender.get("id"))
        if sender_id is None or sender.get("is_bot") is True or "sender_chat" in message:
            return False
        # An earlier version may have stored the message in a lane that has other readers.
        if place.closed or place.lane != lane or lane.ephemeral_user_id is not None:
            return False
        if not may_talk(conn, sender_id, lane.access_id, now):
            return False
        if as_mapping(message.get("chat")).get("type") == "private":
            return True
        return is_raw_heard(message, self.bot_id, self.username, group_mode(conn, lane.access_id))

    def empty_irrelevant(self, conn: Connection, row: InboxRow, now: int) -> bool:
        """Empty an update that is not for the bot, or whose sender may not use it in its chat; only its id stays.

        Args:
            conn: in the transaction that finishes the update, before that.
            row: the update.
            now: UTC in milliseconds.

        Returns:
            Whether it was emptied.
        """
        if self._is_relevant(conn, row, now):
            return False
        scrub(conn, row.update_id)
        return True

    def _is_relevant(self, conn: Connection, row: InboxRow, now: int) -> bool:
        lane, content = Lane.parse(row.lane), content_of(row)
        if row.kind in _MESSAGES:
            return self.is_for_the_bot(conn, lane, content, now)
        sender_id = as_id(as_mapping(content.get("from")).get("id"))
        return sender_id is not None and may_talk(conn, sender_id, lane.access_id, now)
