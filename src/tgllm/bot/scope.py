"""Scope of an update: what is known of it, short ways to the services, and how it ends."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from tgllm.api import ChatInfo, UserInfo
from tgllm.api.clock import Clock, milliseconds
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.delivery.text_files import TextFiles, is_too_long
from tgllm.bot.parts import BotParts
from tgllm.bot.rendering.split import MESSAGE_LIMIT
from tgllm.bot.updates.first_look import FirstLook
from tgllm.bot.updates.raw import turn_id_of
from tgllm.config.model import Config
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import conversations, inbox, outbox
from tgllm.db.tables.inbox import FinalState, InboxRow
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.users import SeenUser
from tgllm.i18n import error_text
from tgllm.i18n.durations import duration
from tgllm.observe.redaction import redact
from tgllm.services.bot_core import BotCore
from tgllm.services.chats.group_mode import GroupMode
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.chats.settings import settings_of
from tgllm.services.common.actor import Actor
from tgllm.services.common.lane import Lane

__all__ = ["FAILED", "Scope", "UpdateScope", "is_admin_chat", "is_confidential"]

FAILED: Final = object()
"""Result of the chain of middlewares for an update whose handler has failed."""

T = TypeVar("T")


@dataclass(slots=True)
class _Progress:
    """Progress of an update, shared by its scopes."""

    ended: bool = False
    farewell: Sequence[NewOutbox] | None = None
    """Calls that remove the update's reactions; None until they are first needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateScope:
    """An update before the access middleware has identified its sender.

    An update is finished by exactly one transaction with its effects, its replies and its state: ``end``, or a turn's
    own transaction that includes ``ending``.
    """

    row: InboxRow
    parts: BotParts
    lane: Lane
    chat: ChatInfo
    person: SeenUser | None
    """The sender as in the update; None for updates without a sender."""
    user: UserInfo | None
    """The sender as a user of the bot; None before the sender is identified."""
    progress: _Progress = field(default_factory=_Progress, repr=False)
    first_look: FirstLook = field(default_factory=FirstLook)
    is_misplaced: bool = False
    """Whether it is a press whose answer might be seen by others than the people of its chat; it may run no action."""

    @property
    def core(self) -> BotCore:
        """The services."""
        return self.parts.core

    @property
    def config(self) -> Config:
        """The settings of the operator."""
        return self.parts.core.config

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.parts.core.clock

    @property
    def now(self) -> int:
        """The time now, in UTC milliseconds."""
        return milliseconds(self.parts.core.clock)

    @property
    def ended(self) -> bool:
        """Whether the update is over."""
        return self.progress.ended

    @property
    def language(self) -> str:
        """The language to answer in."""
        return self.user.language if self.user is not None else (self.person and self.person.language_code) or ""

    def text(self, key: str, **params: object) -> str:
        """Return a text of the catalogue in the sender's language."""
        return self.parts.core.texts(key, self.language, **params)

    def duration(self, seconds: float) -> str:
        """Return a length of time in words, in the sender's language."""
        return duration(self.parts.core.texts, seconds, self.language)

    def error_text(self, error: Exception, code: str | None = None) -> str:
        """What an error says to the sender; with the code of an unexpected error."""
        return redact(error_text(self.parts.core.texts, error, self.language, code))

    def report(self, error: BaseException, *, event: str, plugin: str | None = None, **fields: object) -> str:
        """Report an unexpected error in this update; see ``ErrorReports.report``."""
        user = None if self.person is None else self.person.id
        known = {"update_id": self.row.update_id, "user": user}
        return self.parts.core.errors.report(error, event=event, plugin=plugin, **known, **fields)

    def read(self, query: Callable[[Connection], T]) -> Coroutine[Any, Any, T]:
        """Run a query; see ``Database.read``."""
        return self.parts.core.database.read(query)

    def write(self, unit: Callable[[Connection], T]) -> Coroutine[Any, Any, T]:
        """Run a unit of work that does not end the update; see ``Database.write``."""
        return self.parts.core.database.write(unit)

    async def reply(self, text: str, *effects: Unit) -> None:
        """Finish the update with a text, after these effects. A text of more than a few messages is sent as a file."""
        await self.end(*effects, replies=await self.reply_rows(text))

    async def end(
        self,
        *effects: Unit,
        replies: Sequence[NewOutbox] = (),
        state: FinalState = "done",
        error: Callable[[], str] | None = None,
    ) -> None:
        """Finish the update: effects, replies and its final state, in one transaction.

        Args:
            effects: units of work.
            replies: calls to send.
            state: the final state.
            error: returns the error text to store; called after the effects.
        """
        now = self.now
        rows = [*replies, *self._without_acknowledgement()]

        def unit(conn: Connection) -> None:
            for effect in effects:
                effect(conn)
            outbox.add(conn, rows, now)
            inbox.finish(conn, self.row.update_id, state, now, None if error is None else error())

        if rows or effects:
            # Effects may add rows too.
            self.core.database.expect("outbox")
        await self.write(unit)
        self.note_ended()

    async def file_over(self) -> int:
        """Return the UTF-16 units above which texts are files in this chat: its own choice, else the config's."""
        chosen = await self.read(lambda conn: settings_of(conversations.active_in(conn, self.lane.key)).file_over)
        return self.config.rendering.file_over if chosen is None else chosen

    async def file_rows(self, text: str, name: str) -> list[NewOutbox]:
        """Return the rows that send the beginning of a text, and the whole of it as a file."""
        files = TextFiles(self.core.storage, self.clock)
        return await files.rows(self.lane, text, name, self.text("turn.reply_in_file"), turn_id_of(self.row.update_id))

    async def reply_rows(self, text: str) -> list[NewOutbox]:
        """Return the rows that send a text; a text of more than a few messages is a file."""
        if len(text.strip()) <= MESSAGE_LIMIT:
            return message_rows(self.lane, text)
        if is_too_long(text, await self.file_over()):
            return await self.file_rows(text, "reply.txt")
        # The turn's id lets a person stop what has not been sent yet.
        return message_rows(self.lane, text, turn_id=turn_id_of(self.row.update_id))

    def ending(self, message_ids: Sequence[int] = ()) -> Unit:
        """Return the unit that marks the update as done, for the transaction of a turn.

        Args:
            message_ids: ids of the messages that were handled with the update, if there are several; their reactions
                are removed however the update ends.
        """
        rows = self._without_acknowledgement(message_ids)

        def unit(conn: Connection) -> None:
            now = self.now
            outbox.add(conn, rows, now)
            inbox.finish(conn, self.row.update_id, "done", now)
            # Not earlier: if the turn fails before this, the update still has to be finished with an error text.
            self.note_ended()

        return unit

    def note_ended(self) -> None:
        """Note that a transaction has ended the update, or has given it back to the queue."""
        self.progress.ended = True

    def _without_acknowledgement(self, message_ids: Sequence[int] = ()) -> Sequence[NewOutbox]:
        """Return the calls that remove the update's reactions; the same ones at each attempt to end it."""
        if self.progress.farewell is None:
            self.progress.farewell = self.parts.acknowledgements.taken_away(self.row, message_ids)
        return self.progress.farewell


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope(UpdateScope):
    """An update of a known sender: what the access middleware hands on to the handlers."""

    person: SeenUser
    """The sender as in the update."""
    user: UserInfo
    """The sender as a user of the bot. The role is None for people without access; handlers of messages and presses get
    no update of theirs."""
    group_mode: GroupMode = "always"
    """Which messages of the chat the bot answers."""

    @property
    def actor(self) -> Actor:
        """The sender as the one who decides something."""
        return Actor(self.user.id, "telegram")

    @classmethod
    def of(cls, scope: UpdateScope, person: SeenUser, user: UserInfo, group_mode: GroupMode) -> "Scope":
        """Return the scope of the same update, with its sender."""
        return cls(
            row=scope.row,
            parts=scope.parts,
            lane=scope.lane,
            chat=scope.chat,
            person=person,
            user=user,
            progress=scope.progress,
            first_look=scope.first_look,
            is_misplaced=scope.is_misplaced,
            group_mode=group_mode,
        )


async def is_confidential(scope: UpdateScope) -> bool:
    """Return whether the chat is confidential: a private chat or the admin chat."""
    return scope.chat.is_private or await is_admin_chat(scope)


async def is_admin_chat(scope: UpdateScope) -> bool:
    """Return whether an update comes from the admin chat."""
    chat_id = scope.config.admin_chat_id
    if scope.lane.direct_topic_id is not None:
        # One person writes there, who need not be an admin.
        return False
    if chat_id is None or scope.chat.id == chat_id:
        return chat_id is not None
    return scope.chat.id == await scope.read(lambda conn: present_id(conn, chat_id))
