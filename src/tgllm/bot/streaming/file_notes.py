"""Notes on the files of a question: what was read of them, and what could not be."""

from collections.abc import Callable, Iterator

from tgllm.i18n import Catalogue, error_text
from tgllm.i18n.amounts import amount
from tgllm.observe.redaction import redact
from tgllm.services.conversations.turn import TurnOutcome
from tgllm.services.files.gathering.materials import FileNote

__all__ = ["notes_on_files"]

MOST_NOTES = 3
"""Notes of one answer; an album of ten documents would bury it."""


def notes_on_files(outcome: TurnOutcome, texts: Catalogue, language: str) -> list[str]:
    """Return the notes, each on one line, as far as the error of the turn does not say the same."""

    def say(key: str, **params: object) -> str:
        return texts(key, language, **params)

    told = [redact(error_text(texts, error, language)) for error in outcome.unread if error is not outcome.error]
    notes = [" ".join(_pieces(note, say)) for note in outcome.read]
    return [*dict.fromkeys(told[:MOST_NOTES]), *notes[:MOST_NOTES]]


def _pieces(note: FileNote, say: Callable[..., str]) -> Iterator[str]:
    chars = amount(say, "characters", note.chars)
    if note.pages is None:
        yield say("files.read", name=note.name, amount=chars)
    else:
        parts = amount(say, note.parts, note.pages)
        if note.parts == "parts":
            yield say("files.read_parts", name=note.name, pages=parts, amount=chars)
        else:
            yield say("files.read_pages", name=note.name, pages=parts, amount=chars)
    if note.tokens:
        tokens = amount(say, "tokens", note.tokens)
        if note.shown:
            yield say("files.shown", shown=", ".join(note.shown), tokens=tokens)
        else:
            yield say("files.shown_part", tokens=tokens)
    if note.truncated:
        yield say("files.truncated")
    if note.pictures:
        yield say("files.pictures", count=len(note.pictures))
    elif note.without_text:
        yield say("files.without_text", count=note.without_text)
    if note.encoding:
        yield say("files.encoding", encoding=note.encoding)
