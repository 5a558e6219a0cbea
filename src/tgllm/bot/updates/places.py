"""Place of a raw update: its lane, or the reason why it is ignored.

The rules are those of ``fields``. They are applied to the raw update before it is stored, so that the content of an
ignored update is not stored, and so that nothing else has to know them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from tgllm.bot.updates.fields import MESSAGE, UPDATE, Treatment, unknown_restriction
from tgllm.bot.updates.values import as_id, as_mapping, is_set
from tgllm.services.common.lane import Lane

__all__ = ["NOWHERE", "Closed", "Place", "lane_of_chat_author", "place_of"]

Closed = Literal[
    "", "kind", "unknown_field", "other_chat", "sender", "foreign", "inline", "channel", "direct", "service"
]
"""Reason why an update is ignored; empty if it is not.

``other_chat``: a private chat of another person. ``foreign``: of a conversation that is not with the bot. ``direct``:
direct messages without their topic. ``service``: a service message that the bot doesn't act on.
"""

NOWHERE: Final = Lane(0)
"""Lane of updates that are ignored or belong to no chat."""

# Bot API: Message, sender_chat. The placeholders that Telegram names as the sender if the real one is a chat: Telegram
# itself, replies in channels, anonymous admins, channels.
_PLACEHOLDERS = frozenset({1087968824, 136817688})
_NOT_A_PERSON = frozenset({777000, 1271266957}) | _PLACEHOLDERS


def _treated(treatment: Treatment) -> tuple[str, ...]:
    return tuple(name for name, value in MESSAGE.items() if value == treatment)


_CLOSING = _treated("closed")
_SENDER = _treated("sender")
_PRIVATE = _treated("private")
_BY_NO_AUTHOR = frozenset(_SENDER) - {"from", "sender_chat"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an update belongs."""

    lane: Lane
    closed: Closed = ""
    field: str = ""
    """The field that closes it, if it is one."""


def place_of(kind: str, content: object) -> Place:
    """Return the place of an update.

    Args:
        kind: the name of its field in the update.
        content: the value of that field, of any type.
    """
    body = as_mapping(content)
    match kind:
        case "message" | "edited_message":
            return _of_message(body)
        case "callback_query":
            return _of_press(body)
        case "stopped_message_generation":
            return _of_stop(body)
        case "my_chat_member":
            return _of_membership(body)
        case _:
            return Place(NOWHERE, "kind", kind if kind in UPDATE else "")


def lane_of_chat_author(message: Mapping[str, Any]) -> Lane | None:
    """Return the lane of a message that somebody wrote into a group in the name of a chat; None for any other.

    Such as an anonymous admin of the group, or the owner of a channel. Posts that Telegram forwards by itself from the
    linked channel are none.
    """
    if any(is_set(message.get(name)) for name in _BY_NO_AUTHOR):
        return None
    sender_id = _id_of(message.get("from"))
    if as_mapping(message.get("chat")).get("type") not in {"group", "supergroup"} or sender_id not in _PLACEHOLDERS:
        return None
    place = _in_chat(message, sender_id)
    return None if place.closed or place.lane.ephemeral_user_id is not None else place.lane


def _of_message(message: Mapping[str, Any]) -> Place:
    if as_mapping(message.get("chat")).get("type") == "channel":
        return Place(NOWHERE, "channel")
    is_upgrade = is_set(message.get("migrate_to_chat_id")) or is_set(message.get("migrate_from_chat_id"))
    # Telegram itself reports the upgrade of a group, in the name of the group.
    if not is_upgrade:
        field = _not_from_a_person(message)
        if field is not None:
            return Place(NOWHERE, "sender", field)
    return _in_chat(message, _id_of(message.get("from")))


def _of_press(press: Mapping[str, Any]) -> Place:
    """Return the place of a press. Its message is the bot's; the person is the sender of the press."""
    sender, message = as_mapping(press.get("from")), as_mapping(press.get("message"))
    field = unknown_restriction("CallbackQuery", press)
    if field is not None:
        return Place(NOWHERE, "unknown_field", field)
    if _is_no_person(sender):
        return Place(NOWHERE, "sender", "from")
    if is_set(press.get("inline_message_id")) or not message:
        # A message of inline mode may be in any chat, also one without the bot.
        return Place(NOWHERE, "inline", "inline_message_id")
    return _in_chat(message, _id_of(sender))


def _of_stop(stop: Mapping[str, Any]) -> Place:
    """Return the place of a stopped draft. It names no user: drafts are in private chats, whose id is the user's."""
    chat = as_mapping(stop.get("chat"))
    if chat.get("type") != "private":
        return Place(NOWHERE, "other_chat", "chat")
    return _in_chat({**stop, "is_topic_message": True}, as_id(chat.get("id")))


def _of_membership(change: Mapping[str, Any]) -> Place:
    place = _in_chat(change, _id_of(change.get("from")))
    # The approval of a group does not include the direct messages of a channel.
    is_direct = as_mapping(change.get("chat")).get("is_direct_messages")
    return Place(NOWHERE, "direct", "is_direct_messages") if is_direct else place


def _in_chat(message: Mapping[str, Any], sender_id: int | None) -> Place:
    """Return the place of a message in its chat."""
    chat = as_mapping(message.get("chat"))
    chat_id, closed = as_id(chat.get("id")), _closing(message, chat)
    if closed is not None:
        return closed
    if chat_id is None or sender_id is None:
        # It is not handled: it has no sender, or aiogram can't parse it.
        return Place(NOWHERE if sender_id is None else Lane(sender_id))
    # Only private chats have positive ids, those of their users (Bot API: Chat).
    is_private = chat_id > 0 or chat.get("type") == "private"
    if is_private and not 0 < chat_id == sender_id:
        return Place(NOWHERE, "other_chat", "chat")
    topic = message.get("direct_messages_topic")
    is_direct, direct_topic_id = is_set(chat.get("is_direct_messages")) or is_set(topic), _topic_id_of(topic)
    if is_direct and (direct_topic_id is None or chat_id > 0):
        return Place(NOWHERE, "direct", "direct_messages_topic")
    # In groups without topics message_thread_id marks a thread of replies, which has no lane of its own.
    thread = as_id(message.get("message_thread_id")) if message.get("is_topic_message") and not is_direct else None
    is_ephemeral = any(is_set(message.get(name)) for name in _PRIVATE)
    return Place(
        Lane(
            chat_id,
            thread,
            direct_topic_id=direct_topic_id,
            ephemeral_user_id=sender_id if is_ephemeral or message.get("message_id") == 0 else None,
        )
    )


def _closing(message: Mapping[str, Any], chat: Mapping[str, Any]) -> Place | None:
    """Return the place of a message that one of its fields closes; None for any other message."""
    for name in _CLOSING:
        if is_set(message.get(name)):
            return Place(NOWHERE, "foreign", name)
    field = unknown_restriction("Message", message) or unknown_restriction("Chat", chat)
    return None if field is None else Place(NOWHERE, "unknown_field", field)


def _not_from_a_person(message: Mapping[str, Any]) -> str | None:
    """Return the field that says that no person has written a message; None for a person."""
    for name in _SENDER:
        if name == "from":
            if _is_no_person(as_mapping(message.get("from"))):
                return name
        elif is_set(message.get(name)):
            return name
    return None


def _is_no_person(user: Mapping[str, Any]) -> bool:
    return is_set(user.get("is_bot")) or as_id(user.get("id")) in _NOT_A_PERSON


def _id_of(user: object) -> int | None:
    return as_id(as_mapping(user).get("id"))


def _topic_id_of(topic: object) -> int | None:
    return as_id(as_mapping(topic).get("topic_id"))
