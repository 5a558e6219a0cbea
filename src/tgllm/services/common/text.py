"""Text that can be stored and sent."""

__all__ = ["clip", "mend_surrogates", "one_line", "sentence"]

MESSAGE_LIMIT = 4096
"""UTF-16 units of a message at most (Bot API: sendMessage)."""


def mend_surrogates(text: str) -> str:
    """A text that can be encoded: halves of surrogate pairs are put together, and a lone half becomes U+FFFD.

    They come from services that cut an answer between the two halves and escape each in a JSON document of its own.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clip(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """The start of a text that fits ``limit`` UTF-16 units, with an ellipsis at its end if something was left out."""
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * limit:
        return text
    return units[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"


def sentence(error: Exception) -> str:
    """What an error says, on one line, without secrets and fit to be printed and stored."""
    from tgllm.observe.redaction import redact  # noqa: PLC0415  a list in the shell only needs one_line

    return redact(mend_surrogates(" ".join(str(error).split())))


def one_line(text: str, limit: int) -> str:
    """The words of a text, at most ``limit`` UTF-16 units.

    Line breaks would look like lines of the bot's own, and signs that turn the direction of writing would reorder them.
    """
    return clip(" ".join("".join(sign if sign.isprintable() else " " for sign in text).split()), limit)
