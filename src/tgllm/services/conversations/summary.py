"""What a summary of the beginning of a conversation covers, and how a model is asked for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.db.tables.messages import Message
from tgllm.i18n import Catalogue
from tgllm.services.conversations.history import Estimate, Shown, fit_history

__all__ = ["Gap", "cut_to_fit", "gap_of", "question_for"]

MOST_WORDS, LEAST_WORDS = 300, 40
"""What a summary may have; in a small context less."""
TOKENS_PER_WORD = 10
"""A tenth of a context in words is about a sixth of it in tokens."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The beginning of a conversation that is to be summarised."""

    earlier: str
    """The summary of what came before; empty if there is none."""
    rows: Sequence[Message]
    """Oldest first; the last one is an answer."""


def gap_of(shown: Shown, most: int, estimate: Estimate) -> Gap | None:
    """What is to be summarised after a turn; None where nothing fell out of its context.

    More than what fell out, so that half of the context is free afterwards and the next summary is some turns away; and
    no more than what fits a context itself, the oldest first, so that a long history is caught up with turn by turn.

    Args:
        shown: what went into the turn's request.
        most: tokens of the whole context.
        estimate: counts the tokens of a text.
    """
    if not shown.fallen:
        return None
    kept = fit_history(shown.messages, most // 2, estimate)
    rows = [*shown.fallen, *shown.messages[: len(shown.messages) - len(kept)]]
    earlier = "" if shown.summarised is None else shown.summarised.text
    return Gap(earlier, _first_of(rows, most - estimate(earlier), estimate))


def _first_of(rows: Sequence[Message], room: int, estimate: Estimate) -> Sequence[Message]:
    """The oldest exchanges that fit; at least one."""
    end = spent = 0
    for index, row in enumerate(rows, 1):
        spent += estimate(row.text)
        if spent > room and end:
            break
        # An exchange ends where the next question begins.
        if index == len(rows) or rows[index].role == "user":
            end = index
    return rows[:end]


def question_for(gap: Gap, most: int, texts: Catalogue, estimate: Estimate) -> str:
    """What the model is asked. In the language of the bot, since a chat may have several."""
    words = min(max(most // TOKENS_PER_WORD, LEAST_WORDS), MOST_WORDS)
    said = [texts("prompt.said", name=_speaker(row, texts), text=row.text) for row in gap.rows]
    if gap.earlier:
        said.insert(0, texts("prompt.summary", text=gap.earlier))
    return texts("prompt.summarise", words=words, text=cut_to_fit("\n\n".join(said), most, estimate))


def _speaker(row: Message, texts: Catalogue) -> str:
    return texts("export.user") if row.role == "user" else texts("export.assistant")


def cut_to_fit(text: str, tokens: int, estimate: Estimate) -> str:
    """The start of a text that has no more than so many tokens."""
    while text and estimate(text) > tokens:
        text = text[: len(text) * 3 // 4]
    return text
