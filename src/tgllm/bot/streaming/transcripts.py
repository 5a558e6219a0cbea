"""Shows above an answer what the bot has heard in a voice message."""

from collections.abc import Sequence

from tgllm.bot.rendering.above import with_quote_above
from tgllm.bot.rendering.payloads import Payload
from tgllm.services.common.text import clip
from tgllm.services.conversations.turn import TurnOutcome

__all__ = ["MARK", "MOST_SHOWN", "with_transcript"]

MARK = "🎤 "
"""Begins the quote of a transcript, in every language."""
MOST_SHOWN = 1500
"""Most UTF-16 units of a transcript that are shown; the model reads all of it."""


def with_transcript(payloads: Sequence[Payload], outcome: TurnOutcome) -> list[Payload]:
    """Return the messages of an answer below the words of the voice messages that it answers."""
    said = "\n\n".join(each.strip() for each in outcome.transcripts if each.strip())
    return with_quote_above(payloads, MARK + clip(said, MOST_SHOWN) if said else "")
