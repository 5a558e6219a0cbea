"""Hides the characters of emphasis from the parser, which then leaves them to ``emphasis.styled``.

Each is replaced with a noncharacter of Unicode. What the parser returns as ``*`` was escaped, and is literal.
"""

import re

__all__ = ["MARKS", "STAR", "TILDE", "UNDERSCORE", "hidden", "shown"]

STAR, UNDERSCORE, TILDE = "\ufdd0", "\ufdd1", "\ufdd2"
MARKS = STAR + UNDERSCORE + TILDE

_HIDDEN = str.maketrans("*_~", MARKS)
_SHOWN = str.maketrans(MARKS, "*_~")
_IS_HIDDEN = re.compile(f"[{MARKS}]")
_IS_MARK = re.compile(r"[*_~]")
_PIECES = re.compile(
    r"(?P<kept>"
    # Markers of quotes and lists, then perhaps a rule or a fence.
    r"^(?:[ \t>]|[-+*](?![^ \t\n])|\d{1,9}[.)](?![^ \t\n]))++(?:(?:\*[ \t]*+){3,}+$|(?:_[ \t]*+){3,}+$|~{3,}+)?"
    r"|^(?:(?:\*[ \t]*+){3,}+$|(?:_[ \t]*+){3,}+$|~{3,}+)"
    r"|\\."
    # An address between angle brackets.
    r"|<[^<>\s:@]++[:@][^<>\s]*+>"
    r")|[*_~]++",
    re.MULTILINE,
)


def hidden(markdown: str) -> str:
    """Return the Markdown with all characters of emphasis hidden that are neither escaped nor markup of blocks."""
    if _IS_HIDDEN.search(markdown):
        markdown = _IS_HIDDEN.sub("\ufffd", markdown)
    return _PIECES.sub(_hidden, markdown) if _IS_MARK.search(markdown) else markdown


def shown(text: str) -> str:
    """Return text in which emphasis has no meaning, such as code, with the hidden characters as they were."""
    return text.translate(_SHOWN) if _IS_HIDDEN.search(text) else text


def _hidden(found: re.Match[str]) -> str:
    return found[0] if found["kept"] is not None else found[0].translate(_HIDDEN)
