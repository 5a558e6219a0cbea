"""Transcript of a chat, for printing and for the error message of a wait."""

from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage

__all__ = ["transcript"]


def transcript(chat: EmulatedChat) -> str:
    """Return the visible content of a chat: a block for each message, then the drafts."""
    lines = [_message(message) for message in chat.messages]
    for draft in chat.drafts.values():
        name = chat.bot.first_name if chat.bot else "bot"
        lines.append(f"{name} [draft {draft.id}]: {draft.text or 'Thinking…'}")
    return "\n".join(lines)


def _message(message: EmulatedMessage) -> str:
    marks = [f"#{message.id}"]
    if message.topic is not None:
        marks.append(f"in {message.topic.name}")
    if message.reply_to is not None:
        marks.append(f"reply to #{message.reply_to.id}")
    if message.is_edited:
        marks.append("edited")
    if message.file is not None:
        marks.append(f"file {message.file.name}, {message.file.size} bytes")
    text = f"{message.sender.first_name} [{', '.join(marks)}]: {message.text}"
    for reaction in (r for given in message.reactions.values() for r in given):
        text += f"\n  reaction {reaction.get('emoji', '')}"
    if message.buttons:
        text += "\n  " + " ".join(f"[{button.text}]" for button in message.buttons)
    return text
