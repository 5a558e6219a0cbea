"""Whose budget: the whole bot's, that of each person of a role, one person's, or a group's."""

from dataclasses import dataclass
from typing import Final, Literal, Self, get_args

from tgllm.api import Role, TgllmError

__all__ = ["BOT", "BudgetError", "BudgetScope", "ScopeKind"]

ScopeKind = Literal["bot", "role", "user", "group"]

_ROLES = frozenset(get_args(Role))


class BudgetError(TgllmError):
    """A budget can't be changed like that."""

    default_code = "budget_change"


@dataclass(frozen=True, slots=True)
class BudgetScope:
    """Whose budget."""

    kind: ScopeKind
    name: str = ""
    """A role, or Telegram's id of a person or group; empty for the bot."""

    @classmethod
    def user(cls, user_id: int) -> Self:
        """One person's."""
        return cls("user", str(user_id))

    @classmethod
    def group(cls, chat_id: int) -> Self:
        """A group's."""
        return cls("group", str(chat_id))

    @classmethod
    def role(cls, role: str) -> Self:
        """That of each person of a role."""
        return cls("role", role)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``key`` wrote, and what people write: ``bot``, a role, a user id, or a group's id.

        Raises:
            BudgetError: it is none of these.
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
        """How the scope is written in the database."""
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @property
    def id(self) -> int | None:
        """Telegram's id, of a person or a group."""
        return int(self.name) if self.kind in {"user", "group"} else None


def _number(text: str) -> int:
    """An id of Telegram's; 0 if it is none. Bot API: User, Chat: at most 52 significant bits."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 17 else 0


BOT: Final = BudgetScope("bot")
