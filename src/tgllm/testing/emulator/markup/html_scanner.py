"""Scanner of tags and text in parse_mode HTML. Source: Bot API, "HTML style"; error descriptions: TDLib."""

import re

from tgllm.testing.emulator.markup.text import byte_offset
from tgllm.testing.emulator.protocol.errors import broken_markup

__all__ = ["HtmlScanner"]

# HTML has many more; Telegram leaves them unchanged. The semicolon is optional.
_REFERENCE = re.compile(
    r"&(?:(?P<name>lt|gt|amp|quot)(?![a-zA-Z])|#(?P<number>[0-9]{1,8})(?![0-9])|#x(?P<hex>[0-9a-fA-F]{1,8})(?![0-9a-fA-F]));?"
)
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_LAST_CODE = 0x10FFFF
_SURROGATE = re.compile("[\ud800-\udfff]")

_RUN = re.compile(r"[^<]*")
_TAG_NAME = re.compile(r"[^\s>]*")
_ATTRIBUTE_NAME = re.compile(r"[^\s=>]*")
_BARE_VALUE = re.compile(r"[a-zA-Z0-9.-]*")
_SPACES = re.compile(r"\s*")


class HtmlScanner:
    """Scanner; ``at`` is the index of the next character. Its methods raise BotApiError 400 for invalid markup."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def run(self) -> str:
        """Return the text up to the next tag."""
        return _decoded(self._take(_RUN))

    def tag_name(self) -> str:
        """Return the name at the start of a tag, in lower case."""
        return self._take(_TAG_NAME).lower()

    def attributes(self, tag: str, begin: int) -> dict[str, str]:
        """Return the attributes of the start tag at byte ``begin``, up to its end."""
        found: dict[str, str] = {}
        while True:
            self._take(_SPACES)
            if self._next() == ">":
                self.at += 1
                return found
            name = self._take(_ATTRIBUTE_NAME).lower()
            if not name and self._next():
                raise broken_markup(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
            found[name] = self._value(tag, begin)

    def _value(self, tag: str, begin: int) -> str:
        self._take(_SPACES)
        if self._next() != "=":
            return self._unless_at_end("", tag, begin)
        self.at += 1
        self._take(_SPACES)
        quote = self._unless_at_end(self._next(), tag, begin)
        return self._quoted(quote, begin) if quote in "\"'" else self._bare()

    def _quoted(self, quote: str, begin: int) -> str:
        end = self.text.find(quote, self.at + 1)
        if end < 0:
            raise broken_markup(f"Unclosed start tag at byte offset {begin}")
        raw, self.at = self.text[self.at + 1 : end], end + 1
        return _decoded(raw)

    def _bare(self) -> str:
        begin = byte_offset(self.text, self.at)
        value = self._take(_BARE_VALUE).lower()
        if not (self._next().isspace() or self._next() == ">"):
            raise broken_markup(f"Unexpected end of name token at byte offset {begin}")
        return value

    def end_tag_name(self, begin: int) -> str:
        """Return the name of the end tag at byte ``begin``, and skip to its end."""
        name = self.tag_name()
        self._take(_SPACES)
        if self._next() != ">":
            raise broken_markup(f"Unclosed end tag at byte offset {begin}")
        self.at += 1
        return name

    def _unless_at_end(self, value: str, tag: str, begin: int) -> str:
        if not self._next():
            raise broken_markup(f'Unclosed start tag "{tag}" at byte offset {begin}')
        return value

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        taken = match.group() if match else ""
        self.at += len(taken)
        return taken


def _decoded(raw: str) -> str:
    text = _REFERENCE.sub(_character, raw)
    if _SURROGATE.search(text):
        words = "Text contains invalid Unicode characters after decoding HTML entities"
        raise broken_markup(f"{words}, check for unmatched surrogate code units")
    return text


def _character(reference: re.Match[str]) -> str:
    if name := reference["name"]:
        return _NAMED[name]
    code = int(reference["number"]) if reference["number"] else int(reference["hex"], 16)
    return chr(code) if 0 < code <= _LAST_CODE else reference.group()
