"""answerCallbackQuery."""

from tgllm.testing.emulator.markup.text import utf16_len
from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.protocol.errors import bad_request

__all__ = ["answer_callback_query"]

_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
_MAX_UNITS = 200


@handles("answerCallbackQuery")
def answer_callback_query(call: MethodCall) -> object:
    """Bot API: answerCallbackQuery; a query can be answered once."""
    query = call.world.callbacks.get(str(call.get("callback_query_id")))
    expired = query is not None and query.expires_at <= call.world.clock.monotonic()
    if query is None or expired or query.answer is not None or query.message.sender is not call.bot:
        raise bad_request(_TOO_OLD)
    if utf16_len(call.get("text", "")) > _MAX_UNITS:
        raise bad_request("MESSAGE_TOO_LONG")
    query.answer = {
        "text": call.get("text", ""),
        "show_alert": bool(call.get("show_alert")),
        "url": call.get("url"),
    }
    call.world.changes.bump()
    return True
