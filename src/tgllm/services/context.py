"""What of a conversation a model is shown: the newest messages that fit a budget of tokens."""

from collections.abc import Sequence

from tgllm.api import ChatMessage, ModelRef, TextPart
from tgllm.db.messages import Message

__all__ = ["estimate_tokens", "fit_history", "to_chat_message"]

CHARS_PER_TOKEN = 3
"""Low on purpose: it counts too many tokens rather than too few for most languages."""

TOKENS_PER_MESSAGE = 4
"""What the roles and separators around a message cost."""


def estimate_tokens(text: str) -> int:
    """Tokens of a text, roughly, from its UTF-8 length (so that Cyrillic and CJK weigh more than Latin)."""
    return len(text.encode("utf-8", errors="replace")) // CHARS_PER_TOKEN + TOKENS_PER_MESSAGE


def to_chat_message(row: Message, model: ModelRef) -> ChatMessage:
    """A stored message as a provider gets it; opaque data goes back to the model that it came from only."""
    same_model = (row.provider, row.model) == (model.provider, model.model)
    return ChatMessage(row.role, (TextPart(row.text),), row.provider_data if same_model else None)


def fit_history(rows: Sequence[Message], budget: int) -> Sequence[Message]:
    """The newest messages whose tokens fit ``budget``, starting with a question.

    Args:
        rows: oldest first.
        budget: tokens for the history, without the new question.
    """
    spent = 0
    first = len(rows)
    for index in range(len(rows) - 1, -1, -1):
        spent += estimate_tokens(rows[index].text)
        if spent > budget:
            break
        if rows[index].role == "user":
            first = index
    return rows[first:]
