"""What many admin screens say alike: times, people, and the way back."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from tgllm.bot.admin.screen import admin_button
from tgllm.bot.admin.table import HOME, AdminCall
from tgllm.bot.keyboards import Button
from tgllm.config.checks import zone
from tgllm.db.users import User
from tgllm.observe.redaction import redact
from tgllm.services.text import clip
from tgllm.services.user_service import full_name

__all__ = ["home_button", "joined", "moment", "one_line", "person"]

MOST_NAME: Final = 60
"""UTF-16 units of somebody's name."""


def moment(call: AdminCall, at: float) -> str:
    """A time (UTC, in milliseconds) on the clock on the bot's wall."""
    return f"{datetime.fromtimestamp(at / 1000, zone(call.scope.parts.core.config.time_zone)):%Y-%m-%d %H:%M}"


def person(user: User) -> str:
    """Name, username and id of somebody, on one line."""
    name = clip(" ".join(full_name(user).split()), MOST_NAME)
    pieces = (name, user.username and f"@{user.username}", f"({user.id})" if name != str(user.id) else "")
    return " ".join(piece for piece in pieces if piece)


def one_line(text: str, limit: int) -> str:
    """A text from outside without secrets and line breaks, in at most so many UTF-16 units."""
    return clip(" ".join(redact(text).split()), limit)


def joined(*blocks: str | Iterable[str]) -> str:
    """Blocks of lines with an empty line between them; empty blocks are left out."""
    texts = (block if isinstance(block, str) else "\n".join(block) for block in blocks)
    return "\n\n".join(text for text in texts if text)


def home_button(call: AdminCall) -> Sequence[Button]:
    """The row that leads back to the menu."""
    return [admin_button(call.text("admin.home"), HOME)]
