"""Calls that find out whose a message is: its buttons are replaced by those of a row.

"message is not modified" means that it had them; an error says that there is no such message, or that it is not the
bot's. If the buttons have changed, the answer contains the message, and so its text and its topic.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from aiogram import Bot

from tgllm.bot.delivery.calls import RawEditMarkup
from tgllm.bot.telegram.failures import NOT_MODIFIED, CallFailure, classify, fatal_error
from tgllm.db.tables.outbox import OutboxRow
from tgllm.services.messaging.memory_texts import MEMORY_TEXT

__all__ = ["LOOKING", "Changed", "Unclear", "are_told_apart", "buttons_of", "owner_of", "set_buttons"]

LOOKING: Final[Mapping[str, Any]] = {"inline_keyboard": [[{"text": "\u2026", "callback_data": "looking"}]]}
"""Buttons that no message has; they are shown for a moment where only its text says whose a message is."""
_NOT_THERE: Final = ("message to edit not found", "message_id_invalid", "message identifier is not specified")
_NOT_OURS: Final = ("message can't be edited",)
_REPEATS: Final = 3
"""Most repeats of a call that Telegram refuses because of its rate limits."""


Look = tuple[str, int | None] | None
"""The text or caption of a message, without regard to spaces, and its topic; None if it has no text to compare."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The message had other buttons."""

    look: Look


@dataclass(frozen=True, slots=True)
class Unclear:
    """It can't be found out."""

    reason: str


Answer = Literal["same", "other"] | Changed | CallFailure | Unclear
"""``same``: the message had these buttons; ``other``: it is not there, or not one of the bot."""


async def set_buttons(bot: Bot, chat_id: int | None, message_id: int, markup: object) -> Answer:
    """Set the buttons of a message.

    Raises:
        TelegramRefused: Telegram does not accept the token any more.
    """
    answer = await _set(bot, chat_id, message_id, markup)
    for _ in range(_REPEATS):
        # The limiter holds the chat meanwhile. The ids that were tried before need not be tried again.
        if isinstance(answer, CallFailure) and answer.meaning == "wait":
            answer = await _set(bot, chat_id, message_id, markup)
    if not isinstance(answer, CallFailure):
        topic = answer.get("message_thread_id") if answer.get("is_topic_message") else None
        return Changed(_look(answer, topic))
    words = answer.reason.lower()
    if NOT_MODIFIED in words:
        return "same"
    if answer.meaning == "rejected" and any(known in words for known in (*_NOT_THERE, *_NOT_OURS)):
        return "other"
    return answer if answer.meaning != "rejected" else Unclear(f"an unexpected answer: {answer.reason}")


async def _set(bot: Bot, chat_id: int | None, message_id: int, markup: object) -> Mapping[str, Any] | CallFailure:
    try:
        # Without a chat the call is refused, and such a row is not looked for.
        return await bot(RawEditMarkup(chat_id=chat_id or 0, message_id=message_id, reply_markup=markup))  # type: ignore[arg-type]  JSON
    except Exception as error:
        if (fatal := fatal_error(error)) is not None:
            raise fatal from error
        return classify(error)


def owner_of(look: Look, rows: Iterable[OutboxRow]) -> OutboxRow | None:
    """Return the row whose message looks like this; None if that does not say which one it is."""
    looks = [(row, look_of(row.payload)) for row in rows]
    found = [row for row, wanted in looks if wanted == look]
    is_certain = look is not None and all(wanted is not None for _, wanted in looks)
    return found[0] if is_certain and len(found) == 1 else None


def are_told_apart(rows: Sequence[OutboxRow]) -> bool:
    """Return whether the look of a message says which of the rows has sent it."""
    looks = {look_of(row.payload) for row in rows}
    return None not in looks and len(looks) == len(rows)


def look_of(payload: Mapping[str, Any]) -> Look:
    """Return how the message of a payload looks."""
    if MEMORY_TEXT in payload or "rich_message" in payload:
        return None
    return _look(payload, payload.get("message_thread_id"))


def buttons_of(payload: Mapping[str, Any]) -> object:
    """Return the buttons of the message that a payload sends; None if it has none."""
    return payload.get("reply_markup") or None


def _look(content: Mapping[str, Any], topic: int | None) -> Look:
    # Telegram trims spaces.
    text = " ".join(str(content.get("text") or content.get("caption") or "").split())
    return (text, topic) if text else None
