"""forwardMessage and copyMessage."""

from typing import cast

from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.messages import deliver
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.protocol.errors import bad_request
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage
from tgllm.testing.emulator.world.wire import message_json, user_json

__all__ = ["copy_message", "forward_message"]


def _source(call: MethodCall, message_id: int, verb: str) -> EmulatedMessage:
    message = _source_chat(call).message(message_id)
    if message is None:
        raise bad_request(f"message to {verb} not found")
    return message


def _source_chat(call: MethodCall) -> EmulatedChat:
    chat = call.world.find_chat(call.bot, call.get("from_chat_id"))
    if chat is None:
        raise bad_request("chat not found")
    return chat


def _again(call: MethodCall, message: EmulatedMessage, *, is_forward: bool) -> EmulatedMessage:
    fields = {name: value for name, value in message.fields.items() if name != "media_group_id"}
    if is_forward:
        origin = {"type": "user", "sender_user": user_json(message.sender), "date": message.date}
        fields["forward_origin"] = origin
    content = call.caption() if not is_forward and "caption" in call.params else message.content
    return deliver(call, content, fields, is_caption=message.is_caption, file=message.file)


@handles("forwardMessage")
def forward_message(call: MethodCall) -> object:
    """Bot API: forwardMessage."""
    source = _source(call, int(call.get("message_id")), "forward")
    return message_json(_again(call, source, is_forward=True))


@handles("copyMessage")
def copy_message(call: MethodCall) -> object:
    """Bot API: copyMessage."""
    source = _source(call, int(call.get("message_id")), "copy")
    return {"message_id": _again(call, source, is_forward=False).id}


@handles("forwardMessages", "copyMessages")
def forward_messages(call: MethodCall) -> object:
    """Bot API: forwardMessages and copyMessages; missing messages are skipped."""
    is_forward = call.spec.name == "forwardMessages"
    ids = cast("list[int]", call.get("message_ids") or [])
    chat = _source_chat(call)
    sources = (chat.message(number) for number in ids)
    return [{"message_id": _again(call, source, is_forward=is_forward).id} for source in sources if source is not None]
