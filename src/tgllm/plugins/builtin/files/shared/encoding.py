"""Encodings of texts: byte order mark, then strict UTF-8, then a guess."""

import codecs
import io
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TextIO

__all__ = ["HEAD", "Encoding", "decode", "detect", "is_text", "known_encoding", "open_text"]

HEAD = 65_536
"""Bytes at the beginning of a file by which text is told from other content."""

_SAMPLE = 262_144
_MOST_CHECKED = 64 * 1024 * 1024
_CHUNK = 1024 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before UTF-16, whose mark is the beginning of this one.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = re.compile(rb"[\x01-\x07\x0e-\x19\x1c-\x1f\x7f]")
"""Bytes that texts don't contain: all controls but white space, backspace, Ctrl-Z and escape."""
_ESCAPE = re.compile(rb"\x1b\$[@B]")
"""Begins Japanese characters in ISO-2022-JP, which consists of ASCII bytes otherwise."""
_ASCII_WITH_ZEROS = re.compile(rb"[\x00\t\n\r -~]*")
_WIDE_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """Encoding of a text."""

    name: str
    """Name of a codec."""
    guessed: bool = False


def is_text(head: bytes) -> bool:
    """Return whether the first ``HEAD`` bytes of a file are those of a text."""
    head = head[:HEAD]
    if not head:
        return False
    wide = _wide(head)
    if wide:
        unit = 4 if wide.startswith("utf-32") else 2
        text = head[: len(head) // unit * unit].decode(wide, "replace")
        return len(_WIDE_CONTROLS.findall(text)) * 50 <= len(text)
    if b"\0" in head:
        return False
    controls = len(_CONTROLS.findall(head))
    # A log may hold a few; other content has one byte in ten of them, unless it is short.
    return controls == 0 or (_decodes(head, "utf-8") and controls * 25 <= len(head))


def detect(stream: BinaryIO) -> Encoding:
    """Return the encoding of a text; the stream is at its beginning afterwards."""
    head = stream.read(_SAMPLE)
    try:
        for mark, name in _MARKS:
            if head.startswith(mark):
                return Encoding(name)
        wide = _wide(head)
        if wide:
            return Encoding(wide, guessed=True)
        if _ESCAPE.search(head) and _decodes(head, "iso2022_jp"):
            return Encoding("iso2022_jp")
        wrong = _first_wrong(stream, head)
        if wrong is None:
            return Encoding("utf-8")
        sample = head if wrong < len(head) else _around(stream, wrong)
        if _is_damaged_utf8(sample):
            return Encoding("utf-8", guessed=True)
        from tgllm.plugins.builtin.files.shared.guess import guess  # noqa: PLC0415  most texts need no guess

        return Encoding(guess(sample), guessed=True)
    finally:
        stream.seek(0)


@contextmanager
def open_text(stream: BinaryIO) -> Generator[tuple[TextIO, str]]:
    """Return a reader of a text with line ends as in Python, and its encoding if that was guessed, else ""."""
    encoding = detect(stream)
    reader = io.TextIOWrapper(stream, encoding=encoding.name, errors="replace")
    try:
        yield reader, encoding.name if encoding.guessed else ""
    finally:
        # The stream stays open: it may be part of a larger one.
        reader.detach()


def known_encoding(name: str) -> str | None:
    """Return an encoding that a file declares, or None if Python doesn't know it, or it is not one of ASCII's kin."""
    # The web's names of two encodings mean larger ones. WHATWG: Encoding.
    name = {"iso-8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}.get(name.lower(), name)
    ascii_text = bytes(range(0x20, 0x7F))
    try:
        return name if ascii_text.decode(name, "replace") == ascii_text.decode() else None
    except (LookupError, ValueError):
        return None


def decode(data: bytes) -> str:
    """Return a short text."""
    with open_text(io.BytesIO(data)) as (reader, _):
        return reader.read()


def _wide(head: bytes) -> str | None:
    """Return the encoding of a text with two or four bytes for each character."""
    for mark, name in _MARKS[1:]:
        if head.startswith(mark):
            return name
    # Without a mark, ASCII characters have a zero at the same place of each pair.
    sample = head[:4096]
    sample = sample[: len(sample) // 2 * 2]
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if (low and high) or (low + high) * 10 < len(sample) // 2 or len(sample) < 4:
        return None
    if (low + high) * 2 < len(sample) // 2 and _ASCII_WITH_ZEROS.fullmatch(sample):
        # In UTF-16, each ASCII character has one; other characters have bytes that ASCII doesn't use.
        return None
    name = "utf-16-le" if high else "utf-16-be"
    text = sample.decode(name, "replace")
    strange = sum(1 for character in text if not (character.isprintable() or character.isspace()))
    return name if strange * 50 <= len(text) else None


def _decodes(head: bytes, name: str) -> bool:
    """Return whether the beginning of a text is in an encoding; a character may be cut at its end."""
    try:
        codecs.getincrementaldecoder(name)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _first_wrong(stream: BinaryIO, head: bytes) -> int | None:
    """Return the position of the first byte that is not UTF-8, or None; the end of a huge text is not looked at."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk, start = head, 0
    while True:
        last = not chunk or start >= _MOST_CHECKED
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return start - held + error.start
        if last:
            return None
        start += len(chunk)
        chunk = stream.read(_CHUNK)


def _around(stream: BinaryIO, position: int) -> bytes:
    stream.seek(max(0, position - _SAMPLE // 2))
    return stream.read(_SAMPLE)


def _is_damaged_utf8(sample: bytes) -> bool:
    """Return whether a sample is UTF-8 but for a few bytes, such as a text that was cut in a character."""
    text = sample.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    others = sum(1 for character in text if character > "\x7f") - wrong
    return others > wrong * 10
