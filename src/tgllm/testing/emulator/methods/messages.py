"""sendMessage, and methods that edit, delete and react to messages."""

from functools import cache
from typing import Any, cast

from tgllm.testing.emulator.markup.rich import read_rich_message
from tgllm.testing.emulator.markup.text import Text
from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.ephemeral import make_ephemeral
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.protocol.errors import bad_request
from tgllm.testing.emulator.protocol.reactions import is_reaction
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage, StoredFile
from tgllm.testing.emulator.world.wire import message_json

__all__ = ["deliver", "own_message", "replace_content"]

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
_DELETE_SECONDS = 48 * 3600
_MAX_DELETED = 100


def deliver(
    call: MethodCall,
    content: Text,
    fields: dict[str, Any] | None = None,
    *,
    is_caption: bool = False,
    file: StoredFile | None = None,
) -> EmulatedMessage:
    """Add a message of the bot to the chat of the call. Raises BotApiError if a check fails."""
    chat = call.chat()
    topic = call.topic(chat)
    if topic is not None and topic.is_closed:
        raise bad_request("TOPIC_CLOSED")
    direct_topic = call.direct_topic(chat)
    reply_to, markup = call.reply_to(chat), call.markup()
    if reply_to is not None and reply_to.direct_topic != direct_topic:
        raise bad_request("message to be replied not found")
    message = EmulatedMessage(
        0,
        chat,
        call.bot,
        call.world.timestamp(),
        content,
        dict(fields or {}),
        is_caption=is_caption,
        topic=topic,
        direct_topic=direct_topic,
        reply_to=reply_to,
        reply_markup=markup,
        file=file,
    )
    if quote := call.quote(reply_to):
        message.fields["quote"] = quote
    if effect := call.get("message_effect_id"):
        message.fields["effect_id"] = effect
    if call.get("ephemeral_message_parameters") is not None:
        return make_ephemeral(call, message)
    message.id = chat.next_message_id()
    call.world.add_message(message)
    return message


@handles("sendMessage")
def send_message(call: MethodCall) -> object:
    """Bot API: sendMessage."""
    call.chat()
    content = call.text()
    if not content.text:
        raise bad_request("message text is empty")
    return message_json(deliver(call, content))


def own_message(call: MethodCall, chat: EmulatedChat) -> EmulatedMessage:
    """Return the message to edit. Raises 400 if it does not exist or has another sender."""
    message = call.message(chat, "edit")
    if message.sender is not call.bot:
        raise bad_request("message can't be edited")
    return message


def replace_content(
    call: MethodCall,
    message: EmulatedMessage,
    content: Text,
    fields: dict[str, Any],
    file: StoredFile | None = None,
) -> object:
    """Replace content and keyboard of a message, and optionally its file. Raises 400 if nothing changes."""
    markup = call.markup()
    before = (message.content, message.fields, message.reply_markup)
    if before == (content, fields, markup):
        raise bad_request(NOT_MODIFIED)
    if message.content != content or message.fields != fields:
        message.previous.append(message.text)
        message.edit_date = call.world.timestamp()
    message.content, message.fields, message.reply_markup = content, fields, markup
    if file is not None:
        message.file, message.is_caption = file, True
    call.world.changes.bump()
    return message_json(message)


@handles("editMessageText")
def edit_message_text(call: MethodCall) -> object:
    """Bot API: editMessageText."""
    _refuse_inline(call)
    message = own_message(call, call.chat())
    if message.file is not None:
        raise bad_request("there is no text in the message to edit")
    kept = {name: value for name, value in message.fields.items() if name != "rich_message"}
    if call.get("rich_message") is not None:
        rich = read_rich_message(call.get("rich_message"))
        return replace_content(call, message, Text(rich.plain), {**kept, "rich_message": rich.body})
    content = call.text()
    if not content.text:
        raise bad_request("message text is empty")
    return replace_content(call, message, content, kept)


@handles("editMessageCaption")
def edit_message_caption(call: MethodCall) -> object:
    """Bot API: editMessageCaption."""
    _refuse_inline(call)
    message = own_message(call, call.chat())
    if message.file is None:
        raise bad_request("there is no caption in the message to edit")
    return replace_content(call, message, call.caption(), message.fields)


@handles("editMessageReplyMarkup")
def edit_message_reply_markup(call: MethodCall) -> object:
    """Bot API: editMessageReplyMarkup."""
    _refuse_inline(call)
    message = own_message(call, call.chat())
    return replace_content(call, message, message.content, message.fields)


def _refuse_inline(call: MethodCall) -> None:
    """Refuse inline messages (sent through inline mode), which are not modelled."""
    if call.get("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")


@handles("deleteMessage")
def delete_message(call: MethodCall) -> object:
    """Bot API: deleteMessage."""
    chat = call.chat()
    message = call.message(chat, "delete")
    _check_deletable(call, chat, message)
    _delete(call, message)
    return True


@handles("deleteMessages")
def delete_messages(call: MethodCall) -> object:
    """Bot API: deleteMessages; missing messages are skipped."""
    chat = call.chat()
    numbers = cast("list[int]", call.get("message_ids", []))
    if len(numbers) > _MAX_DELETED:
        raise bad_request("too many message identifiers specified")
    for message_id in numbers:
        message = chat.message(int(message_id))
        if message is not None:
            _check_deletable(call, chat, message)
            _delete(call, message)
    return True


def _check_deletable(call: MethodCall, chat: EmulatedChat, message: EmulatedMessage) -> None:
    if call.world.timestamp() - message.date > _DELETE_SECONDS:
        raise bad_request("message can't be deleted for everyone")
    is_admin = chat.statuses.get(call.bot.id) in {"administrator", "creator"}
    if message.sender is not call.bot and not chat.is_private and not is_admin:
        raise bad_request("message can't be deleted")


def _delete(call: MethodCall, message: EmulatedMessage) -> None:
    message.chat.remove(message)
    call.world.changes.bump()


@handles("setMessageReaction")
def set_message_reaction(call: MethodCall) -> object:
    """Bot API: setMessageReaction; a bot can have one reaction to a message."""
    message = call.message(call.chat(), "react")
    reactions = cast("list[dict[str, Any]]", call.get("reaction") or [])
    if len(reactions) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    if any(reaction.get("type") not in {"emoji", "custom_emoji"} for reaction in reactions):
        raise bad_request("REACTION_INVALID")
    if any(reaction["type"] == "emoji" and not is_reaction(reaction.get("emoji")) for reaction in reactions):
        raise bad_request("REACTION_INVALID")
    message.reactions[call.bot.id] = reactions
    call.world.changes.bump()
    return True


@handles("sendChatAction")
def send_chat_action(call: MethodCall) -> object:
    """Bot API: sendChatAction; visible for five seconds or until the bot sends a message."""
    chat = call.chat()
    topic = call.topic(chat)
    action = str(call.get("action")).lower()
    if action not in _actions():
        raise bad_request("wrong parameter action in request")
    until = call.world.clock.monotonic() + 5
    chat.actions[topic.id if topic else 0] = (action, until)
    call.world.changes.bump()
    return True


@cache
def _actions() -> frozenset[str]:
    """Return all known chat actions, from aiogram."""
    from aiogram.enums import ChatAction  # noqa: PLC0415 - costs seconds of CPU, so only when a request arrives

    return frozenset(action.value for action in ChatAction)
