"""Messages of users: validation, storage and updates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tgllm.testing.emulator.markup.detect import detect
from tgllm.testing.emulator.markup.text import MAX_CAPTION, MAX_TEXT, Text, tidy, utf16_len
from tgllm.testing.emulator.protocol.errors import BotApiError
from tgllm.testing.emulator.state.records import (
    Account,
    EmulatedChat,
    EmulatedDirectTopic,
    EmulatedMessage,
    EmulatedTopic,
    StoredFile,
)
from tgllm.testing.emulator.world.hearing import hears
from tgllm.testing.emulator.world.media import FOLDERS, described, media_fields
from tgllm.testing.emulator.world.mentioning import with_mentions
from tgllm.testing.emulator.world.wire import file_json, message_json, user_json
from tgllm.testing.emulator.world.world import World

__all__ = [
    "Content",
    "GivenFile",
    "Place",
    "caption_text",
    "file_content",
    "in_the_name_of_a_chat",
    "post",
    "post_ephemeral",
    "post_service",
    "publish_message",
    "split_paste",
    "text_content",
]


_GROUP_ANONYMOUS_BOT = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
_CHANNEL_BOT = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}


@dataclass(frozen=True, slots=True)
class Place:
    """Destination of a message."""

    chat: EmulatedChat
    topic: EmulatedTopic | None = None
    reply_to: EmulatedMessage | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """Content of a message; ``fields`` in Bot API form."""

    text: Text = field(default_factory=Text)
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    file: StoredFile | None = None


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file that a user sends.

    ``about`` are further fields of its description in Bot API form, such as ``duration``; None removes a field that it
    would have, such as ``file_size``. ``thumbnail`` is a picture.
    """

    content: bytes = field(repr=False)
    name: str
    mime: str
    kind: str
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])
    thumbnail: bytes | None = field(default=None, repr=False)


def text_content(text: str, entities: Sequence[dict[str, Any]] = ()) -> Content:
    """Return a text as a client sends it. Raises ValueError if it is empty or too long."""
    formatted = _formatted(text, entities)
    if not 0 < utf16_len(formatted.text) <= MAX_TEXT:
        raise ValueError(f"a message has 1 to {MAX_TEXT} UTF-16 units; paste() sends longer ones in parts")
    return Content(formatted)


def _formatted(text: str, entities: Sequence[dict[str, Any]]) -> Text:
    """Return a text with its entities and those that Telegram detects. Raises ValueError for an impossible entity."""
    try:
        return detect(tidy(text, entities))
    except BotApiError as error:
        raise ValueError(error.description) from None


def in_the_name_of_a_chat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a message, with the placeholder as its sender if ``sender_chat`` is set.

    Source: Bot API, Message, from and sender_chat.
    """
    sender_chat = fields.get("sender_chat")
    if not sender_chat or "from" in fields:
        return dict(fields)
    return {"from": _CHANNEL_BOT if sender_chat.get("type") == "channel" else _GROUP_ANONYMOUS_BOT, **fields}


def split_paste(text: str) -> list[str]:
    """Split a long text as clients do, into parts of at most 4096 UTF-16 units."""
    parts: list[str] = []
    part, size = "", 0
    for char in text:
        width = utf16_len(char)
        if size + width > MAX_TEXT:
            parts.append(part)
            part, size = "", 0
        part, size = part + char, size + width
    return [*parts, part]


def file_content(
    world: World,
    given: GivenFile,
    caption: str,
    entities: Sequence[dict[str, Any]] = (),
) -> Content:
    """Return a file as a client uploads it. Raises ValueError for an unknown kind or a caption that is too long."""
    if given.kind not in FOLDERS:
        raise ValueError(f"unknown kind {given.kind!r}; there are: {', '.join(FOLDERS)}")
    text = caption_text(caption, entities)
    file = world.files.add(given.content, FOLDERS[given.kind], given.name, given.mime)
    about = dict(given.about)
    if given.thumbnail is not None:
        small = world.files.add(given.thumbnail, "thumbnails", "thumbnail.jpg", "image/jpeg")
        width, height = small.dimensions or (320, 320)
        about["thumbnail"] = {**file_json(small), "width": width, "height": height}
    return Content(text, described(media_fields(given.kind, file), about), file)


def caption_text(caption: str, entities: Sequence[dict[str, Any]] = ()) -> Text:
    """Return a caption as a client sends it. Raises ValueError if it is too long."""
    text = _formatted(caption, entities)
    if utf16_len(text.text) > MAX_CAPTION:
        raise ValueError(f"a caption has at most {MAX_CAPTION} UTF-16 units")
    return text


def post(world: World, sender: Account, place: Place, content: Content) -> EmulatedMessage:
    """Send a message. Raises ValueError if the sender is not allowed to."""
    chat = place.chat
    if sender.id not in chat.members and not chat.is_direct_messages:
        raise ValueError(f"{sender.first_name} is not a member of chat {chat.id}")
    if chat.migrated_to is not None:
        raise ValueError(f"chat {chat.id} has become the supergroup {chat.migrated_to}")
    if chat.bot_blocked:
        raise ValueError(f"{sender.first_name} blocked the bot of this chat; unblock() first")
    message = _message(world, sender, place, content)
    world.add_message(message)
    publish_message(world, message, "message")
    return message


def publish_message(world: World, message: EmulatedMessage, kind: str) -> None:
    """Queue an update of this kind about a message for the bots that see it."""
    listeners = [bot for bot in world.bots_in(message.chat) if hears(bot, message)]
    world.publish_to(listeners, message.chat, kind, message_json(message))


def post_service(world: World, sender: Account, place: Place, fields: dict[str, Any]) -> EmulatedMessage:
    """Add a service message ("Ann joined"), without a check of the sender's rights."""
    message = _message(world, sender, place, Content(fields=fields))
    world.add_message(message)
    world.publish(place.chat, "message", message_json(message))
    return message


def post_ephemeral(world: World, sender: Account, receiver: Account, place: Place, content: Content) -> EmulatedMessage:
    """Send a message that only one bot of the chat receives. Source: Bot API, "Ephemeral Messages and Commands"."""
    number = place.chat.free_ephemeral_id()
    fields = {**content.fields, "ephemeral_message_id": number, "receiver_user": user_json(receiver)}
    message = EmulatedMessage(
        0, place.chat, sender, world.timestamp(), content.text, fields, topic=place.topic, reply_to=place.reply_to
    )
    place.chat.ephemeral[number] = message
    listeners = [bot for bot in world.bots_in(place.chat) if bot is receiver]
    world.publish_to(listeners, place.chat, "message", message_json(message))
    return message


def _direct_topic(sender: Account, place: Place) -> EmulatedDirectTopic | None:
    """Return the topic of a message in direct messages.

    It is the sender's own; an administrator of the channel replies in the topics of others.

    Raises:
        ValueError: another user replies there.
    """
    if not place.chat.is_direct_messages:
        return None
    own, replied = place.chat.direct_topic_of(sender), place.reply_to
    if replied is None or replied.direct_topic == own:
        return own
    if sender.id not in place.chat.members:
        raise ValueError(f"{sender.first_name} does not see message {replied.id}: it is in another user's topic")
    return replied.direct_topic


def _message(world: World, sender: Account, place: Place, content: Content) -> EmulatedMessage:
    return EmulatedMessage(
        place.chat.next_message_id(),
        place.chat,
        sender,
        world.timestamp(),
        with_mentions(world, content.text),
        content.fields,
        is_caption=content.file is not None,
        topic=place.topic,
        direct_topic=_direct_topic(sender, place),
        reply_to=place.reply_to,
        file=content.file,
    )
