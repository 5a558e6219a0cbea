"""Forum topics, in supergroups and private chats."""

from tgllm.testing.emulator.markup.text import utf16_len
from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.protocol.errors import bad_request
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedTopic
from tgllm.testing.emulator.world.wire import topic_json

__all__ = ["create_forum_topic"]

_MAX_NAME = 128


def _forum(call: MethodCall) -> EmulatedChat:
    chat = call.chat()
    if chat.is_private and not call.bot.has_topics:
        raise bad_request("the bot has no topics mode")
    if not chat.is_private and not chat.is_forum:
        raise bad_request("the chat is not a forum")
    if not chat.is_private and chat.statuses.get(call.bot.id) not in {"administrator", "creator"}:
        raise bad_request("not enough rights to create a topic")
    return chat


def _topic(call: MethodCall) -> EmulatedTopic:
    topic = call.topic(_forum(call))
    if topic is None:
        raise bad_request("message thread not found")
    return topic


def _name(call: MethodCall) -> str:
    name = str(call.get("name", "")).strip()
    if not 1 <= utf16_len(name) <= _MAX_NAME:
        raise bad_request("TOPIC_TITLE_EMPTY" if not name else "topic name is too long")
    return name


@handles("createForumTopic")
def create_forum_topic(call: MethodCall) -> object:
    """Bot API: createForumTopic."""
    chat = _forum(call)
    topic = EmulatedTopic(chat.next_message_id(), chat, _name(call))
    topic.icon_color = int(call.get("icon_color", topic.icon_color))
    topic.icon_custom_emoji_id = call.get("icon_custom_emoji_id")
    topic.creator = call.bot
    chat.topics[topic.id] = topic
    call.world.changes.bump()
    return topic_json(topic)


@handles("editForumTopic")
def edit_forum_topic(call: MethodCall) -> object:
    """Bot API: editForumTopic."""
    topic = _topic(call)
    if call.get("name"):
        topic.name = _name(call)
    topic.icon_custom_emoji_id = call.get("icon_custom_emoji_id", topic.icon_custom_emoji_id)
    call.world.changes.bump()
    return True


@handles("closeForumTopic", "reopenForumTopic")
def close_forum_topic(call: MethodCall) -> object:
    """Bot API: closeForumTopic and reopenForumTopic."""
    topic, closes = _topic(call), call.spec.name == "closeForumTopic"
    if topic.is_closed == closes:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.is_closed = closes
    call.world.changes.bump()
    return True


@handles("deleteForumTopic")
def delete_forum_topic(call: MethodCall) -> object:
    """Bot API: deleteForumTopic; its messages are deleted too."""
    topic = _topic(call)
    for message in topic.chat.messages:
        if message.topic is topic:
            topic.chat.remove(message)
    del topic.chat.topics[topic.id]
    call.world.changes.bump()
    return True
