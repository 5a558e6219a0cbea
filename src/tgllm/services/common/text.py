"""Helpers that make text fit to be stored and sent."""

__all__ = ["clip", "mend_surrogates", "one_line", "sentence"]

MESSAGE_LIMIT = 4096
"""Maximum length of a message in UTF-16 units (Bot API: sendMessage)."""


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

    Line breaks could imitate lines of the bot, and control characters for the text direction could reorder them.
    """
    return clip(" ".join("".join(sign if sign.isprintable() else " " for sign in text).split()), limit)
