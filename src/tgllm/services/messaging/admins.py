"""Messages of the bot to its admins."""

from collections.abc import Collection, Sequence

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox, users
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import plain_message

__all__ = ["AdminNotifier"]

_ADMINS = {"owner", "admin"}


class AdminNotifier:
    """Tells the admins something, by the outbox: in the admin chat if there is one, else each in private."""

    def __init__(self, database: Database, clock: Clock, admin_chat_id: int | None) -> None:
        """Prepare.

        Args:
            database: where the outbox is.
            clock: the time.
            admin_chat_id: the chat from the config.
        """
        self._database = database
        self._clock = clock
        self._chat_id = admin_chat_id

    async def bot_notify_admin(self, text: str) -> int:
        """Tell the admins a text; it is on its way when this returns, and survives a crash.

        Args:
            text: plain; what is over Telegram's limit for one message is cut off.

        Returns:
            How many chats it goes to; 0 where no admin is known.

        Raises:
            DatabaseError: it can't be stored.
        """
        return await self._database.write(lambda conn: self.add(conn, text))

    def add(self, conn: Connection, text: str, *, but: Collection[int | None] = ()) -> int:
        """Store a text for the admins as part of a transaction.

        Args:
            conn: an open write transaction.
            text: see ``bot_notify_admin``.
            but: ids of chats in which it is known already.

        Returns:
            How many chats it goes to.
        """
        now = milliseconds(self._clock)
        rows = [plain_message(Lane(chat_id), text) for chat_id in self._chats(conn, now) if chat_id not in but]
        return len(outbox.add(conn, rows, now))

    def _chats(self, conn: Connection, now: int) -> Sequence[int]:
        if self._chat_id is not None:
            return [present_id(conn, self._chat_id)]
        # The id of a person's private chat with the bot is the person's own (Bot API: Chat).
        return [user.id for user in users.list_all(conn, "active") if user.role in _ADMINS and user.may_use(now)]
