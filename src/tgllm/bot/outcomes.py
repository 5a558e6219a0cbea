"""The words in which the outcome of a turn is told."""

from tgllm.i18n import Catalogue, error_text
from tgllm.services.turn import TurnOutcome

__all__ = ["final_text"]


def final_text(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    """The answer as the chat gets it: all that came, and a line that says so if it is not the whole answer."""
    notes = (_note(outcome, texts, language), _retired(outcome, texts, language))
    return "\n\n".join(piece for piece in (outcome.text.strip(), *notes) if piece)


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
