"""List of the files in an archive, and the texts of the small ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tgllm.plugins.builtin.files.shared.building import TextBuilder, one_line
from tgllm.plugins.builtin.files.shared.sizes import size_words
from tgllm.plugins.builtin.files.texts import mail
from tgllm.plugins.builtin.files.texts.inner import LARGEST, write_inner

__all__ = ["Entry", "write_archive"]

_MOST_LISTED = 1_000
_MOST_READ_BYTES = 64 * 1024 * 1024
"""Bytes that are decompressed of all files together, whatever they claim."""
_MOST_READ = 500
_ARCHIVES = (".zip", ".jar", ".rar", ".7z", ".gz", ".tgz", ".bz2", ".xz", ".tar", ".zst", ".docx", ".xlsx", ".pptx")
_LARGEST_SHARE = 2
"""Part of the text that the list may take."""


@dataclass(frozen=True, slots=True)
class Entry:
    """File in an archive."""

    name: str
    """From the archive; never used as a path."""
    size: int
    """In bytes, as the archive claims."""
    is_encrypted: bool = False


def write_archive(entries: Sequence[Entry], read: Callable[[int], bytes | None], builder: TextBuilder) -> None:
    """Add the list of files, then each small text as a part of its own.

    Args:
        entries: the files.
        read: returns the content of the file with a number, or None if it can't be read.
        builder: gets the text.
    """
    total = sum(entry.size for entry in entries)
    builder.add(f"Archive. Files: {len(entries):,}. Unpacked size: {size_words(total)}.")
    _write_list(entries, builder)
    left = _MOST_READ_BYTES
    for number in _candidates(entries):
        if builder.full or left <= 0:
            builder.truncated = True
            return
        content = read(number)
        if content is not None:
            left -= len(content)
            write_inner(content, entries[number].name, builder, {"message/rfc822": mail.write})


def _write_list(entries: Sequence[Entry], builder: TextBuilder) -> None:
    room = builder.left // _LARGEST_SHARE
    for number, entry in enumerate(entries):
        line = (
            f"- {one_line(entry.name)} ({size_words(entry.size)}{', needs a password' if entry.is_encrypted else ''})"
        )
        room -= len(line) + 1
        if number >= _MOST_LISTED or room < 0:
            builder.line(f"- … and {len(entries) - number:,} more")
            return
        if number:
            builder.line(line)
        else:
            builder.add(line)


def _candidates(entries: Sequence[Entry]) -> list[int]:
    """Return the numbers of the files that may be small texts, the smallest first if there are very many."""
    found = [
        number
        for number, entry in enumerate(entries)
        if 0 < entry.size <= LARGEST and not entry.is_encrypted and not entry.name.lower().endswith(_ARCHIVES)
    ]
    if len(found) > _MOST_READ:
        found = sorted(sorted(found, key=lambda number: entries[number].size)[:_MOST_READ])
    return found
