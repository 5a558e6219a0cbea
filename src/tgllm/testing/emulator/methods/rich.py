"""sendRichMessage and sendRichMessageDraft."""

from tgllm.testing.emulator.markup.rich import read_rich_message
from tgllm.testing.emulator.markup.text import Text
from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.drafts import show_draft
from tgllm.testing.emulator.methods.messages import deliver
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.world.wire import message_json

__all__ = ["send_rich_message", "send_rich_message_draft"]


@handles("sendRichMessage")
def send_rich_message(call: MethodCall) -> object:
    """Bot API: sendRichMessage."""
    call.chat()
    rich = read_rich_message(call.get("rich_message"))
    return message_json(deliver(call, Text(rich.plain), {"rich_message": rich.body}))


@handles("sendRichMessageDraft")
def send_rich_message_draft(call: MethodCall) -> object:
    """Bot API: sendRichMessageDraft."""
    rich = read_rich_message(call.get("rich_message"), in_draft=True)
    return show_draft(call, Text(rich.plain), rich.body)
