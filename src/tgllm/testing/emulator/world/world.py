"""State of the emulated Telegram, and its basic operations."""

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from tgllm.api.clock import Clock
from tgllm.testing.changes import Changes
from tgllm.testing.emulator.limits.downloads import Downloads
from tgllm.testing.emulator.limits.faults import Faults
from tgllm.testing.emulator.limits.rates import RateMeter
from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.files import FileStore
from tgllm.testing.emulator.state.journal import Journal
from tgllm.testing.emulator.state.records import (
    Account,
    CallbackQuery,
    ChatType,
    EmulatedChat,
    EmulatedDraft,
    EmulatedMessage,
    EmulatedTopic,
)
from tgllm.testing.emulator.state.updates import UpdateQueue

if TYPE_CHECKING:
    from tgllm.testing.emulator.state.suggestions import Suggestion

__all__ = ["FIRST_UPDATE_ID", "World"]

FIRST_UPDATE_ID = 700_000_001
_FIRST_USER_ID = 1_001
_FIRST_GROUP_ID = -5_001
_FIRST_SUPERGROUP_ID = -1_001_000_000_001


class World:
    """All state of the server. Use it only in the event loop of the server."""

    def __init__(self, clock: Clock, meter: RateMeter, first_update_id: int = FIRST_UPDATE_ID) -> None:
        self._first_update_id = first_update_id
        self.clock = clock
        self.meter = meter
        self.changes = Changes()
        self.journal = Journal()
        self.faults = Faults()
        self.files = FileStore()
        self.downloads = Downloads()
        self.bots: dict[str, EmulatedBot] = {}
        self.accounts: dict[int, Account] = {}
        self.callbacks: dict[str, CallbackQuery] = {}
        self.chats: dict[tuple[int, int], EmulatedChat] = {}
        self.suggestions: tuple[Suggestion, ...] = ()
        self._user_ids = count(_FIRST_USER_ID)
        self._callback_ids = count(1)
        # Insertion order is expiry order, because all drafts have the same lifetime.
        self._drafts: dict[EmulatedDraft, None] = {}

    # --- accounts -------------------------------------------------------------------------

    def next_user_id(self) -> int:
        """Return an unused id."""
        return next(number for number in self._user_ids if number not in self.accounts)

    def add_account(self, account: Account) -> None:
        """Store a user or a bot. Raises ValueError if the id is in use."""
        if account.id in self.accounts:
            raise ValueError(f"there is an account {account.id} already")
        self.accounts[account.id] = account
        self.changes.bump()

    def new_queue(self) -> UpdateQueue:
        """Return an empty update queue for a bot."""
        return UpdateQueue(self.clock, self.changes.bump, self._first_update_id)

    def timestamp(self) -> int:
        """Return the current time, in whole seconds since 1970."""
        return int(self.clock.now())

    # --- chats ----------------------------------------------------------------------------

    def private_chat(self, user: Account, bot: Account) -> EmulatedChat:
        """Return the chat of a user with a bot; it is created if it does not exist."""
        chat = self.chats.get((bot.id, user.id))
        if chat is None:
            chat = EmulatedChat(user.id, "private", user=user, bot=bot)
            chat.members = {user.id: user, bot.id: bot}
            self.chats[bot.id, user.id] = chat
            self.changes.bump()
        return chat

    def add_chat(self, kind: ChatType, title: str) -> EmulatedChat:
        """Add a group, supergroup or channel."""
        taken = {chat.id for chat in self.chats.values()}
        first = _FIRST_GROUP_ID if kind == "group" else _FIRST_SUPERGROUP_ID
        chat_id = next(number for number in count(first, -1) if number not in taken)
        chat = EmulatedChat(chat_id, kind, title=title)
        self.chats[0, chat_id] = chat
        self.changes.bump()
        return chat

    def find_chat(self, bot: Account, chat_id: int | str) -> EmulatedChat | None:
        """Return the chat with this id or @username from the view of ``bot``, or None."""
        if isinstance(chat_id, int):
            return self.chats.get((0, chat_id)) or self.chats.get((bot.id, chat_id))
        name = chat_id.removeprefix("@").lower()
        named = (c for c in self.chats.values() if c.username and c.username.lower() == name)
        return next(named, None)

    def bots_in(self, chat: EmulatedChat) -> list[EmulatedBot]:
        """Return the bots that are members of the chat."""
        return [bot for bot in self.bots.values() if bot.id in chat.members]

    # --- messages and drafts --------------------------------------------------------------

    def add_message(self, message: EmulatedMessage) -> None:
        """Store a message; a bot's message ends the draft and the chat action of its chat or topic."""
        thread = message.topic.id if message.topic else 0
        if message.from_bot:
            self._forget_draft(message.chat.drafts.pop(thread, None))
            message.chat.actions.pop(thread, None)
            message.chat.stopped_drafts = {key for key in message.chat.stopped_drafts if key[0] != thread}
        message.chat.add(message)
        if not message.from_bot:
            message.chat.read[message.sender.id] = message.id
        self.changes.bump()

    def set_draft(self, draft: EmulatedDraft) -> None:
        """Show a draft, in place of the previous one in the same chat and topic."""
        thread = draft.topic.id if draft.topic else 0
        self._forget_draft(draft.chat.drafts.get(thread))
        draft.chat.drafts[thread] = draft
        self._drafts[draft] = None
        self.changes.bump()

    def oldest_draft(self) -> EmulatedDraft | None:
        """Return the visible draft that expires first."""
        return next(iter(self._drafts), None)

    def end_draft(self, draft: EmulatedDraft) -> None:
        """Remove a draft."""
        thread = draft.topic.id if draft.topic else 0
        if draft.chat.drafts.get(thread) is draft:
            self._forget_draft(draft.chat.drafts.pop(thread))
            self.changes.bump()

    def _forget_draft(self, draft: EmulatedDraft | None) -> None:
        if draft is not None:
            self._drafts.pop(draft, None)

    def topic(self, chat: EmulatedChat, topic_id: int | None) -> EmulatedTopic | None:
        """Return the topic with this message_thread_id, or None."""
        return None if topic_id is None else chat.topics.get(topic_id)

    # --- updates --------------------------------------------------------------------------

    def publish(self, chat: EmulatedChat, kind: str, payload: object) -> None:
        """Queue an update for each bot of the chat."""
        self.publish_to(self.bots_in(chat), chat, kind, payload)

    def publish_to(self, bots: Sequence[EmulatedBot], chat: EmulatedChat, kind: str, payload: object) -> None:
        """Queue an update for these bots."""
        for bot in bots:
            bot.queue.put(kind, payload, chat.id)
        self.changes.bump()

    def new_callback_id(self) -> str:
        """Return a new id for a callback query."""
        return f"{next(self._callback_ids) * 7_919:019d}"
