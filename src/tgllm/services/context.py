"""What of a conversation a model is shown: the newest messages that fit a budget of tokens."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tgllm.api import ChatMessage, ChatRequest, ModelRef, TextPart
from tgllm.db.messages import Message
from tgllm.providers.tokens import estimate_message

__all__ = ["estimate_tokens", "fit_history", "to_chat_message", "with_less_history"]


def estimate_tokens(text: str) -> int:
    """Tokens of a text as a message of its own, roughly."""
    return estimate_message(ChatMessage("user", (TextPart(text),)))


def to_chat_message(row: Message, model: ModelRef) -> ChatMessage:
    """A stored message as a provider gets it; opaque data goes back to the model that it came from only."""
    same_model = (row.provider, row.model) == (model.provider, model.model)
    return ChatMessage(row.role, (TextPart(row.text),), row.provider_data if same_model else None)


def fit_history(
    rows: Sequence[Message], budget: int, estimate: Callable[[str], int] = estimate_tokens
) -> Sequence[Message]:
    """The newest messages whose tokens fit ``budget``, starting with a question.

    Args:
        rows: oldest first.
        budget: tokens for the history, without the new question.
        estimate: counts the tokens of a text.
    """
    spent = 0
    first = len(rows)
    for index in range(len(rows) - 1, -1, -1):
        spent += estimate(rows[index].text)
        if spent > budget:
            break
        if rows[index].role == "user":
            first = index
    return rows[first:]


def with_less_history(request: ChatRequest) -> ChatRequest | None:
    """The request with the newer half of its history, measured in tokens; None where there is none to leave out."""
    *history, question = request.messages
    left = sum(map(estimate_message, history)) // 2
    first = len(history)
    for index in range(len(history) - 1, -1, -1):
        left -= estimate_message(history[index])
        if left < 0:
            break
        if history[index].role == "user":
            first = index
    return replace(request, messages=(*history[first:], question)) if history else None
