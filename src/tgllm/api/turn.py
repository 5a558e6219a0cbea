"""One question and its answer, as hooks see it."""

from dataclasses import dataclass

from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.types import FinishReason, ModelRef, Usage

__all__ = ["Decision", "TurnInfo", "TurnResult"]


@dataclass(frozen=True, slots=True)
class TurnInfo:
    """A turn that is about to run, runs, or has run."""

    id: str
    """Unique; the same after a restart that repeats the turn."""
    user: UserInfo
    chat: ChatInfo
    model: ModelRef
    text: str
    """What the person asked."""


@dataclass(frozen=True, slots=True)
class TurnResult:
    """How a turn ended when it ended with an answer."""

    text: str
    reasoning: str
    reason: FinishReason
    usage: Usage


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of an ``authorize`` hook."""

    allowed: bool
    reason: str = ""
    """Told to the person when the answer is no; one sentence, or empty for the bot's own words."""

    @classmethod
    def allow(cls) -> "Decision":
        """No objection."""
        return cls(allowed=True)

    @classmethod
    def deny(cls, reason: str = "") -> "Decision":
        """A veto."""
        return cls(allowed=False, reason=reason)
