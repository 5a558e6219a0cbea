"""What of a conversation a model is shown: the newest messages that fit a budget of tokens, and a summary of others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tgllm.api import ChatMessage, ChatRequest, ModelRef, TextPart
from tgllm.db.tables.messages import Message
from tgllm.db.tables.models import Model
from tgllm.db.tables.summaries import Summary
from tgllm.providers.tokens import estimate_message
from tgllm.services.chats.settings import ContextSize

__all__ = [
    "Estimate",
    "Shown",
    "begin_with",
    "budget_of",
    "estimate_tokens",
    "fit_history",
    "room_in",
    "show",
    "to_chat_message",
    "with_less_history",
]

Estimate = Callable[[str], int]
"""Counts the tokens of a text as a message of its own."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a conversation goes into a request."""

    messages: Sequence[Message]
    """Oldest first; the first one is a question."""
    summary: Summary | None
    """Stands for what came before them."""
    fallen: Sequence[Message]
    """What is neither in them nor in any summary, oldest first."""
    summarised: Summary | None = None
    """The summary there is, which may have no place this time."""


def room_in(model: Model | None, most: int | None = None) -> int | None:
    """Tokens that a model takes in, its window less its answer, and never above ``most``; None where neither is known.

    A quarter of the window stays free for an answer whose longest is not known, and at most half of it for any.
    """
    if model is None or model.context_window is None:
        return most
    window = model.context_window
    room = window - min(model.max_output_tokens or window // 4, window // 2)
    return room if most is None else min(room, most)


def budget_of(size: ContextSize | None, default: int, room: int | None) -> int:
    """Tokens of all that a model is shown.

    Args:
        size: chosen in the chat.
        default: the operator's, also where a model's ``room`` is not known but was chosen as the size.
        room: see ``room_in``.
    """
    wanted = room if size == "max" else size
    wanted = default if wanted is None else wanted
    return wanted if room is None else min(wanted, room)


def estimate_tokens(text: str) -> int:
    """Tokens of a text as a message of its own, roughly."""
    return estimate_message(ChatMessage("user", (TextPart(text),)))


def to_chat_message(row: Message, model: ModelRef) -> ChatMessage:
    """A stored message as a provider gets it; opaque data goes back to the model that it came from only."""
    same_model = (row.provider, row.model) == (model.provider, model.model)
    return ChatMessage(row.role, (TextPart(row.text),), row.provider_data if same_model else None)


def show(rows: Sequence[Message], summary: Summary | None, budget: int, estimate: Estimate = estimate_tokens) -> Shown:
    """The newest messages that fit ``budget``; where not all do, a summary and the newest of those that it leaves.

    What the summary covers is not shown besides, so that the beginning stays the same from turn to turn: providers
    charge less for a beginning that they have read before.

    Args:
        rows: a branch up to its end, oldest first.
        summary: of the beginning of that branch.
        budget: tokens for all of it, without the new question.
        estimate: counts the tokens of a text.
    """
    kept = fit_history(rows, budget, estimate)
    if summary is None:
        return Shown(kept, None, rows[: len(rows) - len(kept)])
    if len(kept) == len(rows) and (not rows or rows[0].parent_id is None):
        return Shown(kept, None, (), summary)
    after = [row for row in rows if row.id > summary.message_id]
    cost = estimate(summary.text)
    # The question may leave little room, and the summary may be from the time of a larger context.
    told = summary if cost <= budget // 2 else None
    kept = fit_history(after, budget - cost if told else budget, estimate)
    return Shown(kept, told, after[: len(after) - len(kept)], summary)


def fit_history(rows: Sequence[Message], budget: int, estimate: Estimate = estimate_tokens) -> Sequence[Message]:
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


def begin_with(messages: Sequence[ChatMessage], summary: TextPart) -> tuple[ChatMessage, ...]:
    """The messages with a summary in the first one, since speakers have to take turns."""
    first, *others = messages
    return (replace(first, parts=(summary, *first.parts)), *others)


def with_less_history(request: ChatRequest, summary: TextPart | None = None) -> ChatRequest | None:
    """The request with the newer half of its history, measured in tokens; None where there is none to leave out.

    Args:
        request: that was too long.
        summary: stays, if the request begins with it.
    """
    *history, question = request.messages
    left = sum(map(estimate_message, history)) // 2
    first = len(history)
    for index in range(len(history) - 1, -1, -1):
        left -= estimate_message(history[index])
        if left < 0:
            break
        if history[index].role == "user":
            first = index
    if not history:
        return None
    kept = (*history[first:], question)
    if summary is not None and history[0].parts[:1] == (summary,):
        kept = begin_with(kept, summary)
    return replace(request, messages=kept)
