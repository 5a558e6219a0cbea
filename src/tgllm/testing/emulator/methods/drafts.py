"""sendMessageDraft: previews of an answer in progress."""

from typing import Any

from tgllm.testing.emulator.markup.text import Text
from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.protocol.errors import bad_request
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedDraft

__all__ = ["DRAFT_SECONDS", "show_draft"]

# Bot API: sendMessageDraft, "an ephemeral 30-second preview".
DRAFT_SECONDS = 30.0


@handles("sendMessageDraft")
def send_message_draft(call: MethodCall) -> object:
    """Bot API: sendMessageDraft; an empty text is the "Thinking" placeholder."""
    return show_draft(call, call.text())


def show_draft(call: MethodCall, content: Text, rich: dict[str, Any] | None = None) -> bool:
    """Show a draft, or update the one with the same draft_id, chat and topic."""
    chat = call.chat()
    draft_id = int(call.get("draft_id"))
    if not chat.is_private:
        raise bad_request("message drafts can be sent only to private chats")
    if draft_id == 0:
        raise bad_request("draft_id must be non-zero")
    draft = EmulatedDraft(
        draft_id,
        chat,
        call.topic(chat),
        content,
        call.world.clock.monotonic() + DRAFT_SECONDS,
        rich,
        can_stop=bool(call.get("can_stop")),
        keep_on_stop=bool(call.get("keep_on_stop")),
    )
    _put(call, chat, draft)
    return True


def _put(call: MethodCall, chat: EmulatedChat, draft: EmulatedDraft) -> None:
    thread = draft.topic.id if draft.topic else 0
    shown = chat.drafts.get(thread)
    if shown is not None and shown.id == draft.id:
        draft.revision = shown.revision + 1
    if (thread, draft.id) not in chat.stopped_drafts:
        call.world.set_draft(draft)
