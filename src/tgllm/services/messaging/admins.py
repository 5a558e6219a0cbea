"""Messages to the admins."""

from collections.abc import Collection, Sequence

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox, users
from tgllm.db.tables.outbox import CARD
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import without_controls
from tgllm.services.messaging.rows import plain_message, with_priority

__all__ = ["AdminNotifier"]

_ADMINS = {"owner", "admin"}


class AdminNotifier:
    """Sends messages to the admins through the outbox: to the admin chat if there is one, else to each in private."""

    def __init__(self, database: Database, clock: Clock, admin_chat_id: int | None) -> None:
        """Create a notifier.

        Args:
            database: holds the outbox.
            clock: source of time.
            admin_chat_id: the admin chat of the config.
        """
        self._database = database
        self._clock = clock
        self._chat_id = admin_chat_id

    async def bot_notify_admin(self, text: str) -> int:
        """Send a text to the admins. When this returns, it is stored in the outbox and survives a crash.

        Args:
            text: plain text, truncated to Telegram's limit for one message.

        Returns:
            The number of chats; 0 if no admin is known.

        Raises:
            DatabaseError: the message can't be stored.
        """
        return await self._database.write(lambda conn: self.add(conn, text))

    def add(self, conn: Connection, text: str, *, but: Collection[int | None] = ()) -> int:
        """Add a text for the admins to the outbox, within a transaction.

        Args:
            conn: an open write transaction.
            text: see ``bot_notify_admin``.
            but: ids of chats to leave out.

        Returns:
            The number of chats.
        """
        now = milliseconds(self._clock)
        rows = [
            plain_message(Lane(chat_id), without_controls(text))
            for chat_id in self.chats(conn, now)
            if chat_id not in but
        ]
        return len(outbox.add(conn, with_priority(rows, CARD), now))

    def chats(self, conn: Connection, now: int) -> Sequence[int]:
        """Return the ids of the chats in which the admins read messages, at a time in UTC milliseconds."""
        if self._chat_id is not None:
            return [present_id(conn, self._chat_id)]
        # A private chat has the id of its user (Bot API: Chat).
        return [user.id for user in users.list_all(conn, "active") if user.role in _ADMINS and user.may_use(now)]
