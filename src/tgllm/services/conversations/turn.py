"""Values of one turn: the question, its outcome, and the sink that displays it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeAlias

from tgllm.api import ChatInfo, FinishReason, JsonObject, ModelRef, StreamEvent, TgllmError, Usage, UserInfo
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.chats.settings import AnswerLook
from tgllm.services.conversations.tool_steps import NO_STEPS, ToolStep, ToolSteps
from tgllm.services.files.attachment import Attachment
from tgllm.services.files.gathering.materials import FileNote, Stage
from tgllm.services.files.made import MadeFile

__all__ = [
    "Branch",
    "FileWait",
    "NextModel",
    "ShownEvent",
    "Sink",
    "TextWasReasoning",
    "Turn",
    "TurnOutcome",
    "TurnStatus",
]

TurnStatus = Literal["ok", "stopped", "interrupted", "failed"]
"""Completed; stopped by a person; interrupted by the shutdown; failed with an error."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Position of a question, if it does not follow the head of the active conversation."""

    conversation_id: int
    parent_id: int | None
    """The message before the question; None if the question is the first one."""
    author_id: int | None = None
    """Author of a question that is asked again; None for a new question, or if the author is unknown."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question to answer."""

    id: str
    """Stable: a turn that is repeated after a restart has the same id."""
    lane: str
    user: UserInfo
    chat: ChatInfo
    text: str
    message_id: int | None = None
    """Telegram message id of the question; None outside of Telegram."""
    more_message_ids: Sequence[int] = ()
    """Ids of further messages of the question, such as an album or a split text."""
    attempt: int = 1
    branch: Branch | None = None
    """None: the question follows the head of the active conversation."""
    model: ModelRef | None = None
    """Model for this turn only; None: the chat's model."""
    title: str = ""
    """Title for a conversation that begins with this question; see ``branches.give_title``."""
    attachments: tuple[Attachment, ...] = ()
    """Files of the question and of what it replies to, in order, which are received in the turn."""
    file_ids: tuple[int, ...] = ()
    """Ids of stored files that belong to the question, such as those of a question that is asked again."""
    has_words: bool = True
    """Whether the question has words of the person; otherwise it consists of files, and ``text`` is a remark."""

    @property
    def message_ids(self) -> tuple[int, ...]:
        """Telegram message ids of the question."""
        return () if self.message_id is None else (self.message_id, *self.more_message_ids)

    @property
    def person_id(self) -> int | None:
        """Id of the person who asks, as stored with messages and files; None in the shell."""
        return self.user.id or None

    @property
    def author_id(self) -> int:
        """Author of the question; another than ``user`` if an admin retries the question of a person."""
        author_id = None if self.branch is None else self.branch.author_id
        return self.user.id if author_id is None else author_id


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """Result of a turn."""

    status: TurnStatus
    model: ModelRef
    text: str
    """The answer, possibly incomplete; without the reasoning that the model wrote into it."""
    reasoning: str = ""
    reason: FinishReason = "stop"
    usage: Usage = field(default_factory=Usage)
    provider_data: JsonObject | None = None
    error: TgllmError | None = None
    first_token_seconds: float | None = None
    seconds: float = 0.0
    first_error: TgllmError | None = None
    """Error of a first call that was repeated with less history."""
    asked: bool = True
    """Whether a model was called."""
    dropped: int = 0
    """Characters received beyond the limit of an answer, which are not part of the text; 0: the limit was not reached.
    """
    spent: Usage | None = None
    """Tokens that count as usage, estimated if the provider reports none; None: those of ``usage``."""
    retired: ModelRef | None = None
    """The model chosen in the chat, if it is retired and was replaced by ``model``."""
    look: AnswerLook = field(default_factory=AnswerLook)
    """Format of the answer."""
    files: Sequence[MadeFile] = ()
    """Files that the model has made, on disk."""
    files_left_out: int = 0
    """Files that exceed the limits, or could not be written."""
    attached: tuple[int, ...] = ()
    """Ids of the files that were received with the question."""
    read: tuple[FileNote, ...] = ()
    """What was read of the question's documents."""
    unread: tuple[TgllmError, ...] = ()
    """Why files of the question can't be read."""
    has_earlier_calls: bool = False
    """Whether calls of other models before this one are stored already."""
    in_place_of: ModelRef | None = None
    """The model of the chat, if it did not answer and ``model`` did."""
    tools: ToolSteps = NO_STEPS
    """Calls of tools, and what they are based on."""
    transcripts: tuple[str, ...] = ()
    """Words of the person's voice messages, as they were transcribed for this turn."""

    def shown_as(self, other: "TurnOutcome") -> "TurnOutcome":
        """Return another result of the turn with the files of this one."""
        return replace(
            other,
            files=self.files,
            files_left_out=self.files_left_out,
            attached=self.attached,
            read=self.read,
            unread=self.unread,
            transcripts=self.transcripts,
        )

    @property
    def is_empty(self) -> bool:
        """Whether the answer has neither text nor files."""
        return not self.files and not self.text.strip()


@dataclass(frozen=True, slots=True)
class TextWasReasoning:
    """All text so far was reasoning: the tag that ends it had no opening one."""


@dataclass(frozen=True, slots=True)
class FileWait:
    """A file of the question is received, read or transcribed."""

    stage: Stage
    name: str


@dataclass(frozen=True, slots=True)
class NextModel:
    """Another model is asked, since the one before has not answered: the reasoning so far is dropped."""

    model: ModelRef


ShownEvent: TypeAlias = StreamEvent | TextWasReasoning | FileWait | NextModel | ToolStep


class Sink(Protocol):
    """Display of a turn: a chat, a terminal, a test."""

    def show(self, event: ShownEvent) -> None:
        """Accept an event of the stream, without blocking; the sink displays it in its own time."""
        ...

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        """End the display, and return the outbox rows for the outcome."""
        ...
