"""The words in which the outcome of a turn is told."""

from tgllm.bot.rendering.notes import with_note
from tgllm.bot.rendering.payloads import EntityText, Payload, RichMode
from tgllm.bot.rendering.render import render
from tgllm.bot.rendering.split import split_text
from tgllm.bot.thoughts import with_thoughts
from tgllm.i18n import Catalogue, error_text
from tgllm.observe.logs import get_logger
from tgllm.services.turn import TurnOutcome

__all__ = ["final_payloads"]

log = get_logger(__name__)


def final_payloads(outcome: TurnOutcome, texts: Catalogue, language: str, rich: RichMode = "auto") -> list[Payload]:
    """The answer as the chat gets it: all that came, and a line that says so if it is not the whole answer."""
    notes = (_note(outcome, texts, language), _retired(outcome, texts, language))
    note = "\n\n".join(piece for piece in notes if piece)
    return with_note(_rendered(with_thoughts(outcome, texts("turn.thoughts", language), rich), rich), note) or [
        EntityText(texts("turn.empty_answer", language))
    ]


def _rendered(text: str, rich: RichMode) -> list[Payload]:
    try:
        return render(text, rich=rich)
    except Exception as error:  # noqa: BLE001  a mistake in formatting must not cost the answer
        log.error("render.failed", error=repr(error))
        return [EntityText(part) for part in split_text(text)]


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
            return texts("turn.empty_answer", language)
        case _ if outcome.reason == "length":
            return texts("turn.length", language)
        case _ if outcome.reason == "filtered":
            return texts("turn.filtered", language)
        case _:
            return ""
