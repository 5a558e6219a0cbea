"""Helpers that make text fit to be stored and sent."""

import re
from typing import Final

from tgllm.observe.visible import UNSAFE

__all__ = ["clip", "mend_surrogates", "one_line", "sentence", "unlinked", "without_controls"]

MESSAGE_LIMIT = 4096
"""Maximum length of a message in UTF-16 units (Bot API: sendMessage)."""

_MARKS: Final = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_STACKED: Final = re.compile(f"([{_MARKS}]{{3}})[{_MARKS}]+")
"""More than three combining marks on a character, which cover the lines above and below."""

_LOOKALIKES: Final = {"@": "\uff20", "#": "\uff03", "$": "\uff04", "/": "\u2215", ":": "\u2236", ".": "\u2024"}
_LINKING: Final = re.compile(r"[@#$/](?=[\w/])|:(?=/)|(?<=\S)\.(?=\w)")
"""Characters that begin or join what Telegram makes clickable. tdlib: MessageEntity.cpp."""


def mend_surrogates(text: str) -> str:
    """Return a text that can be encoded: surrogate pairs are joined, and a lone surrogate becomes U+FFFD.

    Surrogates come from services that split an answer within a pair and escape each part in a separate JSON document.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clip(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Truncate a text to ``limit`` UTF-16 units, an ellipsis at its end included."""
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * limit:
        return text
    return units[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"


def sentence(error: Exception) -> str:
    """Return an error's message on one line, with secrets redacted, fit to be printed and stored."""
    from tgllm.observe.redaction import redact  # noqa: PLC0415  not needed by shell commands that only list

    return redact(mend_surrogates(" ".join(str(error).split())))


def one_line(text: str, limit: int) -> str:
    """Return a text on one line, truncated to ``limit`` UTF-16 units.

    Line breaks could imitate lines of the bot, control characters for the text direction could reorder them, and
    stacked combining marks could cover them.
    """
    return clip(" ".join(_STACKED.sub(r"\1", UNSAFE.sub(" ", text)).split()), limit)


def without_controls(text: str) -> str:
    """Return a text of several lines without invisible characters and without control characters."""
    return UNSAFE.sub("", text)


def unlinked(text: str) -> str:
    """Return a text in which Telegram finds no link, mention, command, tag or e-mail address.

    The characters that make them up are replaced by similar ones.
    """
    return _LINKING.sub(lambda found: _LOOKALIKES[found[0]], text)
