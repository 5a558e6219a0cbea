"""Words of strangers as they can stand in a message of the bot: on one line, and without signs that nobody sees."""

from tgllm.services.common.text import clip

__all__ = ["one_line"]


def one_line(text: str, limit: int) -> str:
    """The words of a text, at most ``limit`` UTF-16 units.

    Line breaks would look like lines of the bot's own, and signs that turn the direction of writing would reorder them.
    """
    return clip(" ".join("".join(sign if sign.isprintable() else " " for sign in text).split()), limit)
