"""Messages that show the outcome of a turn."""

from tgllm.bot.rendering.notes import with_note
from tgllm.bot.rendering.payloads import EntityText, Payload, RichMode
from tgllm.bot.rendering.render import asks_for_rich, render, render_beginning
from tgllm.bot.rendering.split import split_text
from tgllm.bot.streaming.reasoning import has_thoughts, with_thoughts
from tgllm.i18n import Catalogue, error_text
from tgllm.observe.logs import get_logger
from tgllm.services.common.text import clip
from tgllm.services.conversations.turn import TurnOutcome

__all__ = ["beginning_payloads", "final_payloads"]

log = get_logger(__name__)

BEGINNING_UNITS = 1000
"""UTF-16 units of an answer that are shown in the chat if the whole answer is a file."""


def final_payloads(outcome: TurnOutcome, texts: Catalogue, language: str, rich: RichMode = "auto") -> list[Payload]:
    """Return the messages of an answer: all text of the model, and a note if the answer is incomplete.

    Args:
        outcome: how the turn ended, with the chat's own setting of rich messages.
        texts: the bot's texts.
        language: the user's.
        rich: whether rich messages are used unless the chat has its own setting.
    """
    rendered = _rendered(outcome, texts("turn.thoughts", language), outcome.look.rich or rich)
    return with_note(rendered, _notes(outcome, texts, language)) or [EntityText(texts("turn.empty_answer", language))]


def beginning_payloads(outcome: TurnOutcome, texts: Catalogue, language: str) -> list[Payload]:
    """Return the beginning of an answer, with notes that the whole is in a file and whether it is complete."""
    note = "\n\n".join(piece for piece in (texts("turn.in_file", language), _notes(outcome, texts, language)) if piece)
    return with_note(_beginning(outcome.text), note)


def _rendered(outcome: TurnOutcome, title: str, rich: RichMode) -> list[Payload]:
    try:
        if rich == "auto" and has_thoughts(outcome):
            # Only the answer decides: an expandable quote of the reasoning can be shown with entities.
            rich = "always" if asks_for_rich(outcome.text) else "never"
        return render(with_thoughts(outcome, title, is_rich=rich == "always"), rich=rich)
    except Exception as error:  # noqa: BLE001  a mistake in formatting must not cost the answer
        log.error("render.failed", error=repr(error))
        return [EntityText(part) for part in split_text(outcome.text)]


def _beginning(text: str) -> list[Payload]:
    try:
        return render_beginning(text, BEGINNING_UNITS)
    except Exception as error:  # noqa: BLE001  as above
        log.error("render.failed", error=repr(error))
        return [EntityText(clip(text.strip(), BEGINNING_UNITS))]


def _notes(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    notes = (_note(outcome, texts, language), _retired(outcome, texts, language))
    return "\n\n".join(piece for piece in notes if piece)


def _retired(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    if outcome.retired is None:
        return ""
    return texts("turn.model_retired", language, retired=outcome.retired, model=outcome.model)


def _note(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    match outcome.status:
        case "stopped":
            return texts("turn.stopped", language)
        case "interrupted":
            return texts("turn.interrupted", language)
        case "failed" if outcome.error is not None:
            return error_text(texts, outcome.error, language)
        case _ if not outcome.text.strip():
            return texts("turn.only_reasoning" if outcome.dropped else "turn.empty_answer", language)
        case _ if outcome.dropped:
            return texts("turn.too_long", language)
        case _ if outcome.reason == "length":
            return texts("turn.length", language)
        case _ if outcome.reason == "filtered":
            return texts("turn.filtered", language)
        case _:
            return ""
