"""Scope of a budget: the whole bot, each person of a role, one person, or a group."""

from dataclasses import dataclass
from typing import Final, Literal, Self, get_args

from tgllm.api import Role, TgllmError

__all__ = ["BOT", "BudgetError", "BudgetScope", "ScopeKind"]

ScopeKind = Literal["bot", "role", "user", "group"]

_ROLES = frozenset(get_args(Role))


class BudgetError(TgllmError):
    """Invalid change of a budget."""

    default_code = "budget_change"


@dataclass(frozen=True, slots=True)
class BudgetScope:
    """Scope of a budget."""

    kind: ScopeKind
    name: str = ""
    """A role, or Telegram's id of a person or group; empty for the bot."""

    @classmethod
    def user(cls, user_id: int) -> Self:
        """Return the scope of one person."""
        return cls("user", str(user_id))

    @classmethod
    def group(cls, chat_id: int) -> Self:
        """Return the scope of a group."""
        return cls("group", str(chat_id))

    @classmethod
    def role(cls, role: str) -> Self:
        """Return the scope of each person of a role."""
        return cls("role", role)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a ``key``, or what people type: ``bot``, a role, a user id, or a group's id.

        Raises:
            BudgetError: the text is none of these.
        """
        kind, _, name = text.strip().lower().rpartition(":")
        if name == "bot" and not kind:
            return cls("bot")
        if name in _ROLES and kind in {"", "role"}:
            return cls.role(name)
        number = _number(name)
        if number > 0 and kind in {"", "user"}:
            return cls.user(number)
        if number < 0 and kind in {"", "group"}:
            return cls.group(number)
        raise BudgetError(f"no budget scope: {text[:40]!r}", code="budget_scope", text=text[:40])

    @property
    def key(self) -> str:
        """The scope as stored in the database."""
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @property
    def id(self) -> int | None:
        """Telegram's id of the person or group; None for other scopes."""
        return int(self.name) if self.kind in {"user", "group"} else None


def _number(text: str) -> int:
    """Return a Telegram id, or 0 for other text. Bot API: User, Chat: at most 52 significant bits."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 17 else 0


BOT: Final = BudgetScope("bot")
