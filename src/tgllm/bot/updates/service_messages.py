"""Service messages, such as "Ann pinned a message": they are no talk, and a reply to one is no reply to its sender."""

from collections.abc import Mapping
from typing import Any

from tgllm.bot.updates.contents import CONTENT
from tgllm.bot.updates.fields import MESSAGE
from tgllm.bot.updates.values import as_id, as_mapping, is_set

__all__ = ["is_service", "without_service_reply"]

_KNOWN = frozenset(name for name, treatment in CONTENT.items() if treatment != "silent") | frozenset(MESSAGE)
_TALK_OR_ACTED = tuple(name for name, treatment in CONTENT.items() if treatment in {"talk", "acted"})


def is_service(message: Mapping[str, Any]) -> bool:
    """Return whether a message is a service message that is ignored: one without content that is known as talk.

    So a kind of service message that Telegram adds later is ignored as well. A message without any content is not: the
    server does not know what was sent.
    """
    if any(is_set(message.get(name)) for name in _TALK_OR_ACTED):
        return False
    return any(name not in _KNOWN and is_set(value) for name, value in message.items())


def without_service_reply(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the message without ``reply_to_message`` if that is a service message.

    In a topic, Telegram names the service message that created the topic as the replied one of each message that
    replies to no other; its sender may be the bot.
    """
    replied = as_mapping(message.get("reply_to_message"))
    if not _is_topic_root(message, replied) and not is_service(replied):
        return message
    return {name: value for name, value in message.items() if name != "reply_to_message"}


def _is_topic_root(message: Mapping[str, Any], replied: Mapping[str, Any]) -> bool:
    """Return whether the replied message has created the message's topic. In other chats a thread begins with talk."""
    thread = as_id(message.get("message_thread_id")) if is_set(message.get("is_topic_message")) else None
    return thread is not None and as_id(replied.get("message_id")) == thread
