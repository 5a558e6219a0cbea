"""Keeps messages that may be the admin password out of the database until they are checked.

Such a message is stored without its content, which stays in memory: see ``tgllm.bot.middlewares.password``. Which ones
may be the password depends on what the sender, an admin, was asked lately.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tgllm.api.clock import milliseconds
from tgllm.bot.admin.screen import WORD
from tgllm.bot.parts import BotParts
from tgllm.bot.updates.raw import content_of
from tgllm.bot.updates.redaction import map_strings
from tgllm.bot.updates.typed import guess_of
from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.inbox import InboxRow, NewUpdate
from tgllm.services.admin_password.guesses import Guess, typed_texts
from tgllm.services.admin_password.questions import stored_questions
from tgllm.services.admin_password.tries import Tries, tries_of
from tgllm.services.common.lane import Lane
from tgllm.services.common.update_notes import HIDDEN, NOTES

__all__ = ["Hiding"]

_MESSAGES: Final = frozenset({"message", "edited_message"})
_KEPT: Final = (
    "message_id", "date", "edit_date", "chat", "from", "sender_chat", "message_thread_id", "is_topic_message",
    "direct_messages_topic", "ephemeral_message_id", "receiver_user", "business_connection_id",
)  # fmt: skip
"""Keys of a message (Bot API: Message) that say where it is and who sent it."""
_LONG: Final = "broadcast"
"""Start of the admin commands whose argument is a long text."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message of an admin."""

    update: NewUpdate
    sender: int
    content: Mapping[str, Any]
    guess: Guess
    tries: Tries

    @property
    def is_private(self) -> bool:
        """Whether it is in the private chat with its sender."""
        lane = Lane.parse(self.update.lane)
        return lane.chat_id == self.sender and lane.business_connection_id is None


class Hiding:
    """Replaces updates by emptied ones, whose contents are in the vault of the password."""

    def __init__(self, parts: BotParts) -> None:
        self._parts = parts
        self._commands: dict[int, set[int]] = defaultdict(set)
        """Updates with admin commands that have not ended, by user id: each may ask for the password."""
        self._fresh: set[int] = set()
        """Updates of the batch whose contents were not in the vault before."""

    async def hide(self, updates: Sequence[NewUpdate]) -> Sequence[NewUpdate]:
        """Return the updates to store.

        Raises:
            DatabaseError: the database can't be read.
        """
        core = self._parts.core
        if not core.password.is_set:
            return updates
        found = [(update, content_of(update)) for update in updates]
        senders = {find(content) for _, content in found for find in (_sender, _quoted)} - {None}
        if not senders:
            return updates
        now = milliseconds(core.clock)
        if core.database.is_server:
            core.password.questions.learn(await core.database.read(stored_questions))
        admins = await core.database.read(lambda conn: _admins(conn, senders, now))
        return [self._hidden(update, content, admins, now) for update, content in found] if admins else updates

    def stored(self, new: Iterable[NewUpdate]) -> None:
        """Note which updates of the batch were new; the others were stored when they were first received."""
        for update_id in self._fresh - {update.update_id for update in new}:
            self._parts.core.password.vault.drop(update_id)
        self._fresh.clear()

    def ended(self, row: InboxRow) -> None:
        """Note that the task of an update has ended."""
        self._parts.core.password.vault.drop(row.update_id)
        for commands in self._commands.values():
            commands.discard(row.update_id)

    def _hidden(
        self, update: NewUpdate, content: Mapping[str, Any], admins: Mapping[int, Tries], now: int
    ) -> NewUpdate:
        sender, quoted = _sender(content), _quoted(content)
        if quoted in admins and quoted is not None and quoted != sender:
            update = self._without_quoted(update, quoted)
            content = content_of(update)
        if sender is None or sender not in admins:
            return update
        if str(content.get("data", "")).startswith(f"{WORD}:"):
            self._commands[sender].add(update.update_id)
        guess = guess_of(content, self._parts.bot_id, self._parts.username) if update.kind in _MESSAGES else None
        if guess is None:
            return update
        sent = _Sent(update, sender, content, guess, admins[sender])
        hides = self._may_be_password(sent, now)
        if guess.command == WORD and sent.is_private:
            self._commands[sender].add(update.update_id)
        if not hides:
            return self._without_quoted(update, sender)
        if self._parts.core.password.vault.get(update.update_id) is None:
            self._fresh.add(update.update_id)
            self._parts.core.password.vault.keep(update.update_id, update.payload)
        return replace(update, payload=_emptied(update))

    def _may_be_password(self, sent: _Sent, now: int) -> bool:
        password, guess, sender = self._parts.core.password, sent.guess, sent.sender
        if password.is_repeated(sender, typed_texts(sent.content)):
            return True
        kind = password.questions.kind_of_answer(
            sender,
            sent.update.update_id,
            received_at=now,
            sent_at=1000 * int(sent.content.get("edit_date") or sent.content.get("date") or 0),
            locked_until=sent.tries.locked_until,
        )
        if sent.is_private and not guess.command:
            asked = bool(self._commands[sender]) and not password.is_open(sender)
            was_answer = password.questions.was_answer(sender, as_id(sent.content.get("message_id")) or 0)
            if kind is not None or asked or was_answer:
                return True
        if kind is not None:
            return bool(guess.candidates) or (guess.is_addressed and guess.is_short)
        is_long = guess.command == WORD and guess.text.startswith(_LONG)
        if password.may_be_known(sender, guess.candidates):
            return True
        return not is_long and password.may_be_unknown(sender, guess.singles)

    def _without_quoted(self, update: NewUpdate, author: int) -> NewUpdate:
        """Return the update without the password that an admin has sent, and that the message quotes.

        Args:
            update: a message of anybody.
            author: the admin, who has sent it or the message to which it replies.
        """
        password, changed = self._parts.core.password, False

        def change(text: str) -> str:
            nonlocal changed
            if not password.is_repeated(author, [text]):
                return text
            changed = True
            return "*" * len(text)

        clean: Any = map_strings(json.loads(update.payload), change)
        replied = as_mapping(content_of(update).get("reply_to_message"))
        if password.questions.was_answer(author, as_id(replied.get("message_id")) or 0):
            # It could not be deleted, and may be the password.
            changed = True
            for key in ("reply_to_message", "quote"):
                clean[update.kind].pop(key, None)
        return replace(update, payload=json.dumps(clean, separators=(",", ":"))) if changed else update


def _sender(content: Mapping[str, Any]) -> int | None:
    return as_id(as_mapping(content.get("from")).get("id"))


def _quoted(content: Mapping[str, Any]) -> int | None:
    """Return the author of the message to which a message replies."""
    return _sender(as_mapping(content.get("reply_to_message")))


def _admins(conn: Connection, senders: Iterable[int | None], now: int) -> Mapping[int, Tries]:
    """Return the failed attempts of the admins among these people."""
    return {admin.id: tries_of(conn, admin.id) for admin in users.admins(conn, now) if admin.id in senders}


def _emptied(update: NewUpdate) -> str:
    content = content_of(update)
    kept = {key: content[key] for key in _KEPT if key in content}
    emptied = {"update_id": update.update_id, update.kind: kept, NOTES: {HIDDEN: 1}}
    return json.dumps(emptied, separators=(",", ":"))
