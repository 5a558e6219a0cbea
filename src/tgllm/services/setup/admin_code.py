"""Code that an admin sends to the bot, and its search in updates.

The first person who sends the code in a private chat is the admin. Other people may write to the bot meanwhile; so that
they can't guess the code, another one replaces it after a number of wrong tries.
"""

import secrets
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from tgllm.services.common.text import one_line

__all__ = ["AdminCode", "Finding", "Found", "confirmable"]

_GROUPS: Final = 3
_DIGITS: Final = 4
MOST_WRONG: Final = 20
"""Wrong codes after which the code is replaced; with 10^12 codes, guessing is hopeless."""

MOST_NAME: Final = 64
"""Maximum length of a name, in UTF-16 units."""

Finding = Literal["right", "wrong", "group"]
"""``right``: the code, in a private chat; ``wrong``: other digits there; ``group``: the code, where others see it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A message that is, or was meant to be, the code."""

    finding: Finding
    update_id: int
    user_id: int
    name: str
    """First and last name, on one line."""
    username: str
    language: str

    def __str__(self) -> str:
        handle = f"@{self.username}, " if self.username else ""
        return f"{self.name or '?'} ({handle}{self.user_id})"


class AdminCode:
    """The code, and the updates that were looked at."""

    def __init__(self) -> None:
        """Make a new code."""
        self.text = _new_code()
        self._seen: set[int] = set()
        self._wrong = 0

    @property
    def is_worn(self) -> bool:
        """Whether so many wrong codes came that another one is due."""
        return self._wrong >= MOST_WRONG

    def renew(self) -> None:
        """Replace the code; the old one is no longer right."""
        self.text, self._wrong = _new_code(), 0

    def look(self, updates: Iterable[Mapping[str, Any]]) -> Sequence[Found]:
        """Return what new updates say about the code, up to the right one, which ends the search."""
        found: list[Found] = []
        for update in updates:
            number = update.get("update_id")
            if not isinstance(number, int) or number in self._seen:
                continue
            self._seen.add(number)
            if (one := self._read(number, update)) is None:
                continue
            found.append(one)
            self._wrong += one.finding == "wrong"
            if one.finding != "wrong":
                break
        return found

    def _read(self, number: int, update: Mapping[str, Any]) -> Found | None:
        message = _table(update.get("message") or update.get("edited_message"))
        sender, chat = _table(message.get("from")), _table(message.get("chat"))
        text, user_id = message.get("text"), sender.get("id")
        if not isinstance(text, str) or not isinstance(user_id, int) or sender.get("is_bot"):
            return None
        digits = _digits(text)
        is_right = secrets.compare_digest(digits, _digits(self.text))
        if chat.get("type") == "private":
            finding: Finding = "right" if is_right else "wrong"
            # Other messages are none of init's business.
            if not is_right and not _looks_like_a_code(text, digits):
                return None
        elif is_right:
            finding = "group"
        else:
            return None
        name = " ".join(str(part) for part in (sender.get("first_name"), sender.get("last_name")) if part)
        username, language = (str(sender.get(field) or "") for field in ("username", "language_code"))
        return Found(finding, number, user_id, one_line(name, MOST_NAME), one_line(username, MOST_NAME), language)


def confirmable(updates: Sequence[Mapping[str, Any]], found: Found) -> int | None:
    """Return the id up to which updates can be confirmed so that only the admin's own set-up messages are forgotten.

    These are the code, earlier tries and /start. None if another update is in front of all of them.
    """
    last: int | None = None
    for update in updates:
        number = update.get("update_id")
        if not isinstance(number, int) or number > found.update_id or not _is_set_up(update, found):
            break
        last = number
    return last


def _is_set_up(update: Mapping[str, Any], found: Found) -> bool:
    if update.get("update_id") == found.update_id:
        return True
    message = _table(update.get("message") or update.get("edited_message"))
    text = str(message.get("text") or "")
    is_own = _table(message.get("from")).get("id") == found.user_id
    is_private = _table(message.get("chat")).get("type") == "private"
    return is_own and is_private and (text.strip() == "/start" or _looks_like_a_code(text, _digits(text)))


def _new_code() -> str:
    return "-".join(f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}" for _ in range(_GROUPS))


def _digits(text: str) -> str:
    """Return the digits of a text as ASCII; phones write other dashes, and some keyboards other digits."""
    return "".join(str(unicodedata.decimal(letter)) for letter in text if letter.isdecimal())


def _looks_like_a_code(text: str, digits: str) -> bool:
    letters = sum(letter.isalpha() for letter in text.removeprefix("/start"))
    return len(digits) >= _DIGITS and letters == 0


def _table(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
