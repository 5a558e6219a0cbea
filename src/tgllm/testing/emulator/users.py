"""Users of the emulated Telegram, and their actions in a client."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.records import (
    Account,
    CallbackQuery,
    EmulatedChat,
    EmulatedDraft,
    EmulatedMessage,
    EmulatedTopic,
)
from tgllm.testing.emulator.world import membership
from tgllm.testing.emulator.world.media import FOLDERS
from tgllm.testing.emulator.world.members import ADMINS
from tgllm.testing.emulator.world.mentioning import with_mentions
from tgllm.testing.emulator.world.posting import (
    Content,
    GivenFile,
    Place,
    caption_text,
    file_content,
    in_the_name_of_a_chat,
    post,
    post_ephemeral,
    post_service,
    publish_message,
    split_paste,
    text_content,
)
from tgllm.testing.emulator.world.wire import callback_json, chat_json, message_json, user_json
from tgllm.testing.emulator.world.world import World

__all__ = ["EmulatedUser"]

# Bot API server: time in which a callback query can be answered, in seconds.
_CALLBACK_SECONDS = 150
# Bot API server: a webhook receives a user's button presses in order, independently of messages. Larger than any id.
_CALLBACK_LANES = 1 << 60
# Fields that say something about a message and not about its content.
_OWN_OF_A_MESSAGE = frozenset({"from", "sender_chat", "media_group_id", "quote", "external_reply", "forward_origin"})
_albums = count(14_000_000_000_000_001)


@dataclass(slots=True, eq=False, kw_only=True, repr=False)
class EmulatedUser(Account):
    """A user. Without ``chat`` or ``topic``, an action is in the private chat with the first bot.

    An action that Telegram's clients don't allow raises ValueError.
    """

    world: World = field(repr=False)

    def private_chat(self, bot: EmulatedBot | None = None) -> EmulatedChat:
        """Return the private chat with a bot (the first one by default), as after pressing Start."""
        return self.world.private_chat(self, bot or next(iter(self.world.bots.values())))

    # --- messages -------------------------------------------------------------------------

    async def say(
        self,
        text: str,
        *,
        chat: EmulatedChat | None = None,
        topic: EmulatedTopic | None = None,
        reply_to: EmulatedMessage | None = None,
        entities: Sequence[dict[str, Any]] = (),
        fields: Mapping[str, Any] | None = None,
    ) -> EmulatedMessage:
        """Send a text of 1 to 4096 UTF-16 units; commands, mentions and links become entities.

        ``entities`` are what the sender formats, in Bot API form: ``bold``, ``pre``, ``text_link``, ``text_mention``...

        ``fields`` are further fields of the message in Bot API form, such as ``quote``, ``forward_origin`` or
        ``external_reply``; a ``sender_chat`` makes it a message in the name of that chat.
        """
        content = text_content(text, entities)
        content.fields.update(in_the_name_of_a_chat(fields or {}))
        return post(self.world, self, self._place(chat, topic, reply_to), content)

    async def cause(
        self, fields: Mapping[str, Any], *, chat: EmulatedChat | None = None, topic: EmulatedTopic | None = None
    ) -> EmulatedMessage:
        """Cause a service message, such as ``{"video_chat_started": {}}``; ``fields`` in Bot API form."""
        return post_service(self.world, self, self._place(chat, topic), dict(fields))

    async def pin(self, message: EmulatedMessage) -> EmulatedMessage:
        """Pin a message; return the service message about it."""
        message.is_pinned = True
        pinned = message_json(message, with_reply=False)
        return post_service(self.world, self, Place(message.chat, message.topic), {"pinned_message": pinned})

    async def say_ephemeral(
        self, text: str, *, chat: EmulatedChat, topic: EmulatedTopic | None = None, bot: EmulatedBot | None = None
    ) -> EmulatedMessage:
        """Send a text that only one bot of a group receives (the first one by default)."""
        receiver = bot or next(iter(self.world.bots.values()))
        return post_ephemeral(self.world, self, receiver, self._place(chat, topic), text_content(text))

    async def paste(self, text: str, *, chat: EmulatedChat | None = None) -> list[EmulatedMessage]:
        """Send a text of any length, split into messages of 4096 UTF-16 units as clients do."""
        place = self._place(chat)
        return [post(self.world, self, place, text_content(part)) for part in split_paste(text)]

    async def upload(  # noqa: PLR0913 - all but the content are keyword-only with defaults
        self,
        content: bytes,
        *,
        name: str = "file.bin",
        mime: str = "application/octet-stream",
        kind: str = "document",
        caption: str = "",
        entities: Sequence[dict[str, Any]] = (),
        chat: EmulatedChat | None = None,
        topic: EmulatedTopic | None = None,
        reply_to: EmulatedMessage | None = None,
        about: Mapping[str, Any] | None = None,
        thumbnail: bytes | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> EmulatedMessage:
        """Send a file; ``kind`` is document, photo, voice, audio, video, animation, video_note or sticker.

        ``entities`` are those of the caption. ``about`` are further fields of the file's description in Bot API form,
        such as ``duration`` or ``is_animated``; None removes a field, such as ``file_size``. ``fields`` are further
        fields of the message: see ``say``.
        """
        place = self._place(chat, topic, reply_to)
        given = GivenFile(content, name, mime, kind, about or {}, thumbnail)
        made = file_content(self.world, given, caption, entities)
        made.fields.update(in_the_name_of_a_chat(fields or {}))
        return post(self.world, self, place, made)

    async def forward(
        self,
        message: EmulatedMessage,
        *,
        chat: EmulatedChat | None = None,
        topic: EmulatedTopic | None = None,
    ) -> EmulatedMessage:
        """Forward a message: the same content and file, with its origin."""
        kept = {name: value for name, value in message.fields.items() if name not in _OWN_OF_A_MESSAGE}
        origin = {"type": "user", "sender_user": user_json(message.sender), "date": message.date}
        content = Content(message.content, {"forward_origin": origin, **kept}, message.file)
        return post(self.world, self, self._place(chat, topic), content)

    async def album(  # noqa: PLR0913 - all but the files are keyword-only with defaults
        self,
        files: Sequence[tuple[str, bytes]],
        *,
        mime: str = "image/jpeg",
        kind: str = "photo",
        caption: str = "",
        entities: Sequence[dict[str, Any]] = (),
        chat: EmulatedChat | None = None,
        topic: EmulatedTopic | None = None,
        reply_to: EmulatedMessage | None = None,
        group_id: str | None = None,
    ) -> list[EmulatedMessage]:
        """Send files as one album: a message for each, with the same media_group_id.

        The first message has the caption, with its ``entities``. With the ``group_id`` of an earlier album the files
        are added to it.
        """
        place, group_id = self._place(chat, topic, reply_to), group_id or str(next(_albums))
        sent: list[EmulatedMessage] = []
        for name, content in files:
            text, formats = ("", ()) if sent else (caption, entities)
            made = file_content(self.world, GivenFile(content, name, mime, kind), text, formats)
            made.fields["media_group_id"] = group_id
            sent.append(post(self.world, self, place, made))
        return sent

    async def edit(
        self, message: EmulatedMessage, text: str, *, entities: Sequence[dict[str, Any]] = ()
    ) -> EmulatedMessage:
        """Edit the text or the caption of this user's own message; a caption may become empty."""
        self._check_own(message)
        content = caption_text(text, entities) if message.is_caption else text_content(text, entities).text
        message.previous.append(message.text)
        message.content, message.edit_date = with_mentions(self.world, content), self.world.timestamp()
        publish_message(self.world, message, "edited_message")
        return message

    async def edit_media(
        self,
        message: EmulatedMessage,
        content: bytes,
        *,
        name: str = "file.bin",
        mime: str = "application/octet-stream",
        kind: str = "document",
        caption: str = "",
    ) -> EmulatedMessage:
        """Put another file in place of that of this user's own message, with another caption."""
        self._check_own(message)
        made = file_content(self.world, GivenFile(content, name, mime, kind), caption)
        message.previous.append(message.text)
        kept = {field: value for field, value in message.fields.items() if field not in FOLDERS}
        message.fields, message.file, message.is_caption = {**kept, **made.fields}, made.file, True
        message.content, message.edit_date = with_mentions(self.world, made.text), self.world.timestamp()
        publish_message(self.world, message, "edited_message")
        return message

    async def delete(self, message: EmulatedMessage) -> None:
        """Delete this user's own message, without an update to bots (Bot API: Update has no such kind)."""
        self._check_own(message)
        message.chat.remove(message)
        self.world.changes.bump()

    # --- actions on messages of a bot -------------------------------------------------------

    async def press(self, message: EmulatedMessage, button: str) -> CallbackQuery:
        """Press an inline button, identified by its text or its callback_data.

        The query's ``answer`` is the bot's answer. Raises LookupError if there is no such button, ValueError if
        it has no callback_data or the message is deleted.
        """
        if message.is_deleted:
            raise ValueError(f"message {message.id} is deleted")
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
            message.sender.queue.put("callback_query", callback_json(query), self.id + _CALLBACK_LANES)
        self.world.changes.bump()
        return query

    async def stop(self, draft: EmulatedDraft) -> None:
        """Press Stop on a draft. Raises ValueError if it has no Stop button, is stopped or has ended."""
        thread = draft.topic.id if draft.topic else 0
        shown = draft.chat.drafts.get(thread)
        if shown is None or shown.id != draft.id or not shown.can_stop or shown.is_stopped:
            raise ValueError(f"draft {draft.id} cannot be stopped: it has no Stop button, is stopped or is gone")
        shown.is_stopped = draft.is_stopped = True
        shown.chat.stopped_drafts.add((thread, shown.id))
        if not shown.keep_on_stop:
            self.world.end_draft(shown)
        payload: dict[str, Any] = {"chat": chat_json(shown.chat), "draft_id": shown.id}
        if shown.topic is not None:
            payload["message_thread_id"] = shown.topic.id
        self.world.publish(shown.chat, "stopped_message_generation", payload)

    async def react(self, message: EmulatedMessage, emoji: str | None) -> None:
        """Replace this user's reaction to a message; None removes it."""
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
        self.world.publish_to(self._administering(message.chat), message.chat, "message_reaction", payload)

    def _administering(self, chat: EmulatedChat) -> list[EmulatedBot]:
        """Return the bots that receive updates about reactions. Source: Bot API, Update."""
        bots = self.world.bots_in(chat)
        return bots if chat.is_private else [bot for bot in bots if chat.statuses.get(bot.id) in ADMINS]

    # --- chats ----------------------------------------------------------------------------

    async def block(self, bot: EmulatedBot | None = None) -> None:
        """Block a bot: its messages to this user fail with 403."""
        membership.set_blocked(self.world, self, self.private_chat(bot), blocked=True)

    async def unblock(self, bot: EmulatedBot | None = None) -> None:
        """Unblock a bot."""
        membership.set_blocked(self.world, self, self.private_chat(bot), blocked=False)

    async def join(self, group: EmulatedChat) -> None:
        """Join a group."""
        membership.add_member(self.world, self, group, self)

    async def leave(self, group: EmulatedChat) -> None:
        """Leave a group."""
        membership.remove_member(self.world, self, group, self)

    async def add(self, group: EmulatedChat, account: Account) -> None:
        """Add a bot or another user to a group."""
        membership.add_member(self.world, self, group, account)

    async def remove(self, group: EmulatedChat, account: Account) -> None:
        """Remove a bot or another user from a group."""
        membership.remove_member(self.world, self, group, account, "kicked")

    async def promote(self, group: EmulatedChat, account: Account) -> None:
        """Make a group member an administrator."""
        membership.set_status(self.world, self, group, account, "administrator")

    async def upgrade(self, group: EmulatedChat) -> EmulatedChat:
        """Convert a basic group to a supergroup, as clients do for large groups; return the supergroup."""
        return membership.upgrade(self.world, self, group)

    def _place(
        self,
        chat: EmulatedChat | None,
        topic: EmulatedTopic | None = None,
        reply_to: EmulatedMessage | None = None,
    ) -> Place:
        there = chat or (topic.chat if topic else None) or (reply_to.chat if reply_to else None) or self.private_chat()
        if topic is not None and topic.chat is not there:
            raise ValueError(f"topic {topic.name!r} is in another chat than {there.id}")
        if reply_to is not None and reply_to.chat is not there:
            raise ValueError(
                f"message {reply_to.id} is in another chat than {there.id}; replies across chats are not modelled"
            )
        return Place(there, topic, reply_to)

    def _check_own(self, message: EmulatedMessage) -> None:
        if message.sender is not self or message.is_deleted:
            raise ValueError(f"message {message.id} is not {self.first_name}'s or is deleted")
