"""Messages that show the outcome of a turn."""

from collections.abc import Sequence

from tgllm.bot.delivery.text_files import BEGINNING_UNITS
from tgllm.bot.renderer.renderer import Renderer
from tgllm.bot.rendering.notes import with_links, with_note
from tgllm.bot.rendering.payloads import Payload, RichMode
from tgllm.bot.streaming.file_notes import notes_on_files
from tgllm.bot.streaming.reasoning import has_thoughts, with_thoughts
from tgllm.bot.streaming.tool_notes import links_of
from tgllm.bot.streaming.transcripts import with_transcript
from tgllm.i18n import Catalogue, error_text
from tgllm.observe.redaction import redact
from tgllm.services.common.text import clip
from tgllm.services.conversations.tool_words import notes_on_tools
from tgllm.services.conversations.turn import TurnOutcome
from tgllm.services.files.made import MOST_FILE_BYTES, MOST_FILES

__all__ = ["beginning_payloads", "final_payloads", "notes_of"]

MOST_NOTE = 2000
"""Most UTF-16 units of a note: the error of a plugin may have a text of any length, and a note is never split."""


async def final_payloads(
    renderer: Renderer, outcome: TurnOutcome, texts: Catalogue, language: str, rich: RichMode = "auto"
) -> list[Payload]:
    """Return the messages of an answer: all text of the model, and a note if the answer is incomplete.

    There are none if the answer consists only of files.

    Args:
        renderer: renders the answer.
        outcome: how the turn ended, with the chat's own setting of rich messages.
        texts: the bot's texts.
        language: the user's.
        rich: whether rich messages are used unless the chat has its own setting.
    """
    rendered = await _rendered(renderer, outcome, texts("turn.thoughts", language), outcome.look.rich or rich)
    return with_transcript(_with_notes(rendered, outcome, notes_of(outcome, texts, language), texts, language), outcome)


async def beginning_payloads(
    renderer: Renderer, outcome: TurnOutcome, texts: Catalogue, language: str
) -> list[Payload]:
    """Return the beginning of an answer, with notes that the whole is in a file and whether it is complete."""
    pieces = (texts("turn.in_file", language), notes_of(outcome, texts, language))
    note = "\n\n".join(piece for piece in pieces if piece)
    beginning = await renderer.beginning(outcome.text, BEGINNING_UNITS)
    return with_transcript(_with_notes(beginning, outcome, note, texts, language), outcome)


def _with_notes(
    answer: Sequence[Payload], outcome: TurnOutcome, note: str, texts: Catalogue, language: str
) -> list[Payload]:
    """Return the messages with what the answer has used, and below it what else has to be known."""
    return with_note(with_links(answer, links_of(outcome.tools, texts, language)), note)


async def _rendered(renderer: Renderer, outcome: TurnOutcome, title: str, rich: RichMode) -> list[Payload]:
    if rich == "auto" and has_thoughts(outcome):
        # Only the answer decides: an expandable quote of the reasoning can be shown with entities.
        rich = "always" if await renderer.asks_for_rich(outcome.text) else "never"
    markdown = with_thoughts(outcome, title, is_rich=rich == "always")
    return await renderer.render(markdown, rich=rich, plain=outcome.text)


def notes_of(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    """Return notes on an answer that is incomplete or not from the chosen model, and on the question's files."""
    on_files = "\n".join(notes_on_files(outcome, texts, language))
    on_tools = "\n".join(notes_on_tools(outcome.tools, texts, language))
    notes = (
        on_tools,
        _note(outcome, texts, language),
        _left_out(outcome, texts, language),
        _retired(outcome, texts, language),
        _in_place_of(outcome, texts, language),
        on_files,
    )
    return clip("\n\n".join(piece for piece in notes if piece), MOST_NOTE)


def _without_text(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    """Return the note on an answer that ended without text."""
    if outcome.dropped:
        return texts("turn.only_reasoning", language)
    if outcome.reason == "length":
        return texts("turn.reasoning_length", language)
    # Some services count reasoning without showing it.
    has_reasoning = outcome.reasoning.strip() or outcome.usage.reasoning_tokens
    return texts("turn.no_answer" if has_reasoning else "turn.empty_answer", language)


def _retired(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    if outcome.retired is None:
        return ""
    return texts("turn.model_retired", language, retired=outcome.retired, model=outcome.in_place_of or outcome.model)


def _in_place_of(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    if outcome.in_place_of is None:
        return ""
    return texts("turn.in_place_of", language, asked=outcome.in_place_of, model=outcome.model)


def _left_out(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    if not outcome.files_left_out:
        return ""
    limit = f"{MOST_FILE_BYTES // 2**20} MB"
    return texts("turn.files_left_out", language, count=outcome.files_left_out, most=MOST_FILES, limit=limit)


def _note(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    match outcome.status:
        case "stopped":
            return texts("turn.stopped", language)
        case "interrupted":
            return texts("turn.interrupted", language)
        case "failed" if outcome.error is not None:
            return redact(error_text(texts, outcome.error, language))
        case _ if outcome.is_empty and not outcome.files_left_out:
            return _without_text(outcome, texts, language)
        case _ if outcome.dropped:
            return texts("turn.too_long", language)
        case _ if outcome.reason == "length":
            return texts("turn.length", language)
        case _ if outcome.reason == "filtered":
            return texts("turn.filtered", language)
        case _:
            return ""
