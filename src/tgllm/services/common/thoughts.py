"""Separates the reasoning that models write into the text of an answer from the answer, while it streams.

Most models have it between ``<think>`` tags; the opening tag may be missing, since some chat templates write it into
the prompt, and so may the closing one, if the answer reached its limit. Tags in code and in sentences about them are
text. The same text gives the same result in whatever pieces it arrives.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tgllm.services.common.thought_tags import MOST_TAG, TOKEN, Tag, could_begin_tag, is_mentioned, tag_of

__all__ = ["Piece", "ThoughtSplitter", "without_leading_thoughts"]

Piece: TypeAlias = tuple[Literal["text", "thought", "moved"], str]
"""A piece of the answer or of the reasoning; ``moved`` says that all text so far was reasoning."""

MOST_CODE = 300
"""Characters after a tag in which the end of inline code is looked for; they are held back so long."""
_MOST_LINE = 300
_MOST_HEADER = 200
_MOST_BLANK = 1000
"""White space that is held back or dropped; more is text, so that an endless stream of it reaches its limit."""
_SEPARATOR = "\n\n"

_FENCE = re.compile(r"[ \t>*+\-\d.)]*+(`{3,}+(?![^`]*+`)|~{3,}+)")
_FENCE_END = re.compile(r"[ \t>]*+([`~]{3,}+)[ \t\r]*+")
_OPENERS = ("<", "[", "◁")
_AFTER_THOUGHT = re.compile(r"[ \t]*+\n?")
_LEADING_TAG = re.compile(r"\s*+(?:<(?:think|thinking|thought|reasoning)\b|\[THINK\]|<\|channel)", re.IGNORECASE)


@dataclass(slots=True)
class _Line:
    """The line of the source that is being read."""

    head: str = ""
    """Its beginning, which decides whether it is a fence."""
    tail: str = ""
    """Its end, which decides whether a tag is mentioned."""
    ticks: int = 0
    """Length of the run of backticks that may have begun inline code; 0: none."""

    def add(self, text: str) -> None:
        if len(self.head) < _MOST_LINE:
            self.head = (self.head + text)[:_MOST_LINE]
        self.tail = text[-_MOST_LINE:] if len(text) >= _MOST_LINE else (self.tail + text)[-_MOST_LINE:]

    def add_ticks(self, run: str) -> None:
        if not self.ticks:
            self.ticks = len(run)
        elif self.ticks == len(run):
            self.ticks = 0
        self.add(run)


class ThoughtSplitter:
    """Splits one answer. Only a possible tag at the end of what has arrived is held back."""

    def __init__(self) -> None:
        self._buffer = ""
        self._pieces: list[Piece] = []
        self._line = _Line()
        self._fence = ""
        self._thought: Tag | None = None
        """The tag that opened the current thought; None in the answer."""
        self._blank = ""
        """White space at the start of the answer, which is dropped if a thought follows."""
        self._trims: Literal["all", "line", ""] = ""
        """White space to drop after a thought: all before an answer, the rest of the line within one."""
        self._trimmed = 0
        self._header: str | None = None
        """Header of the harmony format so far; None outside of one."""
        self._has_text = False
        self._has_thoughts = False
        self._has_reasoning = False
        self._mentions = 0
        """Opening tags that were mentioned: as many closing ones are mentioned too."""
        self._is_stray = False
        """Whether a closing tag without an opening one was read: if text follows, what came before is reasoning."""
        self._read = 0
        """Characters of the reasoning so far."""
        self._perhaps: tuple[int, int] | None = None
        """Where in the reasoning a closing tag stands that counts only if no better one follows."""

    def note_reasoning(self) -> None:
        """Note that the provider has sent reasoning of its own."""
        self._has_thoughts, self._perhaps = True, None

    def add(self, text: str) -> Sequence[Piece]:
        """Return the pieces that the next text of the stream completes."""
        self._buffer += text
        self._scan(is_last=False)
        return self._taken()

    def end(self) -> Sequence[Piece]:
        """Return the last pieces; the stream has ended."""
        is_in_answer = self._thought is None and self._header is None
        if is_in_answer and len(self._buffer) > 1 and not self._has_text and could_begin_tag(self._buffer):
            # The limit cut the tag itself.
            self._begin(Tag("opening", "tag"))
        self._scan(is_last=True)
        if not self._has_text and not self._has_thoughts and self._blank:
            self._pieces.append(("text", self._blank))
        return self._taken()

    @property
    def answer_in_thought(self) -> tuple[int, int] | None:
        """Range of the last closing tag that may have ended a thought that has no better end, in the reasoning.

        Counted from the end of all reasoning; None if the thoughts are what they seem.
        """
        if self._thought is None or self._perhaps is None:
            return None
        start, end = self._perhaps
        return self._read - start, self._read - end

    def _taken(self) -> Sequence[Piece]:
        pieces, self._pieces = self._pieces, []
        merged: list[tuple[Literal["text", "thought", "moved"], list[str]]] = []
        for kind, text in pieces:
            if merged and merged[-1][0] == kind:
                merged[-1][1].append(text)
            else:
                merged.append((kind, [text]))
        return [(kind, "".join(texts)) for kind, texts in merged]

    def _scan(self, *, is_last: bool) -> None:
        buffer, place = self._buffer, 0
        while found := TOKEN.search(buffer, place):
            self._pass(buffer[place : found.start()])
            place = found.start()
            if found["ticks"] is None and found["tag"] is None:
                self._end_line()
            elif found.end() == len(buffer) and not is_last:
                # The next character may belong to it, or decides what it means.
                self._buffer = buffer[place:]
                return
            elif found["ticks"] is not None:
                self._line.add_ticks(found[0])
                self._emit(found[0])
            elif not self._take_tag(buffer, found, is_last=is_last):
                self._buffer = buffer[place:]
                return
            place = found.end()
        kept = len(buffer) if is_last else _start_of_tag(buffer, place)
        self._pass(buffer[place:kept])
        self._buffer = buffer[kept:]

    def _pass(self, text: str) -> None:
        """Read text without line breaks and tags."""
        if text:
            self._line.add(text)
            self._emit(text)

    def _end_line(self) -> None:
        head = self._line.head
        if self._fence:
            closing = _FENCE_END.fullmatch(head)
            if closing and closing[1].startswith(self._fence):
                self._fence = ""
        elif (opening := _FENCE.match(head)) is not None:
            self._fence = opening[1]
        self._line = _Line()
        self._emit("\n")

    def _take_tag(self, buffer: str, found: re.Match[str], *, is_last: bool) -> bool:
        """Read a tag; return False if what follows has to arrive before its meaning is known."""
        tag = tag_of(found[0])
        if self._fence and self._thought is None:
            self._pass(found[0])
            return True
        after = buffer[found.end() : found.end() + 1]
        if self._thought is not None and "`" not in {self._line.tail[-1:], after}:
            # A single backtick of a thought must not hide its end.
            self._line.ticks = 0
        if self._line.ticks:
            is_code = _ends_code(buffer, found.end(), self._line.ticks, is_last=is_last)
            if is_code is None:
                return False
            if is_code:
                self._pass(found[0])
                return True
            self._line.ticks = 0
        if self._thought is None:
            self._tag_in_answer(tag, found[0], after)
        else:
            self._tag_in_thought(tag, found[0])
        return True

    def _tag_in_answer(self, tag: Tag, text: str, after: str) -> None:
        if self._header is not None:
            self._tag_in_header(text)
        elif tag.role == "end":
            if not self._has_thoughts:
                self._pass(text)
        elif is_mentioned(tag, self._line.tail, after, begins=not self._has_text):
            self._mentions += tag.role == "opening"
            self._mentions -= tag.role == "closing" and self._mentions > 0
            self._pass(text)
        elif tag.role == "header":
            self._header = text
        elif tag.role == "opening":
            self._begin(tag)
        elif tag.role == "empty":
            self._ended()
        elif self._mentions:
            self._mentions -= 1
            self._pass(text)
        else:
            self._close_unopened()

    def _tag_in_thought(self, tag: Tag, text: str) -> None:
        opened = self._thought
        if opened is None or tag.family != opened.family or tag.role in {"opening", "empty"}:
            self._pass(text)
        elif opened.family == "harmony":
            self._ended()
            self._header = text if tag.role == "header" else None
        elif self._fence or tag.name != opened.name:
            start = self._read
            self._pass(text)
            self._perhaps = self._perhaps or (start, self._read)
        else:
            self._ended()

    def _tag_in_header(self, text: str) -> None:
        """Read the header of a harmony message, such as ``<|channel|>final<|message|>``."""
        header = f"{self._header}{text}"
        if text != "<|message|>":
            self._header = header
            return
        self._header = None
        if "<|channel|>final" in header or "<|channel|>" not in header:
            self._close_unopened()
        else:
            self._begin(Tag("opening", "harmony"))

    def _begin(self, tag: Tag) -> None:
        self._start_anew()
        self._thought, self._has_thoughts, self._blank, self._perhaps = tag, True, "", None
        if self._has_reasoning:
            self._emit(_SEPARATOR)

    def _ended(self) -> None:
        self._start_anew()
        self._thought, self._has_thoughts, self._blank = None, True, ""
        self._trims = "line" if self._has_text else "all"

    def _start_anew(self) -> None:
        self._line, self._fence = _Line(), ""

    def _close_unopened(self) -> None:
        if self._has_text and not self._has_thoughts:
            self._move()
        elif self._has_text:
            self._is_stray = True
        self._ended()

    def _move(self) -> None:
        self._pieces.append(("moved", ""))
        self._has_text = self._is_stray = False
        self._has_reasoning = True

    def _emit(self, text: str) -> None:
        if self._thought is not None:
            self._read += len(text)
            self._has_reasoning |= not text.isspace()
            self._pieces.append(("thought", text))
        elif self._header is not None:
            self._add_to_header(text)
        elif self._trims:
            self._emit_trimmed(text)
        elif self._has_text or not text.isspace():
            self._emit_text(text)
        else:
            self._blank += text
            if len(self._blank) > _MOST_BLANK:
                self._pieces.append(("text", self._blank))
                self._blank = ""

    def _add_to_header(self, text: str) -> None:
        self._header = f"{self._header}{text}"
        if len(self._header) > _MOST_HEADER:
            header, self._header = self._header, None
            self._emit(header)

    def _emit_trimmed(self, text: str) -> None:
        if self._trims == "all":
            rest = text.lstrip()
        else:
            found = _AFTER_THOUGHT.match(text)
            end = 0 if found is None else found.end()
            rest = text[end:]
            if text[:end].endswith("\n"):
                self._trims = ""
        self._trimmed += len(text) - len(rest)
        if rest or self._trimmed > _MOST_BLANK:
            self._trims = ""
            self._emit(rest)

    def _emit_text(self, text: str) -> None:
        if self._is_stray and not text.isspace():
            self._move()
        self._pieces.append(("text", self._blank + text))
        self._blank, self._has_text = "", True


def without_leading_thoughts(text: str) -> str:
    """Return a stored answer without thoughts at its start, which earlier versions did not separate."""
    if text[:1].isalnum() or _LEADING_TAG.match(text) is None:
        return text
    splitter = ThoughtSplitter()
    pieces = [*splitter.add(text), *splitter.end()]
    moved = max((index for index, (kind, _) in enumerate(pieces) if kind == "moved"), default=-1)
    return "".join([piece for kind, piece in pieces[moved + 1 :] if kind == "text"])


def _start_of_tag(buffer: str, place: int) -> int:
    """Return where a possible tag begins that is not complete yet, or else the end."""
    lowest = max(place, len(buffer) - MOST_TAG)
    start = max([buffer.rfind(opener, lowest) for opener in _OPENERS])
    return start if start >= 0 and could_begin_tag(buffer[start:]) else len(buffer)


def _ends_code(buffer: str, place: int, ticks: int, *, is_last: bool) -> bool | None:
    """Return whether inline code ends on this line behind a place; None if this has not arrived yet."""
    line, newline, _ = buffer[place : place + MOST_CODE].partition("\n")
    runs = [*re.finditer("`++", line)]
    is_whole = is_last or bool(newline) or len(line) == MOST_CODE
    if any(len(run[0]) == ticks and (is_whole or run.end() < len(line)) for run in runs):
        return True
    return False if is_whole else None
