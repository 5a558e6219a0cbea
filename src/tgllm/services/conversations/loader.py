"""Loading of a turn's context: model, settings and history of its chat."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tgllm.api import FilePart, ModelRef, ReasoningEffort
from tgllm.config.sections.personas import PersonaSetting
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import contexts
from tgllm.db.queries.contexts import HistoryMessage, Reader
from tgllm.db.tables import conversations, file_texts, files, models, summaries
from tgllm.db.tables.conversations import Conversation
from tgllm.db.tables.facts import Fact
from tgllm.db.tables.files import File
from tgllm.db.tables.models import Model
from tgllm.db.tables.summaries import Summary
from tgllm.services.chats.facts import facts_in
from tgllm.services.chats.settings import AnswerLook, ChatSettings, ContextSize, persona_in, settings_of
from tgllm.services.conversations import branches
from tgllm.services.conversations.answer_parts import files_of_answers
from tgllm.services.conversations.calibration import stored_factor
from tgllm.services.conversations.history import budget_of, room_in
from tgllm.services.conversations.kept_history import KeptHistories
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.turn import Turn
from tgllm.services.conversations.user_key import read_secret
from tgllm.services.files.attachment import attachments_of
from tgllm.services.files.gathering.materials import AttachedFiles
from tgllm.services.files.true_names import shown_name
from tgllm.services.models.fallbacks import offered
from tgllm.services.models.in_use import ModelInUse, model_in_use
from tgllm.services.models.registry import ProviderRegistry

__all__ = ["ContextLoader", "TurnContext", "conversation_of"]

MOST_MESSAGES: Final = 2000
"""Maximum number of messages of history that are read or searched for files, whatever the context size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnContext:
    """State of the database at the start of a turn."""

    model: ModelRef
    """The model that answers; see ``model_in_use``."""
    history: Sequence[HistoryMessage] = ()
    """Oldest first."""
    room: int | None = None
    """Maximum input tokens of the model, see ``room_in``; None if unknown."""
    secret: str | None = None
    """Secret for ``user_key``; None before it is created."""
    system: str | None = None
    """System prompt: instructions of the config, the persona and the chat."""
    temperature: float | None = None
    reasoning_effort: ReasoningEffort | None = None
    retired: ModelRef | None = None
    """The model chosen in the chat, if it is retired and replaced by ``model``."""
    look: AnswerLook = field(default_factory=AnswerLook)
    """Format of the answer."""
    facts: Sequence[Fact] = ()
    """Facts that count in the chat."""
    size: ContextSize | None = None
    """Context size chosen in the chat."""
    conversation_id: int | None = None
    """None before the first message."""
    summarise: bool = False
    """Whether history that no longer fits the context is summarised."""
    summary: Summary | None = None
    """Latest summary of the beginning of the history."""
    factor: float | None = None
    """Stored calibration factor of the model's token estimates."""
    mime_types: Collection[str] = ()
    """MIME types that the model takes."""
    files: Mapping[int, AttachedFiles] = field(default_factory=dict[int, AttachedFiles])
    """Files of the questions in the history, by message id, oldest first."""
    fallbacks: Sequence[ModelRef] = ()
    """Models to ask if ``model`` does not answer, in this order."""
    made: Mapping[int, Sequence[FilePart]] = field(default_factory=dict[int, Sequence[FilePart]])
    """Files that the model made in earlier answers, by message."""
    tools: bool | None = None
    """Whether the model can call tools; None: as its provider says."""
    tools_off: Collection[str] = ()
    """Names of the tools that are switched off in the chat."""


class ContextLoader:
    """Reads the contexts of turns."""

    def __init__(self, registry: ProviderRegistry, settings: TurnSettings) -> None:
        self._registry = registry
        self._settings = settings
        self._default = ModelRef.parse(settings.default_model)
        self._kept = KeptHistories()

    def load(
        self, conn: Connection, turn: Turn, factor_of: Callable[[ModelRef], float | None], *, to_ask: bool = False
    ) -> TurnContext:
        """Read the context of a turn: as much of the history as the largest request for it can contain.

        Args:
            conn: an open transaction.
            turn: the question.
            factor_of: returns the calibration factor of a model; None: the stored one is read.
            to_ask: whether the context is for a request only. What the conversation's last request has contained is
                then not read again, and Telegram's ids of these messages may be outdated.
        """
        conversation = conversation_of(conn, turn)
        chosen = settings_of(conversation)
        persona = persona_in(chosen, self._settings.personas)
        in_use = ModelInUse(turn.model) if turn.model is not None else self._in_use(conn, conversation, persona)
        known = models.find(conn, in_use.ref)
        room = room_in(known, self._settings.most_context_tokens)
        summarise = (chosen.summary or self._settings.summaries) == "on"
        factor = factor_of(in_use.ref)
        stored = stored_factor(conn, in_use.ref) if factor is None else None
        end = None if conversation is None else _end_of(conn, turn, conversation)
        summary = _summary(conn, conversation, end) if summarise else None
        wanted = _Wanted(
            math.ceil(budget_of(chosen.context, self._settings.context_tokens, room) / (factor or stored or 1.0)),
            (0 if summary is None else summary.message_id) if summarise else None,
            in_use.ref,
        )
        history = () if conversation is None else self._history(conn, conversation, end, wanted, to_ask=to_ask)
        return TurnContext(
            model=in_use.ref,
            history=history,
            room=room,
            secret=read_secret(conn),
            system=self._told(chosen, persona),
            temperature=(
                persona.temperature if chosen.temperature is None and persona is not None else chosen.temperature
            ),
            reasoning_effort=chosen.reasoning_effort if known is None or known.reasoning else None,
            retired=in_use.retired,
            look=chosen.look,
            facts=facts_in(conn, turn.lane),
            size=chosen.context,
            conversation_id=None if conversation is None else conversation.id,
            summarise=summarise,
            summary=summary,
            factor=stored,
            # Before the first list of models, or for one that its provider does not list: pictures are tried.
            mime_types=("image/*",) if known is None else known.mime_types,
            files={} if conversation is None else _files(conn, conversation, history),
            fallbacks=self._fallbacks(conn, turn, in_use.ref, persona),
            tools=None if known is None else known.tools,
            tools_off=chosen.tools_off or (),
            made=files_of_answers(conn, history, in_use.ref, _mime_types(known), self._settings.storage),
        )

    def _history(
        self, conn: Connection, conversation: Conversation, end: int | None, wanted: "_Wanted", *, to_ask: bool
    ) -> Sequence[HistoryMessage]:
        """Return the newest messages before the question, oldest first."""
        model = wanted.model
        kept = self._kept.of(conversation.id, model) if to_ask else dict[int, HistoryMessage]()
        reader = Reader(model.provider, model.model, kept)
        rows = contexts.newest(
            conn, conversation.id, end, room=wanted.room, most=MOST_MESSAGES, until=wanted.until, reader=reader
        )
        return self._kept.keep(conversation.id, model, rows) if to_ask else rows

    def _in_use(
        self, conn: Connection, conversation: Conversation | None, persona: PersonaSetting | None
    ) -> ModelInUse:
        return model_in_use(conn, conversation, self._default, self._registry.canonical, persona)

    def _fallbacks(
        self, conn: Connection, turn: Turn, model: ModelRef, persona: PersonaSetting | None
    ) -> Sequence[ModelRef]:
        """Return the fallbacks; none for a turn that asks for a certain model."""
        if turn.model is not None:
            return ()
        wanted = self._settings.fallbacks.of(turn.user.role, persona)
        return offered(conn, wanted, self._registry.canonical, without=model) if wanted else ()

    def _told(self, chosen: ChatSettings, persona: PersonaSetting | None) -> str | None:
        """Return the system prompt: instructions of the config, the persona and the chat."""
        pieces = (self._settings.system_prompt, None if persona is None else persona.system, chosen.system)
        return "\n\n".join(piece for piece in pieces if piece) or None


def _mime_types(model: Model | None) -> Collection[str]:
    return () if model is None else model.mime_types


def conversation_of(conn: Connection, turn: Turn) -> Conversation | None:
    """Return the conversation of a turn; None before the first message."""
    if turn.branch is None:
        return conversations.active_in(conn, turn.lane)
    return conversations.get(conn, turn.branch.conversation_id)


def _end_of(conn: Connection, turn: Turn, conversation: Conversation) -> int | None:
    """Return the message that the question follows; None if it is the first one."""
    return branches.tip(conn, conversation) if turn.branch is None else turn.branch.parent_id


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How much of a history is read."""

    room: int
    """Tokens, not calibrated."""
    until: int | None
    """Messages after this one are read in any case: they may have to be summarised. None: no such messages."""
    model: ModelRef


def _files(
    conn: Connection, conversation: Conversation, history: Sequence[HistoryMessage]
) -> Mapping[int, AttachedFiles]:
    """Return the files of the questions, also of those that are not in the history; without any, nothing is read."""
    if not history:
        return {}
    before = contexts.with_files(conn, conversation.id, history[0].parent_id, most=MOST_MESSAGES - len(history))
    asked = [row for row in (*before, *history) if row.parts_json and row.role == "user"]
    if not asked:
        return {}
    stored: dict[int, list[File]] = {row.id: [] for row in asked}
    for file in files.of_messages(conn, stored):
        stored[file.message_id or 0].append(file)
    hashes = {file.sha256 for each in stored.values() for file in each}
    chars = {size.sha256: size.chars for size in file_texts.sizes(conn, hashes)}
    return {row.id: _attached(row, stored[row.id], chars) for row in asked}


def _attached(row: HistoryMessage, stored: Sequence[File], chars: Mapping[str, int]) -> AttachedFiles:
    keys = {file.key for file in stored}
    missing = [each for each in attachments_of(row.parts) if each.key not in keys]
    return AttachedFiles(stored, [shown_name(each.name, each.kind) for each in missing], row.text, chars)


def _summary(conn: Connection, conversation: Conversation | None, end: int | None) -> Summary | None:
    return None if conversation is None else summaries.latest_before(conn, conversation.id, end)
