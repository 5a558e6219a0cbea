"""Texts shared by admin screens: times, users, errors, and the button to the menu."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from tgllm.bot.admin.screen import admin_button
from tgllm.bot.admin.table import HOME, AdminCall
from tgllm.bot.ui.keyboards import Button
from tgllm.config.checks import zone
from tgllm.db.tables.users import User
from tgllm.observe.redaction import redact
from tgllm.services.common.text import one_line
from tgllm.services.people.names import chosen_name, full_name

__all__ = ["error_line", "home_button", "joined", "moment", "person", "standing"]

MOST_NAME: Final = 60
"""Most UTF-16 units of a user's name."""


def moment(call: AdminCall, at: float) -> str:
    """Return a time (UTC, in milliseconds) in the bot's time zone."""
    return f"{datetime.fromtimestamp(at / 1000, zone(call.scope.config.time_zone)):%Y-%m-%d %H:%M}"


def person(user: User) -> str:
    """Return name, username and id of a user, on one line."""
    name = chosen_name(full_name(user), MOST_NAME)
    pieces = (name, user.username and f"@{user.username}", f"({user.id})" if name != str(user.id) else "")
    return " ".join(piece for piece in pieces if piece)


def standing(call: AdminCall, user: User) -> str:
    """Return the role and status of a user."""
    ended = user.is_active and not user.may_use(call.now)
    status = call.text("admin.words.status_ended" if ended else f"admin.words.status_{user.status}")
    return f"{call.text(f'admin.words.role_{user.role}')}, {status}" if user.may_use(call.now) else status


def error_line(text: str, limit: int) -> str:
    """Return an error on one line of at most ``limit`` UTF-16 units, with secrets redacted."""
    return one_line(redact(text), limit)


def joined(*blocks: str | Iterable[str]) -> str:
    """Join blocks of lines with an empty line between them, leaving out empty blocks."""
    texts = (block if isinstance(block, str) else "\n".join(block) for block in blocks)
    return "\n\n".join(text for text in texts if text)


def home_button(call: AdminCall) -> Sequence[Button]:
    """Return the row with the button to the menu."""
    return [admin_button(call.text("admin.home"), HOME)]
