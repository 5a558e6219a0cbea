"""A user of the emulated Telegram, and what a user does in a client."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tgllm.testing.emulator.bots import EmulatedBot
from tgllm.testing.emulator.detect import detect
from tgllm.testing.emulator.state import (
    Account,
    CallbackQuery,
    EmulatedChat,
    EmulatedDraft,
    EmulatedMessage,
    EmulatedTopic,
)
from tgllm.testing.emulator.text import MAX_TEXT, Text, tidy, utf16_len
from tgllm.testing.emulator.wire import callback_json, chat_json, message_json, user_json
from tgllm.testing.emulator.world import World

__all__ = ["EmulatedUser"]

_CALLBACK_SECONDS = 150


@dataclass(slots=True, eq=False, kw_only=True)
class EmulatedUser(Account):
    """A user. Without ``chat``, everything happens in the private chat with the first bot."""

    world: World = field(repr=False)

    def private_chat(self, bot: EmulatedBot | None = None) -> EmulatedChat:
        """The chat with a bot (the first one by default), opened as by pressing Start."""
        return self.world.private_chat(self, bot or next(iter(self.world.bots.values())))

    async def say(
        self,
        text: str,
        *,
        chat: EmulatedChat | None = None,
        topic: EmulatedTopic | None = None,
        reply_to: EmulatedMessage | None = None,
        entities: Sequence[dict[str, Any]] = (),
    ) -> EmulatedMessage:
        """Send a text of at most 4096 UTF-16 units; commands and links become entities.

        Raises ValueError when it is empty or too long, or the user may not write there.
        """
        message = self._new_message(text_content(text, entities), chat, topic, reply_to)
        self._publish_message(message)
        return message

    async def edit(self, message: EmulatedMessage, text: str) -> EmulatedMessage:
        """Change the text of one's own message."""
        self._check_own(message)
        content = text_content(text)
        message.previous.append(message.text)
        message.content, message.edit_date = content, self.world.timestamp()
        self.world.publish(message.chat, "edited_message", message_json(message))
        return message

    async def delete(self, message: EmulatedMessage) -> None:
        """Delete one's own message; bots are not told (Bot API: Update has no such kind)."""
        self._check_own(message)
        message.chat.remove(message)
        self.world.changes.bump()

    async def press(self, message: EmulatedMessage, button: str) -> CallbackQuery:
        """Press an inline button, found by its text or its callback_data.

        The query's ``answer`` tells what the bot showed. Raises LookupError when there is no such
        button, ValueError when it has no callback_data.
        """
        found = next((b for b in message.buttons if button in {b.text, b.data}), None)
        if found is None:
            there = ", ".join(repr(b.text) for b in message.buttons) or "none"
            raise LookupError(f"no button {button!r} on message {message.id}; buttons: {there}")
        if found.data is None:
            raise ValueError(f"button {found.text!r} sends nothing to the bot")
        return self._query(message, found.data)

    def _query(self, message: EmulatedMessage, data: str) -> CallbackQuery:
        expires_at = self.world.clock.monotonic() + _CALLBACK_SECONDS
        query = CallbackQuery(self.world.new_callback_id(), self, message, data, expires_at)
        self.world.callbacks[query.id] = query
        if isinstance(message.sender, EmulatedBot):
            message.sender.queue.put("callback_query", callback_json(query), self.id)
        self.world.changes.bump()
        return query

    async def stop(self, draft: EmulatedDraft) -> None:
        """Press Stop on a draft. Raises ValueError when it has no Stop button or is gone."""
        thread = draft.topic.id if draft.topic else 0
        shown = draft.chat.drafts.get(thread)
        if shown is None or shown.id != draft.id or not shown.can_stop:
            raise ValueError(f"draft {draft.id} cannot be stopped: it has no Stop button or is gone")
        shown.is_stopped = draft.is_stopped = True
        shown.chat.stopped_drafts.add((thread, shown.id))
        if not shown.keep_on_stop:
            self.world.end_draft(shown)
        payload: dict[str, Any] = {"chat": chat_json(shown.chat), "draft_id": shown.id}
        if shown.topic is not None:
            payload["message_thread_id"] = shown.topic.id
        self.world.publish(shown.chat, "stopped_message_generation", payload)

    async def react(self, message: EmulatedMessage, emoji: str | None) -> None:
        """Put one's reaction on a message in place of the former one; None takes it back."""
        old = message.reactions.get(self.id, [])
        new = [] if emoji is None else [{"type": "emoji", "emoji": emoji}]
        message.reactions[self.id] = new
        payload = {
            "chat": chat_json(message.chat),
            "message_id": message.id,
            "user": user_json(self),
            "date": self.world.timestamp(),
            "old_reaction": old,
            "new_reaction": new,
        }
        self.world.publish(message.chat, "message_reaction", payload)

    async def block(self, bot: EmulatedBot | None = None) -> None:
        """Block a bot: what it sends fails with 403."""
        self._set_blocked(self.private_chat(bot), blocked=True)

    async def unblock(self, bot: EmulatedBot | None = None) -> None:
        """Let a bot write again."""
        self._set_blocked(self.private_chat(bot), blocked=False)

    def _set_blocked(self, chat: EmulatedChat, *, blocked: bool) -> None:
        if chat.bot_blocked == blocked or chat.bot is None:
            return
        chat.bot_blocked = blocked
        before, after = ("member", "kicked") if blocked else ("kicked", "member")
        bot = user_json(chat.bot)
        payload = {
            "chat": chat_json(chat),
            "from": user_json(self),
            "date": self.world.timestamp(),
            "old_chat_member": _membership(bot, before),
            "new_chat_member": _membership(bot, after),
        }
        self.world.publish(chat, "my_chat_member", payload)

    def _new_message(
        self,
        content: Text,
        chat: EmulatedChat | None,
        topic: EmulatedTopic | None,
        reply_to: EmulatedMessage | None,
    ) -> EmulatedMessage:
        place = chat or (topic.chat if topic else None) or self.private_chat()
        self._check_may_write(place)
        message = EmulatedMessage(place.next_message_id(), place, self, self.world.timestamp(), content)
        message.topic, message.reply_to = topic, reply_to
        return message

    def _publish_message(self, message: EmulatedMessage) -> None:
        self.world.add_message(message)
        self.world.publish(message.chat, "message", message_json(message))

    def _check_may_write(self, chat: EmulatedChat) -> None:
        if self.id not in chat.members:
            raise ValueError(f"{self.first_name} is not a member of chat {chat.id}")
        if chat.bot_blocked:
            raise ValueError(f"{self.first_name} blocked the bot of this chat; unblock() first")

    def _check_own(self, message: EmulatedMessage) -> None:
        if message.sender is not self or message.is_deleted:
            raise ValueError(f"message {message.id} is not {self.first_name}'s or is deleted")


def text_content(text: str, entities: Sequence[dict[str, Any]] = ()) -> Text:
    """A text as a client sends it. Raises ValueError when it is empty or too long."""
    content = detect(tidy(text, entities))
    if not 0 < utf16_len(content.text) <= MAX_TEXT:
        raise ValueError(f"a message has 1 to {MAX_TEXT} UTF-16 units")
    return content


def _membership(user: dict[str, Any], status: str) -> dict[str, Any]:
    """Bot API: ChatMember."""
    until = {"until_date": 0} if status == "kicked" else {}
    return {"user": user, "status": status, **until}
