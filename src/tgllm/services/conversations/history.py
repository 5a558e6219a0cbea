"""Selection of the history for a request: the newest messages that fit, and a summary of older ones."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tgllm.api import ChatMessage, ChatRequest, FilePart, ModelRef, TextPart
from tgllm.db.queries.contexts import HistoryMessage
from tgllm.db.tables.models import Model
from tgllm.db.tables.summaries import Summary
from tgllm.providers.tokens import estimate_message
from tgllm.services.chats.settings import ContextSize
from tgllm.services.common.thoughts import without_leading_thoughts
from tgllm.services.conversations.answer_parts import named_files
from tgllm.services.files.gathering.materials import Item, Materials

__all__ = [
    "Estimate",
    "Estimator",
    "Shown",
    "begin_with",
    "budget_of",
    "estimate_tokens",
    "fit_history",
    "room_in",
    "show",
    "step_of",
    "to_chat_message",
    "with_items",
    "with_less_history",
    "with_smaller_files",
]

LEAST_END: Final = 64
"""Fewest tokens of an answer's end that are worth sending."""
MOST_CHARS_PER_TOKEN: Final = 16
"""Characters of a token that no text exceeds, so that the rest of a long answer need not be estimated."""
_GOES_ON = "… "

LEAST_CACHED: Final = 2048
"""Smallest maximum of a request, in tokens, for which prompt caching matters."""
STEPS: Final = 4
"""The beginning of a truncated history moves by at least an eighth and at most a quarter of the context."""

Estimate = Callable[[str], int]
"""Function that estimates the tokens of a text as one message."""


@dataclass(frozen=True, slots=True)
class Estimator:
    """Estimates tokens, calibrated for one model; of stored messages it uses the stored estimate."""

    factor: float = 1.0
    """Counted tokens per estimated token, see ``providers.tokens.Calibration``."""

    def __call__(self, text: str) -> int:
        """Estimate the tokens of a text as one message."""
        return math.ceil(estimate_tokens(text) * self.factor)

    def of(self, row: HistoryMessage) -> int:
        """Estimate the tokens of a stored message."""
        tokens = row.tokens
        return math.ceil((estimate_tokens(row.text) if tokens is None else tokens) * self.factor)


@dataclass(frozen=True, slots=True)
class Shown:
    """Part of a conversation that goes into a request."""

    messages: Sequence[HistoryMessage]
    """Oldest first; the first one is a question."""
    summary: Summary | None
    """Summary of the messages before, part of the request."""
    fallen: Sequence[HistoryMessage]
    """Messages that are neither in ``messages`` nor covered by a summary, oldest first."""
    summarised: Summary | None = None
    """The stored summary, also if it is not part of the request."""


def room_in(model: Model | None, most: int | None = None) -> int | None:
    """Return the maximum input tokens of a model: window less answer, at most ``most``; None if both are unknown.

    The answer gets its maximum length, or a quarter of the window if that is unknown, but at most half of the window.
    """
    if model is None or model.context_window is None:
        return most
    window = model.context_window
    room = window - min(model.max_output_tokens or window // 4, window // 2)
    return room if most is None else min(room, most)


def budget_of(size: ContextSize | None, default: int, room: int | None) -> int:
    """Return the maximum number of tokens of a request.

    Args:
        size: context size chosen in the chat.
        default: default of the config, also for the size ``max`` if ``room`` is unknown.
        room: see ``room_in``.
    """
    wanted = room if size == "max" else size
    wanted = default if wanted is None else wanted
    return wanted if room is None else min(wanted, room)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text as one message."""
    return estimate_message(ChatMessage("user", (TextPart(text),)))


UNCALIBRATED = Estimator()


def to_chat_message(row: HistoryMessage, model: ModelRef, files: Sequence[FilePart] = ()) -> ChatMessage:
    """Convert a stored message for a provider; ``provider_data`` is only sent to the model that returned it.

    Args:
        row: the message.
        model: the model that gets it.
        files: files of an answer that the model made; other models get their names.
    """
    if row.said is not None:
        return row.said
    if row.role == "user":
        return ChatMessage("user", (TextPart(row.text),))
    text = without_leading_thoughts(row.text)
    if row.parts_json is None and row.data_json is None and not files:
        return ChatMessage("assistant", (TextPart(text),))
    if row.parts_json and not files:
        text = f"{text}\n\n{named_files(row)}".strip()
    same_model = row.data_json is not None and (row.provider, row.model) == (model.provider, model.model)
    parts = (TextPart(text), *files) if text or not files else tuple(files)
    return ChatMessage("assistant", parts, row.provider_data if same_model else None)


def with_items(message: ChatMessage, items: Iterable[Item]) -> ChatMessage:
    """Return a message with files before its words."""
    parts = tuple(item.part for item in items)
    return replace(message, parts=(*parts, *message.parts)) if parts else message


def show(
    rows: Sequence[HistoryMessage],
    summary: Summary | None,
    budget: int,
    estimate: Estimator = UNCALIBRATED,
    step: int = 0,
) -> Shown:
    """Select the newest messages that fit; if not all do, the summary and the newest messages after it.

    A request keeps the same prefix from turn to turn, so that prompt caching by the provider makes it cheaper: messages
    that the summary covers are left out, also if there is room for some; without a summary, the beginning moves in
    steps, see ``_steady``.

    Args:
        rows: a branch, oldest first.
        summary: summary of its beginning.
        budget: maximum number of tokens, without the new question.
        estimate: estimates tokens.
        step: tokens by which the beginning moves, see ``step_of``; 0: as few as necessary.
    """
    kept = fit_history(rows, budget, estimate)
    if summary is None:
        kept = _steady(kept, step) if len(kept) < len(rows) else kept
        return Shown(kept, None, rows[: len(rows) - len(kept)])
    if len(kept) == len(rows) and (not rows or rows[0].parent_id is None):
        return Shown(kept, None, (), summary)
    after = [row for row in rows if row.id > summary.message_id]
    cost = estimate(summary.text)
    # A long question may leave little room, and the summary may have been made for a larger context.
    told = summary if cost <= budget // 2 else None
    kept = fit_history(after, budget - cost if told else budget, estimate)
    return Shown(kept, told, after[: len(after) - len(kept)], summary)


def step_of(most: int, factor: float) -> int:
    """Return the tokens, not calibrated, by which the beginning of a truncated history moves; 0: as few as necessary.

    It is a power of two, so that it stays the same while the calibration of the model changes a little. In a small
    context the history counts more than a cache: providers cache prefixes of 1024 tokens or more.

    Args:
        most: maximum number of tokens of a request.
        factor: calibration of the model.
    """
    return 0 if most < LEAST_CACHED else 1 << (int(most / factor) // STEPS).bit_length() - 1


def _steady(rows: Sequence[HistoryMessage], step: int) -> Sequence[HistoryMessage]:
    """Return the messages from the first exchange on that contains a multiple of ``step`` tokens of the branch.

    Which exchanges do depends on the branch alone. So the same one is the first, until it no longer fits. Without such
    an exchange in the older half, all messages stay.
    """
    if step < 1 or not rows:
        return rows
    places = _places(rows)
    total, first, begin = places[-1] + _stored(rows[-1]), 0, places[0]
    for index in range(1, len(rows) + 1):
        if index < len(rows) and rows[index].role != "user":
            continue
        end = places[index] if index < len(rows) else total
        if (begin - 1) // step != (end - 1) // step:
            return rows[first:]
        if end - places[0] > (total - places[0]) // 2:
            break
        first, begin = index, end
    return rows


def _places(rows: Sequence[HistoryMessage]) -> list[int]:
    """Return how many tokens of the branch come before each message.

    Messages that were stored without that figure are counted backwards from the ones after them.
    """
    end, places = _end_of(rows[-1]), list[int]()
    for row in reversed(rows):
        is_unknown = row.tokens is None or row.tokens_before is None
        end = end - _stored(row) if is_unknown else row.tokens_before or 0
        places.append(end)
    places.reverse()
    return places


def _end_of(last: HistoryMessage) -> int:
    """Return the tokens of the branch up to its end; the message after one without the figure begins at 0."""
    return 0 if last.tokens is None or last.tokens_before is None else last.tokens_before + last.tokens


def _stored(row: HistoryMessage) -> int:
    return estimate_tokens(row.text) if row.tokens is None else row.tokens


def fit_history(
    rows: Sequence[HistoryMessage], budget: int, estimate: Estimator = UNCALIBRATED
) -> Sequence[HistoryMessage]:
    """Return the newest messages that fit ``budget``, beginning with a question.

    If not even the last question and answer fit, they are the question and the end of the answer: what continues an
    answer that was cut off needs its end.

    Args:
        rows: oldest first.
        budget: maximum number of tokens.
        estimate: estimates tokens.
    """
    spent, cost = 0, estimate.of
    index = first = len(rows)
    for row in reversed(rows):
        index -= 1
        spent += cost(row)
        if spent > budget:
            break
        if row.role == "user":
            first = index
    return rows[first:] or _end_of_last(rows, budget, estimate)


def _end_of_last(rows: Sequence[HistoryMessage], budget: int, estimate: Estimator) -> Sequence[HistoryMessage]:
    """Return the last question and the end of its answer; nothing if the question takes more than half of the budget.

    A small end would tell the model less than it costs.
    """
    if len(rows) < 2 or (rows[-2].role, rows[-1].role) != ("user", "assistant"):
        return rows[len(rows) :]
    question, answer = rows[-2:]
    room = budget - estimate.of(question)
    if room < max(budget // 2, LEAST_END):
        return rows[len(rows) :]
    text = answer.text[-room * MOST_CHARS_PER_TOKEN :]
    while (cost := estimate(_GOES_ON + text)) > room:
        text = text[len(text) - len(text) * room // (cost + 1) :]
    return [question, answer._replace(text=_GOES_ON + text, data_json=None, tokens=None, said=None)]


def begin_with(messages: Sequence[ChatMessage], summary: TextPart) -> tuple[ChatMessage, ...]:
    """Prepend a summary to the first message: a separate message would break the alternation of roles."""
    first, *others = messages
    return (replace(first, parts=(summary, *first.parts)), *others)


def with_smaller_files(
    request: ChatRequest, before: Materials, smaller: Materials, summary: TextPart | None = None
) -> ChatRequest:
    """Return the request with smaller files before the question, and the newer half of its history.

    Args:
        request: a request that was too long.
        before: its files.
        smaller: the same files in less room.
        summary: kept, if the request begins with it.
    """
    old = {item.part for items in (before.question, *before.history.values()) for item in items}
    bare = tuple(
        replace(message, parts=tuple(part for part in message.parts if part not in old)) for message in request.messages
    )
    shorter = with_less_history(replace(request, messages=bare), summary) or replace(request, messages=bare)
    *history, question = shorter.messages
    # The messages that the documents came with may be left out.
    items = [*smaller.staying(except_of=()), *smaller.question]
    return replace(shorter, messages=(*history, with_items(question, items)))


def with_less_history(request: ChatRequest, summary: TextPart | None = None) -> ChatRequest | None:
    """Return the request with the newer half of its history, in tokens; None without any history.

    Args:
        request: a request that was too long.
        summary: kept, if the request begins with it.
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
