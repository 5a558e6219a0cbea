"""Conversion of the state to Bot API JSON. Source: Bot API, "Available types"."""

from typing import Any

from tgllm.testing.emulator.state.records import (
    Account,
    CallbackQuery,
    EmulatedChat,
    EmulatedMessage,
    EmulatedTopic,
    StoredFile,
)

__all__ = ["callback_json", "chat_json", "file_json", "message_json", "topic_json", "user_json"]

JsonObject = dict[str, Any]


def _present(**values: object) -> JsonObject:
    """Return the values that are set; Telegram omits None and False."""
    return {name: value for name, value in values.items() if value is not None and value is not False}


def user_json(account: Account) -> JsonObject:
    """Return a user (Bot API: User)."""
    optional = _present(
        last_name=account.last_name,
        username=account.username,
        language_code=account.language_code,
    )
    return {
        "id": account.id,
        "is_bot": account.is_bot,
        "first_name": account.first_name,
        **optional,
    }


def chat_json(chat: EmulatedChat) -> JsonObject:
    """Return a chat (Bot API: Chat)."""
    user = chat.user
    if user is not None:
        names = _present(first_name=user.first_name, last_name=user.last_name, username=user.username)
        return {"id": chat.id, **names, "type": "private"}
    optional = _present(
        title=chat.title,
        username=chat.username,
        is_forum=chat.is_forum,
        is_direct_messages=chat.is_direct_messages,
    )
    return {"id": chat.id, "type": chat.type, **optional}


def topic_json(topic: EmulatedTopic) -> JsonObject:
    """Return a topic (Bot API: ForumTopic)."""
    return {
        "message_thread_id": topic.id,
        "name": topic.name,
        "icon_color": topic.icon_color,
        **_present(icon_custom_emoji_id=topic.icon_custom_emoji_id),
    }


def file_json(file: StoredFile, *, with_path: bool = False) -> JsonObject:
    """Return a file (Bot API: File)."""
    body: JsonObject = {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": file.size,
    }
    if with_path:
        body["file_path"] = file.path
    return body


def message_json(message: EmulatedMessage, *, with_reply: bool = True) -> JsonObject:
    """Return a message (Bot API: Message)."""
    body: JsonObject = {
        "message_id": message.id,
        "from": user_json(message.sender),
        "chat": chat_json(message.chat),
        "date": message.date,
    }
    if message.topic is not None:
        body["message_thread_id"] = message.topic.id
        body["is_topic_message"] = True
    if message.direct_topic is not None:
        topic = message.direct_topic
        body["direct_messages_topic"] = {"topic_id": topic.id, "user": user_json(topic.user)}
    if message.edit_date is not None:
        body["edit_date"] = message.edit_date
    if with_reply and message.reply_to is not None and not message.reply_to.is_deleted:
        body["reply_to_message"] = message_json(message.reply_to, with_reply=False)
    elif with_reply and message.reply_to is None and message.topic is not None and message.topic.creator is not None:
        body["reply_to_message"] = _creation_json(message.topic, message.topic.creator, message.date)
    body.update(message.fields)
    _add_content(body, message)
    if message.reply_markup is not None and "inline_keyboard" in message.reply_markup:
        body["reply_markup"] = message.reply_markup
    return body


def _creation_json(topic: EmulatedTopic, creator: Account, date: int) -> JsonObject:
    """Return the service message that created a topic: in it, messages without a reply are replies to that one."""
    look = _present(icon_color=topic.icon_color, icon_custom_emoji_id=topic.icon_custom_emoji_id)
    return {
        "message_id": topic.id,
        "from": user_json(creator),
        "chat": chat_json(topic.chat),
        "date": date,
        "message_thread_id": topic.id,
        "is_topic_message": True,
        "forum_topic_created": {"name": topic.name, **look},
    }


def _add_content(body: JsonObject, message: EmulatedMessage) -> None:
    if "rich_message" in message.fields or not message.content.text:
        return
    prefix = "caption_" if message.is_caption else ""
    body["caption" if message.is_caption else "text"] = message.content.text
    if message.content.entities:
        body[f"{prefix}entities"] = list(message.content.entities)


def callback_json(query: CallbackQuery) -> JsonObject:
    """Return a callback query (Bot API: CallbackQuery)."""
    return {
        "id": query.id,
        "from": user_json(query.sender),
        "message": message_json(query.message),
        "chat_instance": str(abs(query.message.chat.id)),
        "data": query.data,
    }
