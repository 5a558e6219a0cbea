"""Texts of a message that could be the admin password."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from tgllm.config.password_hash import LONGEST, SHORTEST

__all__ = ["Guess", "is_plausible", "is_single", "typed_texts"]

MOST_CHECKED: Final = 3
"""Most texts of a message that are checked with the slow hash."""
MOST_ARGUMENTS: Final = 8
"""Most arguments of a command of which each is checked."""
_MARKS: Final = " \t\r\n\"'`*_~|«»“”„\u2018\u2019/"
_NOT_TYPED: Final = frozenset(
    {
        "chat",
        "from",
        "sender_chat",
        "via_bot",
        "forward_origin",
        "reply_to_message",
        "external_reply",
        "pinned_message",
        "entities",
        "caption_entities",
        "reply_markup",
        "type",
        "file_id",
        "file_unique_id",
        "mime_type",
        "media_group_id",
        "author_signature",
        "business_connection_id",
        "language_code",
        "username",
        "user",
        "url",
        "effect_id",
    }
)
"""Keys of a message (Bot API: Message) whose values the sender has not typed now."""
_NAMES: Final = frozenset(
    {
        "file_name",
        "set_name",
        "custom_emoji_id",
        "performer",
        "sender_tag",
        "forward_from",
        "forward_from_chat",
        "forward_sender_name",
        "forward_signature",
        "new_chat_members",
        "left_chat_member",
    }
)
"""Keys whose values are rather names of something than typed: they are not checked with the slow hash."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What the sender of a message has typed."""

    text: str
    """Text or caption without the mention of the bot, or the arguments of a command."""
    command: str
    """Name of the command; empty for other messages."""
    is_addressed: bool
    """Whether it mentions the bot, replies to it, or is in a private chat."""
    others: Sequence[str] = ()
    """Other typed texts, such as the question of a poll or the name of a contact."""

    @property
    def answers(self) -> Sequence[str]:
        """The text, and the text without marks around it, as an answer to the prompt."""
        return tuple(dict.fromkeys(_forms(self.text)))

    @property
    def is_short(self) -> bool:
        """Whether the text is one line that is not longer than a password can be."""
        return 0 < len(self.text) <= LONGEST and len(self.text.splitlines()) == 1

    @property
    def candidates(self) -> Sequence[str]:
        """Texts to check, the likeliest first."""
        return self._plausible[:MOST_CHECKED]

    @property
    def singles(self) -> Sequence[str]:
        """Texts to check that are one word and no number, the likeliest first."""
        return [text for text in self._plausible if is_single(text)][:MOST_CHECKED]

    @property
    def _plausible(self) -> Sequence[str]:
        lines = self.text.splitlines()
        texts = (self.text, *self._arguments, *(lines if len(lines) <= MOST_CHECKED else ()), *self.others)
        found = [form for text in texts for form in _forms(text) if is_plausible(form)]
        return tuple(dict.fromkeys(found))

    @property
    def _arguments(self) -> Sequence[str]:
        """Arguments of a command that may be the password, the likeliest first: all of a few, otherwise the ends."""
        words = self.text.split() if self.command else []
        return [*words[-1:], *(words[:-1] if len(words) <= MOST_ARGUMENTS else words[:1])]


def is_plausible(text: str) -> bool:
    """Return whether a text has the form of a password: one line of a fitting length."""
    text = text.strip()
    return SHORTEST <= len(text) <= LONGEST and len(text.splitlines()) == 1


def is_single(text: str) -> bool:
    """Return whether a text is one word and no number: the form of most passwords, and of few questions."""
    return is_plausible(text) and len(text.split()) == 1 and re.fullmatch(r"[@+-]?[\d.,:/-]+|@\w+", text) is None


def typed_texts(content: Mapping[str, Any], *, with_names: bool = True) -> Iterator[str]:
    """Yield all texts that the sender of a message has typed, by default with names such as those of files."""
    left_out = _NOT_TYPED if with_names else _NOT_TYPED | _NAMES
    waiting: list[object] = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            parts = cast("Mapping[str, object]", value)
            waiting += [part for key, part in parts.items() if key not in left_out]
        elif isinstance(value, list):
            waiting += cast("list[object]", value)


def _forms(text: str) -> Iterator[str]:
    """Yield a text, and the text without quotation and code marks and slashes around it."""
    yield text.strip()
    yield text.strip(_MARKS)
