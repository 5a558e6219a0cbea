"""Fields of updates that say where something belongs, who sent it, or who may see it.

docs/reference/kinds-of-chats.md explains each of them. A test compares both with aiogram's models, so that a field of a
later version of the Bot API is decided before it is used.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from tgllm.bot.updates.contents import CONTENT
from tgllm.bot.updates.values import is_set

__all__ = [
    "CALLBACK_QUERY",
    "CHAT",
    "FIELDS",
    "MESSAGE",
    "PLAIN_FIELDS",
    "UPDATE",
    "Treatment",
    "unknown_restriction",
]

Treatment = Literal["lane", "sender", "closed", "private", "question", "quoted", "none"]
"""What a field decides.

``lane``: which messages belong together, and where the answer goes. ``sender``: who asks; an update without a person as
its sender is ignored. ``closed``: the update is ignored. ``private``: only the sender may see an answer. ``question``:
the text is a question and never a command. ``quoted``: part of the question, if all people of the lane can see it.
``none``: nothing.
"""

UPDATE: Final[Mapping[str, Treatment]] = {
    "message": "lane",
    "edited_message": "lane",
    "callback_query": "lane",
    "stopped_message_generation": "lane",
    "my_chat_member": "lane",
    "channel_post": "closed",
    "edited_channel_post": "closed",
    "business_connection": "closed",
    "business_message": "closed",
    "edited_business_message": "closed",
    "deleted_business_messages": "closed",
    "guest_message": "closed",
    "message_reaction": "closed",
    "message_reaction_count": "closed",
    "inline_query": "closed",
    "chosen_inline_result": "closed",
    "shipping_query": "closed",
    "pre_checkout_query": "closed",
    "purchased_paid_media": "closed",
    "poll": "closed",
    "poll_answer": "closed",
    "chat_member": "closed",
    "chat_join_request": "closed",
    "chat_boost": "closed",
    "removed_chat_boost": "closed",
    "managed_bot": "closed",
    "subscription": "closed",
}
"""Bot API: Update. The bot requests the kinds that have a lane, and no others."""

MESSAGE: Final[Mapping[str, Treatment]] = {
    "message_id": "lane",
    "chat": "lane",
    "message_thread_id": "lane",
    "is_topic_message": "lane",
    "direct_messages_topic": "lane",
    "from": "sender",
    "sender_chat": "sender",
    "sender_business_bot": "sender",
    "guest_bot_caller_user": "sender",
    "guest_bot_caller_chat": "sender",
    "is_automatic_forward": "sender",
    "business_connection_id": "closed",
    "guest_query_id": "closed",
    "suggested_post_info": "closed",
    "ephemeral_message_id": "private",
    "receiver_user": "private",
    "forward_origin": "question",
    "forward_date": "question",
    "via_bot": "question",
    "reply_to_message": "quoted",
    "quote": "quoted",
    "external_reply": "quoted",
    "reply_to_story": "none",
    "reply_to_checklist_task_id": "none",
    "reply_to_poll_option_id": "none",
    "media_group_id": "none",
    "has_protected_content": "none",
    "is_from_offline": "none",
    "is_paid_post": "none",
    "paid_star_count": "none",
    "sender_boost_count": "none",
    "sender_tag": "none",
    "author_signature": "none",
    "forward_from": "none",
    "forward_from_chat": "none",
    "forward_from_message_id": "none",
    "forward_sender_name": "none",
    "forward_signature": "none",
}
"""Bot API: Message. All other fields are its content: see ``contents``."""

CALLBACK_QUERY: Final[Mapping[str, Treatment]] = {
    "from": "sender",
    "message": "lane",
    "inline_message_id": "closed",
    "chat_instance": "none",
    "game_short_name": "none",
}
"""Bot API: CallbackQuery."""

CHAT: Final[Mapping[str, Treatment]] = {
    "id": "lane",
    "type": "lane",
    "is_direct_messages": "lane",
    "is_forum": "none",
}
"""Bot API: Chat, in an update."""

FIELDS: Final[Mapping[str, Mapping[str, Treatment]]] = {
    "Update": UPDATE,
    "Message": MESSAGE,
    "CallbackQuery": CALLBACK_QUERY,
    "Chat": CHAT,
}

_PLAIN_OF_CHATS = """
title username first_name last_name accent_color_id active_usernames available_reactions
background_custom_emoji_id bio birthdate business_intro business_location business_opening_hours
can_set_sticker_set custom_emoji_sticker_set_name description emoji_status_custom_emoji_id
emoji_status_expiration_date has_aggressive_anti_spam_enabled has_hidden_members has_private_forwards
has_protected_content has_restricted_voice_and_video_messages has_visible_history invite_link join_by_request
join_to_send_messages linked_chat_id location message_auto_delete_time permissions personal_chat photo
pinned_message profile_accent_color_id profile_background_custom_emoji_id slow_mode_delay sticker_set_name
unrestrict_boost_count
"""

PLAIN_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "Update": frozenset({"update_id"}),
    "Message": frozenset(CONTENT),
    "CallbackQuery": frozenset({"id", "data"}),
    # Apart from the names, only getChat returns them.
    "Chat": frozenset(_PLAIN_OF_CHATS.split()),
}
"""The other fields: content, and fields that say nothing about the place, the sender or the readers."""

_RESTRICTIVE = re.compile(
    r"ephemeral|receiver|recipient|visib|viewer|audience|secret|hidden|private|confidential|restricted|only|topic"
    r"|whisper|reader|shown_to|for_user|thread|connection|business|guest|on_behalf|anonymous|self_destruct|ttl"
)
"""Words in the names of fields that restrict readers, or place a message in a part of a chat."""


def unknown_restriction(kind: str, content: Mapping[str, Any]) -> str | None:
    """Return a field that this version does not know and that may restrict readers; None if there is none.

    Args:
        kind: a key of ``FIELDS``.
        content: an object of that kind. In a chat, each unknown ``is_...`` marks a new kind of chat.
    """
    return next((name for name in _unknown(kind, content) if _restricts(kind, name, content[name])), None)


def _unknown(kind: str, content: Mapping[str, Any]) -> Iterable[str]:
    known, plain = FIELDS[kind], PLAIN_FIELDS[kind]
    return (name for name in content if name not in known and name not in plain)


def _restricts(kind: str, name: str, value: object) -> bool:
    if not is_set(value):
        return False
    return _RESTRICTIVE.search(name) is not None or (kind == "Chat" and name.startswith("is_"))
