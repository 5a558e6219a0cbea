# ruff: noqa: RUF001 - quotation marks that look like others
"""Tags between which models write their reasoning, and whether a tag is meant or only mentioned."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["MOST_TAG", "TOKEN", "Role", "Tag", "could_begin_tag", "is_mentioned", "tag_of"]

Role: TypeAlias = Literal["opening", "closing", "empty", "header", "end"]
"""Opens a thought, closes it, is a thought of no text, begins a header of the harmony format, ends its message."""

MOST_TAG = 240
"""Most characters of a tag."""

_NAMES = ("think", "thinking", "thought", "thoughts", "reasoning", "seed:think", "antml:thinking")
# Gemma, Mistral, Kimi, Cohere, Sky-T1 and gpt-oss; the token of Gemma is followed by the name of the channel.
_TOKENS: dict[str, tuple[Role, str]] = {
    "<|channel>thought": ("opening", "gemma"),
    "<channel|>": ("closing", "gemma"),
    "[THINK]": ("opening", "mistral"),
    "[/THINK]": ("closing", "mistral"),
    "◁think▷": ("opening", "kimi"),
    "◁/think▷": ("closing", "kimi"),
    "<|START_THINKING|>": ("opening", "cohere"),
    "<|END_THINKING|>": ("closing", "cohere"),
    "<|begin_of_thought|>": ("opening", "begin_of_thought"),
    "<|end_of_thought|>": ("closing", "begin_of_thought"),
    "<|channel|>": ("header", "harmony"),
    "<|start|>": ("header", "harmony"),
    "<|message|>": ("end", "harmony"),
    "<|end|>": ("end", "harmony"),
    "<|return|>": ("end", "harmony"),
}
_NAME = "|".join(sorted(map(re.escape, _NAMES), key=len, reverse=True))
TOKEN = re.compile(
    rf"\n|(?P<ticks>`++)|(?P<tag></?(?i:{_NAME})(?:[ \t\n][^<>]{{0,200}}+)?/?>|{'|'.join(map(re.escape, _TOKENS))})"
)
"""What decides where thoughts begin and end: line breaks, runs of backticks, and tags."""

_HEADS = (*_TOKENS, *[bracket + name for name in _NAMES for bracket in ("<", "</")])
_UNFINISHED = re.compile(rf"</?(?:{_NAME})(?:[ \t\n][^<>]{{0,200}}+|/)?", re.IGNORECASE)
_MARKERS = re.compile(r"[ \t]*+(?:[-*+>#|]|\d{1,9}[.)])[ \t>#|*+\-]*+")
_INDENTED_CODE = re.compile(r"(?: {4}|\t)[ \t]*+")
_OPENING_QUOTES = frozenset("“«‘([„")
_PAIRS = frozenset(['""', "''", "“”", "«»", "‘’", "„“", "()", "[]", "``", "**", "__", "||"])
_OF_LINKS = frozenset("([:")
_BEHIND_MENTION = frozenset(" \t.,;:!?)…\"'»”’")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag around reasoning."""

    role: Role
    family: str
    """A closing tag ends the thoughts of its family."""
    name: str = ""
    """The tag's name in lower case; empty for tokens."""


def tag_of(text: str) -> Tag:
    """Return the meaning of a tag that ``TOKEN`` has found."""
    if (known := _TOKENS.get(text)) is not None:
        return Tag(*known)
    inner = text[1:-1]
    name = inner.strip("/").split(maxsplit=1)[0].rstrip("/").lower()
    if inner.startswith("/"):
        return Tag("closing", "tag", name)
    return Tag("empty" if inner.endswith("/") else "opening", "tag", name)


def could_begin_tag(text: str) -> bool:
    """Return whether a text may become a tag when more of it has arrived."""
    lower = text.lower()
    return any(head.startswith((text, lower)) for head in _HEADS) or _UNFINISHED.fullmatch(text) is not None


def is_mentioned(tag: Tag, line: str, after: str, *, begins: bool) -> bool:
    """Return whether the tag is part of a sentence about it, as in ``the <think> tag``.

    Args:
        tag: a tag outside of code.
        line: the text before it on its line.
        after: the character after it; empty at the end of the answer.
        begins: whether no visible text of the answer comes before it.
    """
    if tag.family == "mistral" and after and after in _OF_LINKS:
        return True
    if begins:
        return False
    before, near = line[-1:], line[-2:-1]
    if before == "\\" or (before and before + after in _PAIRS):
        return True
    if tag.role == "opening" and (before in _OPENING_QUOTES or (before in {'"', "'"} and near in {"", " ", "\t", "("})):
        return bool(before)
    if _MARKERS.fullmatch(line) or (tag.role == "opening" and _INDENTED_CODE.fullmatch(line)):
        return True
    last = line.rstrip()[-1:]
    return before in {" ", "\t"} and (last.isalnum() or last == ",") and (not after or after in _BEHIND_MENTION)
