"""Turns, as passed to hooks."""

from dataclasses import dataclass

from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.types import FilePart, FinishReason, ModelRef, Usage

__all__ = ["Decision", "TurnInfo", "TurnResult"]


@dataclass(frozen=True, slots=True)
class TurnInfo:
    """A question and the processing of its answer."""

    id: str
    """Unique; it stays the same if the turn is repeated after a restart."""
    user: UserInfo
    chat: ChatInfo
    model: ModelRef
    text: str
    """The question."""


@dataclass(frozen=True, slots=True)
class TurnResult:
    """Result of a turn with an answer."""

    text: str
    reasoning: str
    reason: FinishReason
    usage: Usage
    files: tuple[FilePart, ...] = ()
    """Files that the model has made. They are deleted with the conversation: copy what is needed later."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Result of ``tgllm_authorize``."""

    allowed: bool
    reason: str = ""
    """Shown to the person if the action is denied: one sentence, or empty for the bot's default text."""

    @classmethod
    def allow(cls) -> "Decision":
        """Return a decision that allows the action."""
        return cls(allowed=True)

    @classmethod
    def deny(cls, reason: str = "") -> "Decision":
        """Return a decision that denies the action."""
        return cls(allowed=False, reason=reason)
