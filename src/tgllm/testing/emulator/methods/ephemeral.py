"""Ephemeral messages: visible to one member of a chat, without a message_id."""

from typing import Any, cast

from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.protocol.errors import bad_request
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.emulator.world.wire import user_json

__all__ = ["make_ephemeral"]


def make_ephemeral(call: MethodCall, message: EmulatedMessage) -> EmulatedMessage:
    """Show a message to one member only. Source: Bot API, EphemeralMessageParameters."""
    parameters = cast("dict[str, Any]", call.get("ephemeral_message_parameters"))
    receiver = message.chat.members.get(parameters.get("receiver_user_id", 0))
    if receiver is None:
        raise bad_request("user not found")
    number = message.chat.free_ephemeral_id()
    message.fields["receiver_user"] = user_json(receiver)
    message.fields["ephemeral_message_id"] = number
    message.chat.ephemeral[number] = message
    call.world.changes.bump()
    return message


def _find(call: MethodCall) -> EmulatedMessage:
    message = call.chat().ephemeral.get(int(call.get("ephemeral_message_id")))
    receiver = None if message is None else message.fields["receiver_user"]["id"]
    if message is None or message.sender is not call.bot or receiver != call.get("receiver_user_id"):
        raise bad_request("message to edit not found")
    return message


@handles("editEphemeralMessageText")
def edit_ephemeral_message_text(call: MethodCall) -> object:
    """Bot API: editEphemeralMessageText; rich content is not modelled."""
    message, content = _find(call), call.text()
    if not content.text:
        raise bad_request("message text is empty")
    message.previous.append(message.text)
    message.content, message.reply_markup = content, call.markup()
    call.world.changes.bump()
    return True


@handles("deleteEphemeralMessage")
def delete_ephemeral_message(call: MethodCall) -> object:
    """Bot API: deleteEphemeralMessage; its identifier can be reused."""
    message = _find(call)
    del message.chat.ephemeral[message.fields["ephemeral_message_id"]]
    call.world.changes.bump()
    return True
