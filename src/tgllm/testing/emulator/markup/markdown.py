"""Parser of parse_mode MarkdownV2. Source: Bot API, "MarkdownV2 style"; error descriptions: TDLib."""

import re
from typing import Any

from tgllm.testing.emulator.markup.entity_builder import EntityBuilder
from tgllm.testing.emulator.markup.link_entities import emoji_entity, link_entity
from tgllm.testing.emulator.markup.text import byte_offset
from tgllm.testing.emulator.protocol.errors import broken_markup

__all__ = ["parse_markdown_v2"]

_MARKS = {"||": "spoiler", "__": "underline", "*": "bold", "_": "italic", "~": "strikethrough"}
# Names of the entities in error descriptions, by mark.
_NAMES = {
    "||": "Spoiler",
    "__": "Underline",
    "*": "Bold",
    "_": "Italic",
    "~": "Strikethrough",
    "[": "TextUrl",
    "![": "CustomEmoji",
    ">": "BlockQuote",
}
_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
_ESCAPED = re.compile(r"\\([\x01-\x7e])")
# A backslash before a character that is not ASCII is literal.
_BACKSLASH = r"\\[\x01-\x7e]|\\(?![\x01-\x7e])"
_INSIDE_CODE = re.compile(rf"(?:{_BACKSLASH}|[^`\\])*`")
_INSIDE_PRE = re.compile(rf"(?:{_BACKSLASH}|(?!```)[^\\])*```")
_ADDRESS = re.compile(rf"((?:{_BACKSLASH}|[^)\\])*)\)")
_LANGUAGE = re.compile(r"([^\s`]+)(?:\r\n|\n\r|[\r\n]|(?=\s))")
_EMOJI = re.compile(r"(?i)tg:(?://)?emoji/?\?(?:[^#]*&)?id=([^&#]*)")


def parse_markdown_v2(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the plain text and its entities. Raises BotApiError 400 for markup that Telegram refuses."""
    reader = _Reader(text)
    while reader.at < len(text):
        reader.step()
    reader.end_quote()
    if reader.builder.stack:
        reader.fail()
    return reader.builder.result()


class _Reader:
    """Parser that reads the text mark by mark; ``at`` is the index of the next character."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.builder = EntityBuilder()
        self._can_quote = True

    def step(self) -> None:
        """Read a mark or a character."""
        if self._quote() or self._escape() or self._code() or self._emoji():
            return
        mark = next((m for m in _MARKS if self.text.startswith(m, self.at)), None)
        if mark is not None:
            self._toggle(mark)
        elif self.text[self.at] == "[":
            self._open("[", 1)
        elif self.text[self.at] == "]" and self.builder.innermost in {"[", "!["}:
            self._end_link()
        else:
            self._plain()

    def fail(self) -> None:
        """Raise the error for the innermost unclosed entity."""
        last = self.builder.stack[-1]
        raise broken_markup(f"Can't find end of {_NAMES[last.mark]} entity at byte offset {last.begin}")

    def end_quote(self) -> None:
        """End the open quote, if any. A spoiler mark at its end makes it expandable."""
        stack = self.builder.stack
        quote = next((opened for opened in stack if opened.mark == ">"), None)
        if quote is None:
            return
        folds = stack[-1].mark == "||" and not self.builder.text_since(stack[-1]).strip("\r\n")
        if folds and len(stack) > 1 and stack[-2] is quote:
            stack.pop()
            quote.entity["type"] = "expandable_blockquote"
        if stack[-1] is not quote:
            self.fail()
        self.builder.close()

    def _open(self, mark: str, width: int, **entity: object) -> None:
        self.builder.open(mark, byte_offset(self.text, self.at), **entity)
        self.at += width

    def _add(self, text: str, width: int) -> None:
        self.builder.add(text)
        self.at += width
        self._can_quote = text == "\n" or (self._can_quote and text == "\r")

    def _quote(self) -> bool:
        if not self._can_quote or self.text[self.at] != ">":
            return False
        if any(opened.mark == ">" for opened in self.builder.stack):
            self.at += 1
        else:
            self._open(">", 1, type="blockquote")
        self._can_quote = False
        return True

    def _escape(self) -> bool:
        escaped = _ESCAPED.match(self.text, self.at)
        if escaped is None:
            return False
        self._add(escaped[1], 2)
        self._can_quote = False
        return True

    def _code(self) -> bool:
        if not self.text.startswith("`", self.at):
            return False
        if self.text.startswith("```", self.at):
            self._pre()
            return True
        self._bare_code(1, _INSIDE_CODE, "Code", {"type": "code"})
        return True

    def _pre(self) -> None:
        named = _LANGUAGE.match(self.text, self.at + 3)
        if named is None:
            self._bare_code(3, _INSIDE_PRE, "Pre", {"type": "pre"})
        else:
            entity = {"type": "pre", "language": named[1]}
            self._bare_code(3 + len(named[0]), _INSIDE_PRE, "PreCode", entity)

    def _bare_code(self, width: int, inside: re.Pattern[str], name: str, entity: dict[str, str]) -> None:
        body = inside.match(self.text, self.at + width)
        if body is None:
            raise broken_markup(f"Can't find end of {name} entity at byte offset {byte_offset(self.text, self.at)}")
        fence = "```" if entity["type"] == "pre" else "`"
        self._open(fence, width, **entity)
        self._add(_ESCAPED.sub(r"\1", body[0].removesuffix(fence)), len(body[0]))
        self._can_quote = False
        self.builder.close()

    def _emoji(self) -> bool:
        if not self.text.startswith("![", self.at):
            return False
        self._open("![", 2)
        return True

    def _toggle(self, mark: str) -> None:
        if self.builder.innermost == mark:
            self.at += len(mark)
            self.builder.close()
        else:
            self._open(mark, len(mark), type=_MARKS[mark])

    def _end_link(self) -> None:
        opened = self.builder.stack[-1]
        self.at += 1
        is_emoji = opened.mark == "!["
        url = self._address(is_emoji=is_emoji)
        opened.entity = (
            _emoji(url) if is_emoji else link_entity(self.builder.text_since(opened) if url is None else url)
        )
        self.builder.close()

    def _address(self, *, is_emoji: bool) -> str | None:
        if not self.text.startswith("(", self.at):
            return None
        self.at += 1
        found = _ADDRESS.match(self.text, self.at)
        if found is None:
            what = "custom emoji URL" if is_emoji else "URL"
            raise broken_markup(f"Can't find end of a {what} at byte offset {byte_offset(self.text, self.at)}")
        self.at = found.end()
        return _ESCAPED.sub(r"\1", found[1])

    def _plain(self) -> None:
        char = self.text[self.at]
        if char in _RESERVED:
            raise broken_markup(f"Character '{char}' is reserved and must be escaped with the preceding '\\'")
        self._add(char, 1)
        if char == "\n" and not self.text.startswith(">", self.at):
            self.end_quote()


def _emoji(url: str | None) -> dict[str, Any]:
    found = _EMOJI.match(url or "")
    if found is None:
        raise broken_markup("Custom emoji entity must contain a tg://emoji URL")
    return emoji_entity(found[1])
