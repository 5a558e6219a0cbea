"""Reader of RTF: its words, paragraphs and tables. Microsoft: Rich Text Format Specification 1.9.1."""

import re
from pathlib import Path
from typing import BinaryIO

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder, clean_text
from tgllm.plugins.builtin.files.shared.reading import read_file

__all__ = ["extract", "write"]

_MOST_BYTES = 64 * 1024 * 1024
_DEEPEST = 1_000
_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.DOTALL
)
_BLOCK = 65_536
_SKIPPED_WORDS = (
    "fonttbl colortbl stylesheet listtable listoverridetable info pict themedata colorschememapping datastore object "
    "latentstyles rsidtbl generator xmlnstbl filetbl revtbl fldinst header headerl headerr headerf footer footerl "
    "footerr footerf nonshppict shppict mmathPr pgdsctbl bkmkstart bkmkend"
)
_SKIPPED = frozenset(_SKIPPED_WORDS.split())
"""Groups that are no words of the text."""
_WORDS = {
    "par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "nestrow": "\n", "cell": " | ",
    "nestcell": " | ",
    "tab": "\t", "emdash": "\u2014", "endash": "\u2013", "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c",
    "rdblquote": "\u201d", "bullet": "\u2022", "emspace": " ", "enspace": " ",
}  # fmt: skip
_SYMBOLS = {b"~": "\xa0", b"_": "-", b"-": "", b"{": "{", b"}": "}", b"\\": "\\", b"\n": "\n", b"\r": "\n"}
_CHARSETS = {
    128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255",
    178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Return the words of an RTF file, without its formats and pictures."""
    return read_file(path, limits, write)


def write(stream: BinaryIO, _name: str, builder: TextBuilder) -> str:
    """Add the words of an RTF file.

    Raises:
        FileUnreadable: it is no RTF.
    """
    data = stream.read(_MOST_BYTES)
    if not data.lstrip().startswith(b"{\\rtf"):
        raise FileUnreadable("The file is no RTF", code="file_broken")
    reader = _Reader(builder)
    reader.read(data)
    builder.truncated = builder.truncated or bool(stream.read(1))
    return ""


class _Reader:
    """State while a file is read: its groups, its encoding and the text of the block."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._groups: list[tuple[bool, int, str]] = []
        """Of each open group: whether it is skipped, how many characters replace a Unicode one, and its encoding."""
        self._is_skipped = False
        self._fallbacks = 1
        self._encoding = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._in_fonts = 0
        self._ignore = 0
        self._pending = bytearray()
        self._surrogate = 0
        self._parts: list[str] = []
        self._size = 0

    def read(self, data: bytes) -> None:
        """Read all tokens, until the builder is full."""
        at = 0
        while at < len(data) and not self._builder.full:
            match = _TOKEN.match(data, at)
            if match is None:
                at += 1
                continue
            at = match.end()
            word, number, code, symbol, brace, plain = match.groups()
            if word is not None and word == b"bin" and number is not None:
                at += max(0, int(number))
            elif code is not None:
                self._byte(bytes.fromhex(code.decode()))
            elif plain is not None:
                self._byte(plain)
            else:
                self._decode()
                self._control(word, number, symbol, brace)
        self._decode()
        self._flush()

    def _control(self, word: bytes | None, number: bytes | None, symbol: bytes | None, brace: bytes | None) -> None:
        if brace == b"{" and len(self._groups) < _DEEPEST:
            self._groups.append((self._is_skipped, self._fallbacks, self._encoding))
        elif brace == b"}" and self._groups:
            self._is_skipped, self._fallbacks, self._encoding = self._groups.pop()
            if len(self._groups) < self._in_fonts:
                self._in_fonts = 0
        elif symbol == b"*":
            self._is_skipped = True
        elif symbol is not None:
            self._add(_SYMBOLS.get(symbol, ""))
        elif word is not None:
            self._word(word.decode(), int(number) if number is not None else None)

    def _word(self, word: str, number: int | None) -> None:  # noqa: C901  one case for each word
        if word in _SKIPPED:
            self._is_skipped = True
            self._in_fonts = len(self._groups) if word == "fonttbl" else self._in_fonts
        elif word == "ansicpg" and number is not None:
            self._encoding = _codec(f"cp{number}") or self._encoding
        elif word == "mac":
            self._encoding = "mac_roman"
        elif word == "f" and number is not None:
            self._font = number
            if not self._in_fonts:
                self._encoding = self._fonts.get(number, self._encoding)
        elif word == "fcharset" and self._in_fonts and number in _CHARSETS:
            self._fonts[self._font] = _CHARSETS[number]
        elif word == "uc" and number is not None:
            self._fallbacks = min(max(number, 0), 8)
        elif word == "u" and number is not None:
            self._unicode(number % 65_536)
            self._ignore = self._fallbacks
        elif word == "trowd":
            self._add("" if not self._parts or self._parts[-1].endswith("\n") else "\n")
        elif word in _WORDS:
            self._add(_WORDS[word])

    def _unicode(self, number: int) -> None:
        """Add a UTF-16 unit; two of them are one character above U+FFFF."""
        if 0xD800 <= number < 0xDC00:
            self._surrogate = number
        elif 0xDC00 <= number < 0xE000:
            if self._surrogate:
                self._add(chr(0x10000 + (self._surrogate - 0xD800) * 0x400 + number - 0xDC00))
            self._surrogate = 0
        else:
            self._add(chr(number))

    def _byte(self, content: bytes) -> None:
        """Take bytes of text, without those that stand for a Unicode character in old programs."""
        skipped = min(self._ignore, len(content))
        self._ignore -= skipped
        if not self._is_skipped:
            self._pending += content[skipped:]

    def _decode(self) -> None:
        if self._pending:
            self._add(self._pending.decode(self._encoding, "replace"))
            self._pending.clear()

    def _add(self, text: str) -> None:
        if self._is_skipped or not text:
            return
        self._parts.append(text)
        self._size += len(text)
        if self._size >= _BLOCK and text == "\n":
            self._flush()

    def _flush(self) -> None:
        text = re.sub(r" \| *$", "", clean_text("".join(self._parts)), flags=re.MULTILINE)
        self._parts.clear()
        self._size = 0
        self._builder.line(text)


def _codec(name: str) -> str | None:
    name = {"cp65001": "utf-8", "cp10000": "mac_roman", "cp936": "gb18030"}.get(name, name)
    try:
        b"".decode(name)
    except LookupError:
        return None
    return name
