"""Transcript of a chat, for printing and for the error message of a wait."""

from collections.abc import Iterable

from tgllm.testing.emulator.state.records import CallbackQuery, EmulatedChat, EmulatedMessage

__all__ = ["transcript"]


def transcript(chat: EmulatedChat, presses: Iterable[CallbackQuery] = ()) -> str:
    """Return the visible content of a chat: a block for each message with its ``presses``, then the drafts."""
    there = list(presses)
    lines = [_message(message, [press for press in there if press.message is message]) for message in chat.messages]
    for draft in chat.drafts.values():
        name = chat.bot.first_name if chat.bot else "bot"
        lines.append(f"{name} [draft {draft.id}]: {draft.text or 'Thinking…'}")
    return "\n".join(lines)


def _message(message: EmulatedMessage, presses: Iterable[CallbackQuery]) -> str:
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
    for row in message.rows:
        text += "\n  " + " ".join(f"[{label}]" for label in row)
    for press in presses:
        text += f"\n  {press.sender.first_name} pressed [{_label(press)}]: {_toast(press)}"
    return text


def _label(press: CallbackQuery) -> str:
    """Return the label of the pressed button; its data if the button is gone."""
    return next((button.text for button in press.message.buttons if button.data == press.data), press.data)


def _toast(press: CallbackQuery) -> str:
    """Return what the bot answered to the press."""
    if press.answer is None:
        return "not answered yet"
    return str(press.answer.get("text") or "answered")
