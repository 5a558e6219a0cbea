r"""Arguments of a call as a card shows them: in full, with everything visible that could hide or reorder text.

A character that is invisible or acts on the text is written as ``\u{202e}``. A backslash of the arguments is written
twice, as JSON does, so an escape can't be imitated. Many spaces in a row, which would push text out of sight, are
written as one with their number: ``\u{20}(500)``.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

__all__ = ["chunks", "readable", "shown_arguments", "units"]

_HIDDEN_CATEGORIES: Final = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
_HIDDEN: Final = re.compile(
    "[\u00a0\u034f\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\uffa0"
    "\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""Characters of other categories that show nothing, or look like a space. Unicode: Default_Ignorable_Code_Point, Zs."""
_MARKS: Final = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3,}")
"""Stacked combining marks, which cover the lines above and below."""
_SPACES: Final = re.compile(r"(?<=[^\n ]) {9,}")


def shown_arguments(arguments: str) -> str:
    """Return the arguments of a call for a card; they are JSON as a model wrote it."""
    try:
        # Empty arguments stand for an empty object.
        value = json.loads(arguments if arguments.strip() else "{}")
        text = json.dumps(value, ensure_ascii=False, indent=2) if value != {} else "{}"
    except (ValueError, RecursionError):
        # Such calls are not made; the text is shown as it is.
        text = arguments.replace("\\", "\\\\")
    return readable(text)


def readable(text: str) -> str:
    """Return a text with all hidden characters as escapes; line feeds stay."""
    if not text.isascii() or not text.replace("\n", "").isprintable():
        text = _MARKS.sub(lambda found: "".join(map(_escape, found[0])), text)
        text = "".join(_escape(sign) if _is_hidden(sign) else sign for sign in text)
    return _SPACES.sub(lambda found: f"\\u{{20}}({len(found[0])})", text)


def chunks(text: str, most: int) -> Sequence[str]:
    """Return a text in pieces of at most ``most`` UTF-16 units; at the ends of lines where they are near."""
    pieces: list[str] = []
    while units(text) > most:
        end = _fitting(text, most)
        line = text.rfind("\n", end // 2, end)
        end = end if line < 0 else line + 1
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text] if text or not pieces else pieces


def units(text: str) -> int:
    """Return the length of a text in UTF-16 units. Bot API: MessageEntity."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fitting(text: str, most: int) -> int:
    """Return how many characters fit ``most`` UTF-16 units; at least one."""
    found = text[:most]
    while units(found) > most:
        found = found[: len(found) - max(1, (units(found) - most) // 2)]
    return max(1, len(found))


def _is_hidden(sign: str) -> bool:
    if sign == "\n":
        return False
    return unicodedata.category(sign) in _HIDDEN_CATEGORIES or _HIDDEN.match(sign) is not None


def _escape(sign: str) -> str:
    return f"\\u{{{ord(sign):x}}}"
