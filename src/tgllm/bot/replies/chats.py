"""Messages that plugins send by themselves: ``ctx.chats`` of a running bot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from tgllm.api import ChatInfo, PluginError, Reply, SentMessage, UserInfo
from tgllm.api.chats import ChatRef
from tgllm.api.clock import milliseconds
from tgllm.bot.replies.calls import PluginCall, current_call
from tgllm.bot.replies.checks import fault_of
from tgllm.bot.replies.composing import Composer
from tgllm.bot.replies.keyboards import Keyboard
from tgllm.bot.replies.posting import Content, delete, edit, post
from tgllm.bot.replies.standing import check_reachable
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.outbox import ANSWER, NOTICE, NewOutbox, Priority
from tgllm.db.tables.plugins import messages
from tgllm.db.tables.plugins.messages import NewPluginMessage, PluginMessage
from tgllm.plugins.host import PluginHost
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.people import language_in

__all__ = ["ChatSender", "PluginChats", "handle_of"]

MOST_KEY: Final = 200
"""Most characters of a key."""

MOST_CHAT_ID: Final = 2**52
"""Bot API, User and Chat: an id has at most 52 significant bits."""
MOST_NUMBER: Final = 2**63
"""What the database can store."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ChatSender:
    """Sends messages of plugins through the outbox."""

    composer: Composer
    host: PluginHost
    admin_chat_id: int | None

    def of(self, plugin_id: str) -> "PluginChats":
        """Return the sender of one plugin."""
        return PluginChats(plugin_id, self)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a message goes, and how."""

    lane: Lane
    recipient_id: int | None
    call: PluginCall | None
    """The command or press from this chat that is being handled."""

    @property
    def priority(self) -> Priority:
        return NOTICE if self.call is None else ANSWER


@dataclass(frozen=True, slots=True)
class PluginChats:
    """Messages of one plugin; see ``tgllm.api.Chats``."""

    plugin_id: str
    sender: ChatSender

    async def send(
        self, chat: ChatRef, reply: Reply | str, *, key: str | None = None, recipient: UserInfo | int | None = None
    ) -> SentMessage:
        """Send a message; see ``Chats.send``."""
        reply = self._checked(reply)
        if key is not None:
            self._check_key(key)
        lane = _lane_of(chat)
        database, clock = self.sender.composer.database, self.sender.composer.clock
        # Here, since units of work run in a thread.
        call = current_call(self.plugin_id)
        key_of_call = call.next_key() if call is not None and key is None else None

        def look(conn: Connection) -> tuple[_Target, str | None, PluginMessage | None, str]:
            target = _target(conn, lane, recipient, call)
            known_as = key if key is not None or target.call is None else key_of_call
            known = None if known_as is None else messages.find_key(conn, self.plugin_id, known_as)
            if known is None:
                self._check_reachable(conn, target, milliseconds(clock))
            return target, known_as, known, language_in(conn, target.lane.chat_id)

        # Before the text is rendered and files are copied; checked again in the transaction that stores the message.
        target, known_as, known, language = await database.read(look)
        if known is not None:
            return handle_of(known, is_new=False)
        rows = await self.sender.composer.compose(target.lane, reply, language)
        if not rows:
            raise PluginError(f"a message of the plugin {self.plugin_id} has neither a visible text nor files")
        new = NewPluginMessage(
            plugin_id=self.plugin_id,
            key=known_as,
            lane=target.lane.key,
            user_id=target.recipient_id,
            priority=target.priority,
        )
        content = Content(rows, Keyboard(reply.buttons))

        def unit(conn: Connection) -> tuple[PluginMessage, bool]:
            now = milliseconds(clock)
            self._check_reachable(conn, target, now)
            return post(conn, new, content, now)

        message, is_new = await self._kept(rows, unit)
        if not is_new:
            await self.sender.composer.discard(rows)
        return handle_of(message, is_new=is_new)

    async def edit(self, message: SentMessage | int, reply: Reply | str) -> bool:
        """Edit a message; see ``Chats.edit``."""
        reply, message_id = self._checked(reply), _id_of(message)
        composer = self.sender.composer

        def look(conn: Connection) -> tuple[Lane, str] | None:
            stored = self._own(conn, message_id)
            if stored is None:
                return None
            lane = Lane.parse(stored.lane)
            return lane, language_in(conn, lane.chat_id)

        found = await composer.database.read(look)
        if found is None:
            return False
        if not reply.text.strip():
            raise PluginError(f"an edit of the plugin {self.plugin_id} has no text")
        lane, language = found
        content = Content(await composer.compose(lane, reply, language), Keyboard(reply.buttons))
        call = current_call(self.plugin_id)

        def unit(conn: Connection) -> bool:
            now = milliseconds(composer.clock)
            present = self._own(conn, message_id)
            if present is None:
                return False
            target = _target(conn, Lane.parse(present.lane), present.user_id, call)
            self._check_reachable(conn, target, now)
            return edit(conn, present, content, target.priority, now)

        edited = await self._kept(content.rows, unit)
        if not edited:
            await self.sender.composer.discard(content.rows)
        return edited

    async def delete(self, message: SentMessage | int) -> bool:
        """Delete a message; see ``Chats.delete``."""
        message_id, composer, call = _id_of(message), self.sender.composer, current_call(self.plugin_id)

        def unit(conn: Connection) -> bool:
            present = self._own(conn, message_id)
            if present is None:
                return False
            target = _target(conn, Lane.parse(present.lane), None, call)
            return delete(conn, present, target.priority, milliseconds(composer.clock))

        composer.database.expect("outbox")
        return await composer.database.write(unit)

    async def _kept(self, rows: Sequence[NewOutbox], unit: Callable[[Connection], T]) -> T:
        """Run a unit of work that keeps rows; without them, their files are removed."""
        database = self.sender.composer.database
        # The rows are claimed by the sender in the transaction that stores them.
        database.expect("outbox")
        try:
            return await database.write(unit)
        except BaseException:
            await self.sender.composer.discard(rows)
            raise

    def _checked(self, reply: object) -> Reply:
        """Return the reply of a plugin that may still send.

        Raises:
            PluginError: the reply can't be sent, or the plugin is not active.
        """
        if not self.sender.host.is_active(self.plugin_id):
            raise PluginError(f"the plugin {self.plugin_id} is not active and sends nothing")
        made = Reply(reply) if isinstance(reply, str) else reply
        fault = fault_of(made, handles_presses=self.sender.host.handles_presses(self.plugin_id))
        if fault is not None or not isinstance(made, Reply):
            raise PluginError(f"a message of the plugin {self.plugin_id} is {fault}")
        return made

    def _check_key(self, key: object) -> None:
        if isinstance(key, str) and 1 <= len(key) <= MOST_KEY and key.isprintable():
            return
        raise PluginError(f"{key!r} is no key: a key is a text of 1-{MOST_KEY} printable characters")

    def _check_reachable(self, conn: Connection, target: _Target, now: int) -> None:
        check_reachable(
            conn,
            target.lane,
            now,
            recipient_id=target.recipient_id,
            admin_chat_id=self.sender.admin_chat_id,
            is_open=target.call is not None,
        )

    def _own(self, conn: Connection, message_id: int) -> PluginMessage | None:
        """Return a message of this plugin."""
        message = messages.get(conn, message_id)
        return message if message is not None and message.plugin_id == self.plugin_id else None


def _target(conn: Connection, lane: Lane, recipient: UserInfo | int | None, call: PluginCall | None) -> _Target:
    """Return where a message goes: with a call from the same chat, it is like a reply to its person."""
    present = present_id(conn, lane.chat_id)
    if present != lane.chat_id:
        lane = Lane(present)
    if call is not None and not _is_same_chat(Lane.parse(call.lane), lane):
        call = None
    if recipient is not None:
        recipient_id = _person_of(recipient)
    elif call is not None:
        recipient_id = call.user_id
    else:
        # Bot API: Chat. A private chat has the id of its person.
        recipient_id = lane.chat_id if lane.chat_id > 0 else None
    # The access of its person was checked when it began. A task that outlives it sends like a job.
    return _Target(lane, recipient_id, None if call is None or call.is_over else call)


def _lane_of(chat: object) -> Lane:
    match chat:
        case ChatInfo():
            lane = Lane(chat.id, chat.topic_id, None, chat.direct_topic_id)
        case UserInfo():
            lane = Lane(chat.id)
        case int() if not isinstance(chat, bool):
            lane = Lane(chat)
        case _:
            raise PluginError(f"a {type(chat).__name__} is no chat: use a ChatInfo, a UserInfo or an id")
    topics = (each for each in (lane.topic_id, lane.direct_topic_id) if each is not None)
    if not _is_number(lane.chat_id, MOST_CHAT_ID) or not all(_is_number(each, MOST_NUMBER) for each in topics):
        raise PluginError(f"{chat!r} is no chat: its id, or that of its topic, is none of Telegram's")
    return lane


def _id_of(message: object) -> int:
    found = message.id if isinstance(message, SentMessage) else message
    if not _is_number(found, MOST_NUMBER):
        raise PluginError(f"{message!r} is no message: use a SentMessage or its id")
    return cast("int", found)


def _person_of(recipient: object) -> int:
    found = recipient.id if isinstance(recipient, UserInfo) else recipient
    if not _is_number(found, MOST_CHAT_ID) or cast("int", found) <= 0:
        raise PluginError(f"{recipient!r} is no person: use a UserInfo or an id")
    return cast("int", found)


def _is_number(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < most


def _is_same_chat(lane: Lane, other: Lane) -> bool:
    return lane.chat_id == other.chat_id and lane.direct_topic_id == other.direct_topic_id


def handle_of(message: PluginMessage, *, is_new: bool) -> SentMessage:
    """Return a stored message as plugins see it."""
    return SentMessage(message.id, Lane.parse(message.lane).chat_id, is_new)
