"""Texts of files inside others: attachments of mails, members of archives."""

from collections.abc import Mapping
from io import BytesIO

from tgllm.plugins.builtin.files.shared.building import TextBuilder
from tgllm.plugins.builtin.files.shared.encoding import HEAD, is_text
from tgllm.plugins.builtin.files.shared.reading import Write
from tgllm.plugins.builtin.files.shared.text_types import text_type
from tgllm.plugins.builtin.files.texts import csv_tables, events, html, json_data, subtitles, text, xml_source

__all__ = ["LARGEST", "inner_type", "write_inner"]

LARGEST = 1024 * 1024
"""Bytes of the largest file inside another that is read."""

_WRITERS: Mapping[str, Write] = {
    "text/csv": csv_tables.write,
    "text/tab-separated-values": csv_tables.write,
    "text/calendar": events.write,
    "text/html": html.write,
    "application/json": json_data.write,
    "application/x-subrip": subtitles.write,
    "text/vtt": subtitles.write,
    "text/xml": xml_source.write,
    "image/svg+xml": xml_source.write,
}


def inner_type(content: bytes, name: str) -> str | None:
    """Return the type of a text inside another file, or None if it is no text."""
    head = content[:HEAD]
    is_other = head.startswith((b"{\\rtf", b"%PDF-", b"%!PS"))
    return text_type(head, "", name) if is_text(head) and not is_other else None


def write_inner(content: bytes, name: str, builder: TextBuilder, more: Mapping[str, Write] | None = None) -> bool:
    """Add a part with the text of a file inside another; return whether it is a text.

    Archives inside are not opened, and mails only with a function in ``more``, so that nesting ends.
    """
    mime = inner_type(content, name)
    if mime is None or not content.strip():
        return False
    builder.mark("file", name)
    {**_WRITERS, **(more or {})}.get(mime, text.write)(BytesIO(content), name, builder)
    return True
