"""What is shown above an answer, in the text of its message: a transcript of the question, and reasoning."""

from tgllm.bot.streaming.transcripts import MARK
from tgllm.bot.updates.formats.written import Written
from tgllm.i18n import Catalogue, languages

__all__ = ["without_shown_thoughts", "without_transcript"]

_QUOTES = frozenset({"blockquote", "expandable_blockquote"})
_TEXTS = Catalogue()


def without_shown_thoughts(answer: Written) -> Written:
    """Return an answer of a bot without the quote of the reasoning above it."""
    title = answer.text.partition("\n")[0]
    if not answer.entities or title not in {_TEXTS("turn.thoughts", language) for language in languages()}:
        return answer
    # Shown reasoning is a quote with its title; folded reasoning is one below it.
    starts = {0, len(title) + 1}
    ends = [each.end for each in answer.entities if each.kind in _QUOTES and each.start in starts]
    return answer.part(ends[0]).stripped() if ends else answer


def without_transcript(answer: Written) -> Written:
    """Return an answer of a bot without the quote of the voice message above it; a quote alone is kept."""
    if not answer.text.startswith(MARK):
        return answer
    ends = [each.end for each in answer.entities if each.kind in _QUOTES and each.start == 0]
    rest = answer.part(ends[0]).stripped() if ends else answer
    return rest if rest.text else answer
