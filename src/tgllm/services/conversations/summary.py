"""Selection of the messages that a summary covers, and the prompt for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.db.queries.contexts import HistoryMessage
from tgllm.i18n import Catalogue
from tgllm.services.conversations.history import Estimate, Estimator, Shown, fit_history

__all__ = ["Gap", "cut_to_fit", "gap_of", "question_for"]

MOST_WORDS, LEAST_WORDS = 300, 40
"""Bounds of the length of a summary in words, by context size."""
TOKENS_PER_WORD = 10
"""Tokens of context for each word of a summary, so that a summary takes about a sixth of the context."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages to summarise."""

    earlier: str
    """Summary of the messages before; empty without one."""
    rows: Sequence[HistoryMessage]
    """Oldest first; the last one is an answer."""


def gap_of(shown: Shown, most: int, estimate: Estimator) -> Gap | None:
    """Return the messages to summarise after a turn; None if all of them fit its context.

    More messages than necessary are taken, so that half of the context is free afterwards and the next summary is
    several turns away. No more are taken than fit one request, the oldest first: a longer history takes several turns.

    Args:
        shown: the part of the conversation in the turn's request.
        most: maximum number of tokens of a request.
        estimate: estimates tokens.
    """
    if not shown.fallen:
        return None
    kept = fit_history(shown.messages, most // 2, estimate)
    rows = [*shown.fallen, *shown.messages[: len(shown.messages) - len(kept)]]
    earlier = "" if shown.summarised is None else shown.summarised.text
    return Gap(earlier, _first_of(rows, most - estimate(earlier), estimate))


def _first_of(rows: Sequence[HistoryMessage], room: int, estimate: Estimator) -> Sequence[HistoryMessage]:
    """Return the oldest exchanges that fit; at least one."""
    end = spent = 0
    for index, row in enumerate(rows, 1):
        spent += estimate.of(row)
        if spent > room and end:
            break
        # An exchange ends where the next question begins.
        if index == len(rows) or rows[index].role == "user":
            end = index
    return rows[:end]


def question_for(gap: Gap, most: int, texts: Catalogue, estimate: Estimate) -> str:
    """Return the prompt for a summary, in the bot's language, since the people of a chat may use several."""
    words = min(max(most // TOKENS_PER_WORD, LEAST_WORDS), MOST_WORDS)
    said = [texts("prompt.said", name=_speaker(row, texts), text=row.text) for row in gap.rows]
    if gap.earlier:
        said.insert(0, texts("prompt.summary", text=gap.earlier))
    return texts("prompt.summarise", words=words, text=cut_to_fit("\n\n".join(said), most, estimate))


def _speaker(row: HistoryMessage, texts: Catalogue) -> str:
    return texts("export.user") if row.role == "user" else texts("export.assistant")


def cut_to_fit(text: str, tokens: int, estimate: Estimate) -> str:
    """Truncate a text to a number of tokens, by estimate."""
    while text and estimate(text) > tokens:
        text = text[: len(text) * 3 // 4]
    return text
