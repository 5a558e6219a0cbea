"""Suggestions of first messages on the chat page."""

from dataclasses import dataclass, field

__all__ = ["Suggestion"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A message that the chat page offers in the private chat with the first bot.

    With ``file``, a picture, ``text`` is its caption.
    """

    label: str
    text: str
    file: bytes | None = field(default=None, repr=False)
    file_name: str = "picture.png"
    mime: str = "image/png"
