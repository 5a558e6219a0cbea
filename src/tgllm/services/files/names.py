"""Names of files, made safe to show and to use as the ending of a path."""

import re
import unicodedata

__all__ = ["display_name", "quoted_name", "safe_suffix"]

_FALLBACK = "file"
_LONGEST = 80
_LONGEST_SUFFIX = 17
_MOST_MARKS = 3
"""Combining marks on one character; more of them cover the lines around."""
_JOINERS = "\u200c\u200d"
"""Characters of category Cf that some scripts and emoji need."""
_SUFFIX = re.compile(r"\.[a-z0-9_+-]{1,16}")
_MARKS = re.compile(
    rf"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{{{_MOST_MARKS}}})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)
_UNQUOTED = str.maketrans('[]"', "()'")


def display_name(name: str | None, longest: int = _LONGEST) -> str:
    """Return a sender's name of a file for chats and models: one line of visible characters that keeps its ending.

    Slashes become underscores; controls, bidi controls, lone surrogates and other invisible characters are removed. The
    middle of a long name is replaced by an ellipsis.

    Args:
        name: the name from the sender.
        longest: most characters of the result, at least 20.
    """
    # A name of megabytes is cut first: normalising it costs time.
    raw = name or ""
    visible = "".join(map(_shown, raw if len(raw) <= 20_000 else raw[:10_000] + raw[-10_000:]))
    text = " ".join(unicodedata.normalize("NFC", visible).split())
    text = _MARKS.sub(r"\1", text)
    if not text.strip("._ " + _JOINERS):
        return _FALLBACK
    return _shortened(text, longest)


def quoted_name(name: str | None, longest: int = _LONGEST) -> str:
    """Return a display name for the bot's remarks to the model, without the characters that end a remark or a quote."""
    return display_name(name, longest).translate(_UNQUOTED)


def safe_suffix(name: str | None) -> str:
    """Return the ending of a name in lower case with its dot, or "" if it is none that is safe in a path."""
    ending = "." + display_name(name).lower().rpartition(".")[2] if "." in (name or "") else ""
    return ending if _SUFFIX.fullmatch(ending) else ""


def _shown(character: str) -> str:
    if character in "/\\":
        return "_"
    if character in _JOINERS:
        return character
    category = unicodedata.category(character)
    if category in {"Zl", "Zp", "Zs"} or character in "\t\n\r\v\f":
        return " "
    return "" if category[0] == "C" else character


def _shortened(text: str, longest: int) -> str:
    """Replace the middle of a long name, so that its beginning and its ending stay."""
    if len(text) <= longest:
        return text
    stem, dot, suffix = text.rpartition(".")
    if not stem or len(suffix) >= _LONGEST_SUFFIX:
        stem, dot, suffix = text, "", ""
    room = longest - 1 - len(dot + suffix)
    tail = room // 4
    return f"{stem[: room - tail].rstrip()}…{stem[len(stem) - tail :].lstrip()}{dot}{suffix}"
