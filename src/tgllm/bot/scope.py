"""One update on its way through the bot: what is known of it, and how it ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tgllm.api import ChatInfo, UserInfo
from tgllm.api.clock import milliseconds
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.parts import BotParts
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import inbox, outbox
from tgllm.db.tables.inbox import FinalState, InboxRow
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.users import SeenUser
from tgllm.services.chats.group_mode import GroupMode
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.common.lane import Lane

__all__ = ["UpdateScope", "is_admin_chat", "is_confidential"]


@dataclass(slots=True)
class UpdateScope:
    """Handed from the dispatch through the middlewares to the handler.

    An update ends by exactly one transaction that holds its effects, its replies and its state: ``end``, or a turn's
    own transaction with ``ending`` in it.
    """

    row: InboxRow
    parts: BotParts
    lane: Lane
    chat: ChatInfo
    person: SeenUser | None = None
    """Who sent it, as Telegram says; None for updates without a sender."""
    user: UserInfo | None = None
    """Who that is to the bot; set by the access middleware."""
    group_mode: GroupMode = "always"
    """Which messages of the chat the bot answers; of a group, set by the access middleware."""
    ended: bool = field(default=False)
    _farewell: list[NewOutbox] | None = field(default=None, init=False, repr=False)

    @property
    def language(self) -> str:
        """The language to answer in."""
        return self.user.language if self.user is not None else (self.person and self.person.language_code) or ""

    def text(self, key: str, **params: object) -> str:
        """A text of the catalogue in the sender's language."""
        return self.parts.core.texts(key, self.language, **params)

    async def reply(self, text: str, *effects: Unit) -> None:
        """End the update with a text, after these effects."""
        await self.end(*effects, replies=message_rows(self.lane, text))

    async def end(
        self,
        *effects: Unit,
        replies: Sequence[NewOutbox] = (),
        state: FinalState = "done",
        error: str | None = None,
    ) -> None:
        """End the update: effects, replies and its final state, in one transaction."""
        clock = self.parts.core.clock
        now = milliseconds(clock)
        rows = [*replies, *self._without_acknowledgement()]

        def unit(conn: Connection) -> None:
            for effect in effects:
                effect(conn)
            outbox.add(conn, rows, now)
            inbox.finish(conn, self.row.update_id, state, now, error)

        await self.parts.core.database.write(unit)
        self.ended = True

    def ending(self, message_ids: Sequence[int] = ()) -> Unit:
        """The piece of work that marks the update as done, for a transaction made elsewhere.

        Args:
            message_ids: of the messages that the update was about, where those are several; none of them waits any more
                when the update ends, in whatever way.
        """
        clock = self.parts.core.clock
        rows = self._without_acknowledgement(message_ids)

        def unit(conn: Connection) -> None:
            now = milliseconds(clock)
            outbox.add(conn, rows, now)
            inbox.finish(conn, self.row.update_id, "done", now)
            # Not sooner: an update whose turn breaks before this still has to be ended, with words.
            self.ended = True

        return unit

    def _without_acknowledgement(self, message_ids: Sequence[int] = ()) -> Sequence[NewOutbox]:
        """What takes back that the update was seen; the same however often its end is tried."""
        if self._farewell is None:
            self._farewell = self.parts.acknowledgements.taken_away(self.row, message_ids)
        return self._farewell


async def is_confidential(scope: UpdateScope) -> bool:
    """Whether only those read along who the operator wants to: in private, and in the admin chat."""
    return scope.chat.is_private or await is_admin_chat(scope)


async def is_admin_chat(scope: UpdateScope) -> bool:
    """Whether an update comes from the admin chat."""
    chat_id, core = scope.parts.core.config.admin_chat_id, scope.parts.core
    if chat_id is None or scope.chat.id == chat_id:
        return chat_id is not None
    return scope.chat.id == await core.database.read(lambda conn: present_id(conn, chat_id))
