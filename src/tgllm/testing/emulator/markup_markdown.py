"""parse_mode Markdown and MarkdownV2. Source: Bot API, "MarkdownV2 style" and "Markdown style"."""

import re
from typing import Any

from tgllm.testing.emulator.entity_builder import EntityBuilder
from tgllm.testing.emulator.errors import bad_request

__all__ = ["parse_markdown"]

_V2_MARKS = {
    "||": "spoiler",
    "__": "underline",
    "*": "bold",
    "_": "italic",
    "~": "strikethrough",
}
_V1_MARKS = {"*": "bold", "_": "italic"}
_V2_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
_V1_RESERVED = frozenset("_*`[")
_LINK = re.compile(r"\]\(((?:\\.|[^)\\])*)\)")
_LANGUAGE = re.compile(r"([^\s`]+)\n")


def parse_markdown(text: str, *, is_v2: bool) -> tuple[str, list[dict[str, Any]]]:
    """The plain text and its entities. Raises BotApiError 400 for what Telegram refuses."""
    reader = _Reader(text, is_v2=is_v2)
    while reader.at < len(text):
        reader.step()
    reader.end_quote()
    if reader.builder.stack:
        open_one = reader.builder.stack[-1]
        raise _broken(f"can't find end of the entity starting at byte offset {open_one.offset}")
    return reader.builder.result()


def _broken(reason: str) -> Exception:
    return bad_request(f"can't parse entities: {reason}")


class _Reader:
    """Goes through the text mark by mark; ``at`` is the next character."""

    def __init__(self, text: str, *, is_v2: bool) -> None:
        self.text, self.is_v2, self.at = text, is_v2, 0
        self.marks = _V2_MARKS if is_v2 else _V1_MARKS
        self.reserved = _V2_RESERVED if is_v2 else _V1_RESERVED
        self.builder = EntityBuilder()

    def step(self) -> None:
        """Read one mark or one character."""
        if self._quote() or self._escape() or self._code():
            return
        mark = next((m for m in self.marks if self.text.startswith(m, self.at)), None)
        if mark is not None:
            self._toggle(mark)
        elif self.text[self.at] == "[":
            self._advance(1)
            self.builder.open("[", type="text_link")
        elif self.text[self.at] == "]" and self.builder.innermost == "[":
            self._end_link()
        else:
            self._plain()

    def end_quote(self) -> None:
        """End a quote at the end of its line or of the text."""
        if self.builder.innermost == ">":
            self.builder.close()

    def _advance(self, count: int) -> None:
        self.at += count

    def _quote(self) -> bool:
        starts_line = self.at == 0 or self.text[self.at - 1] == "\n"
        if not self.is_v2 or not starts_line:
            return False
        if self.text[self.at] != ">":
            self.end_quote()
            return False
        self._advance(1)
        if self.builder.innermost != ">":
            self.builder.open(">", type="blockquote")
        return True

    def _escape(self) -> bool:
        following = self.text[self.at + 1 : self.at + 2]
        if self.text[self.at] != "\\" or not following:
            return False
        if following in self.reserved or (self.is_v2 and ord(following) < 128):
            self.builder.add(following)
            self._advance(2)
            return True
        return False

    def _code(self) -> bool:
        fence = "```" if self.text.startswith("```", self.at) else "`"
        if not self.text.startswith(fence, self.at):
            return False
        end = self.text.find(fence, self.at + len(fence))
        if end < 0:
            raise _broken(f"can't find end of the entity starting at byte offset {self.builder.offset}")
        body = self.text[self.at + len(fence) : end]
        self._add_code(fence, body)
        self.at = end + len(fence)
        return True

    def _add_code(self, fence: str, body: str) -> None:
        named = _LANGUAGE.match(body) if fence == "```" else None
        language = {"language": named.group(1)} if named else {}
        self.builder.open(fence, type="code" if fence == "`" else "pre", **language)
        inside = body[named.end() :] if named else body
        self.builder.add(re.sub(r"\\([\\`])", r"\1", inside) if self.is_v2 else inside)
        self.builder.close()

    def _toggle(self, mark: str) -> None:
        self._advance(len(mark))
        if self.builder.innermost == mark:
            self.builder.close()
        else:
            self.builder.open(mark, type=self.marks[mark])

    def _end_link(self) -> None:
        found = _LINK.match(self.text, self.at)
        entity = self.builder.close()
        if found is None:
            raise _broken(f"can't find end of the link starting at byte offset {entity['offset']}")
        url = re.sub(r"\\(.)", r"\1", found.group(1))
        entity["url"] = url
        self.builder.entities[-1:] = [entity]
        self.at = found.end()

    def _plain(self) -> None:
        char = self.text[self.at]
        if self.is_v2 and char in _V2_RESERVED:
            words = f"character '{char}' is reserved and must be escaped with the preceding '\\'"
            raise _broken(words)
        self.builder.add(char)
        self._advance(1)
