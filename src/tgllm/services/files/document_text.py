"""The text by which a model reads a document: its name, what of it is shown, and its content between two marks."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.db.tables.passages import Outline
from tgllm.i18n import Catalogue
from tgllm.services.files.names import display_name, quoted_name
from tgllm.services.files.search.places import page_range
from tgllm.services.files.search.text_lines import part_mark

__all__ = ["Document", "mark_of", "shown_parts", "tell_document", "tell_unseen"]

MOST_RUNS: Final = 12
"""Parts that the line about a document names."""
MOST_NAME: Final = 60
MOST_STEPS: Final = 20
"""Folders of a path in an archive."""
_MARK_DIGITS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of a conversation."""

    sha256: str
    """SHA-256 of the file's content, in lower-case hex."""
    name: str | None
    """File name from the sender."""
    mime: str
    pages: int | None = None
    """Pages, slides or sheets of the whole file."""
    truncated: bool = False
    """Whether the file contains more text than was read."""
    current: bool = False
    """Whether the question came with it or replies to it."""


def mark_of(secret: str, sha256: str) -> str:
    """Return the line before and after a document's content.

    It is the same in each request (prompt caching), and the author of the document can't know it: it depends on a
    secret of the installation and on the content itself.
    """
    digest = hmac.new(secret.encode(), sha256.encode(), hashlib.sha256).hexdigest()
    return f"=== document {digest[:_MARK_DIGITS]} ==="


def tell_document(
    document: Document,
    outline: Sequence[Outline],
    texts: Mapping[int, str],
    mark: str,
    say: Catalogue,
) -> str:
    """Return the text by which a model reads a document.

    Args:
        document: the document.
        outline: all its passages.
        texts: texts of the passages to show, by their numbers.
        mark: see ``mark_of``.
        say: texts of the bot.
    """
    numbers = sorted(texts)
    shown = (
        say("prompt.document_whole")
        if len(numbers) == len(outline)
        else say("prompt.document_parts", parts=", ".join(shown_parts(outline, numbers)))
    )
    if document.truncated:
        shown += f" {say('prompt.document_truncated')}"
    head = say(
        "prompt.document",
        name=quoted_name(document.name, MOST_NAME),
        details=_details(document, outline),
        shown=shown,
        mark=mark,
    )
    return "\n".join([head, mark, *_content(outline, texts, say), mark])


def tell_unseen(document: Document, outline: Sequence[Outline], say: Catalogue) -> str:
    """Return the line about a document for whose text there is no room."""
    name = quoted_name(document.name, MOST_NAME)
    return say("prompt.document_unseen", name=name, details=_details(document, outline))


def shown_parts(outline: Sequence[Outline], numbers: Sequence[int]) -> tuple[str, ...]:
    """Return the names of the parts that some passages are from, such as "page 1-3"; the middle is left out if long."""
    parts = list(dict.fromkeys(_span(outline, run.start, run.stop - 1) for run in _runs(numbers)))
    if len(parts) > MOST_RUNS:
        parts[MOST_RUNS // 2 : -MOST_RUNS // 2] = ["…"]
    return tuple(parts)


def _details(document: Document, outline: Sequence[Outline]) -> str:
    details = _safe(document.mime)
    if document.pages and outline:
        unit = outline[-1].part_to.rpartition(", ")[2].partition(" ")[0]
        if unit in {"page", "slide"}:
            details += f", {unit} {_range(1, document.pages)}"
    return details


def _content(outline: Sequence[Outline], texts: Mapping[int, str], say: Catalogue) -> Iterator[str]:
    """Yield the lines of the shown passages, and notes where something is left out."""
    pieces: list[str] = []
    before = -1
    for number in sorted(texts):
        entry, text = outline[number], texts[number]
        if number != before + 1:
            yield from _joined(pieces, outline[before] if before >= 0 else None)
            yield say("prompt.document_gap", parts=_span(outline, before + 1, number - 1))
            if entry.part_from and part_mark(text.partition("\n")[0]) is None:
                yield say("prompt.document_on", part=_safe(entry.part_from))
            if entry.heading:
                yield say("prompt.document_under", heading=_safe(entry.heading, 200))
            pieces = [entry.opening]
        pieces.append(text)
        before = number
    yield from _joined(pieces, outline[before] if 0 <= before < len(outline) - 1 else None)
    if before < len(outline) - 1:
        yield say("prompt.document_gap", parts=_span(outline, before + 1, len(outline) - 1))


def _joined(pieces: list[str], last: Outline | None) -> Iterator[str]:
    """Yield the text of passages in a row, with the end of an open fence."""
    text = "".join(pieces).rstrip("\n")
    if text:
        yield text
    if text and last is not None and last.closing:
        yield last.closing


def _span(outline: Sequence[Outline], start: int, end: int) -> str:
    """Return the name of what passages are from: pages, rows of a sheet, parts, or lines."""
    # Passages before the first mark, such as the outline of a PDF, belong to no part.
    first = next((entry for entry in outline[start : end + 1] if entry.part_from), outline[start])
    last = outline[end]
    pages, end_pages = page_range(first), page_range(last)
    if pages and end_pages:
        unit = first.part_from.rpartition(", ")[2].partition(" ")[0]
        return f"{unit} {_range(pages[0], end_pages[1])}"
    if first.part_from != last.part_to:
        names = [_safe(part) for part in (first.part_from, last.part_to) if part]
        return " - ".join(names)
    rows = [row for entry in outline[start : end + 1] for row in (entry.row_from, entry.row_to) if row]
    where = f"{_safe(first.part_from)}, " if first.part_from else ""
    if rows and first.row_from and last.row_to:
        return f"{where}row {_range(min(rows), max(rows))}"
    return f"{where}line {_range(first.line_from, last.line_to)}"


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _safe(name: str, longest: int = MOST_NAME) -> str:
    """Return a name from a document without what could end a note."""
    steps = [display_name(step) for step in name.replace("[", "(").replace("]", ")").split("/") if step]
    path = "/".join(steps[:MOST_STEPS])
    return path if len(path) <= longest else f"{path[: longest // 2]}…{path[-longest // 2 :]}"


def _runs(numbers: Sequence[int]) -> list[range]:
    runs: list[range] = []
    for number in numbers:
        if runs and runs[-1].stop == number:
            runs[-1] = range(runs[-1].start, number + 1)
        else:
            runs.append(range(number, number + 1))
    return runs
