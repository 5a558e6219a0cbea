"""The values of one turn: what it starts with, how it ends, and where it shows itself meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tgllm.api import ChatInfo, FinishReason, JsonObject, ModelRef, StreamEvent, TgllmError, Usage, UserInfo
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.chats.settings import AnswerLook

__all__ = ["Branch", "Sink", "Turn", "TurnOutcome", "TurnStatus"]

TurnStatus = Literal["ok", "stopped", "interrupted", "failed"]
"""Ended by itself; stopped by a person; cut by the shutdown; failed with an error."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a turn goes on from, if that is not the end of the chat's present conversation."""

    conversation_id: int
    parent_id: int | None
    """The message before the question; None: the question is the first one."""
    author_id: int | None = None
    """Who said the question that is asked anew there; None: it is a question of its own, or nobody knows."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that is to be answered."""

    id: str
    """The same after a restart that repeats the turn."""
    lane: str
    user: UserInfo
    chat: ChatInfo
    text: str
    message_id: int | None = None
    """Telegram's id of the question, where there is one."""
    more_message_ids: Sequence[int] = ()
    """Of the messages that the question goes on in."""
    attempt: int = 1
    branch: Branch | None = None
    """None: it follows what was said last."""
    model: ModelRef | None = None
    """Answers this time instead of the chat's model."""
    title: str = ""
    """What lists call a conversation that begins with it; empty: the name it has, or the text."""

    @property
    def message_ids(self) -> tuple[int, ...]:
        """Telegram's ids of the messages that hold the question."""
        return () if self.message_id is None else (self.message_id, *self.more_message_ids)

    @property
    def author_id(self) -> int:
        """Who said the question: not ``user`` where an admin has somebody's asked again."""
        author_id = None if self.branch is None else self.branch.author_id
        return self.user.id if author_id is None else author_id


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """How a turn ended."""

    status: TurnStatus
    model: ModelRef
    text: str
    """The answer, or what came of it before it was cut."""
    reasoning: str = ""
    reason: FinishReason = "stop"
    usage: Usage = field(default_factory=Usage)
    provider_data: JsonObject | None = None
    error: TgllmError | None = None
    first_token_seconds: float | None = None
    seconds: float = 0.0
    first_error: TgllmError | None = None
    """Why a first call failed, where it was made again with less history."""
    asked: bool = True
    """Whether a model was asked at all."""
    spent: Usage | None = None
    """The tokens that it counts with, estimated where the provider has not counted; None: those of ``usage``."""
    retired: ModelRef | None = None
    """The model that the chat had chosen, if it is not offered any more and ``model`` took its place."""
    look: AnswerLook = field(default_factory=AnswerLook)
    """How the answer looks in its chat; whether that wants to see the reasoning, among others."""


class Sink(Protocol):
    """Where a turn shows itself: a chat, a terminal, a test."""

    def show(self, event: StreamEvent) -> None:
        """Take note of what came. Returns at once; showing it is the sink's own affair."""
        ...

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        """End the display and say which messages are to be stored and sent for this outcome."""
        ...
