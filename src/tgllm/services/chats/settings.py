"""What people set for a chat or topic: instruction, persona, temperature, thoughts, and how much is remembered."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self, get_args

from tgllm.api import JsonObject, ReasoningEffort
from tgllm.api.clock import Clock, milliseconds
from tgllm.config.sections.personas import PersonaSetting
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import conversations

__all__ = [
    "DISPLAYS",
    "EFFORTS",
    "HOTTEST",
    "LEAST_CONTEXT",
    "RICH_MODES",
    "SUMMARIES",
    "AnswerLook",
    "ChatSettings",
    "ContextSize",
    "ReasoningDisplay",
    "RichMode",
    "SummaryMode",
    "change_settings",
    "persona_in",
    "settings_of",
]

EFFORTS: tuple[ReasoningEffort, ...] = get_args(ReasoningEffort)
ReasoningDisplay = Literal["hidden", "folded", "shown"]
"""Whether people see what the model thought: not, on a press, or above the answer."""
DISPLAYS: tuple[ReasoningDisplay, ...] = get_args(ReasoningDisplay)
RichMode = Literal["auto", "always", "never"]
"""Rich messages for answers that need one (``auto``), for all, or for none."""
RICH_MODES: tuple[RichMode, ...] = get_args(RichMode)
HOTTEST = 2.0
"""The highest temperature that providers know."""
ContextSize = int | Literal["max"]
"""Tokens of all that a model is shown; or as many as it takes."""
LEAST_CONTEXT = 256
"""Tokens of a context at least."""
SummaryMode = Literal["off", "on"]
"""Whether what no longer fits the context is summarised."""
SUMMARIES: tuple[SummaryMode, ...] = get_args(SummaryMode)


@dataclass(frozen=True, slots=True)
class AnswerLook:
    """How the answers of a chat look, where that was chosen in it; see ``ChatSettings``."""

    thoughts: ReasoningDisplay = "hidden"
    rich: RichMode | None = None
    file_over: int | None = None


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The settings of a conversation; None leaves a thing to the persona, then to the model."""

    system: str | None = None
    """An instruction, told to the model after that of the config and the persona's."""
    persona: str | None = None
    """The name of one in the config, or of one that somebody has made."""
    temperature: float | None = None
    reasoning_effort: ReasoningEffort | None = None
    reasoning_display: ReasoningDisplay | None = None
    """None: hidden."""
    rich: RichMode | None = None
    """None, here and below: as the config has it."""
    file_over: int | None = None
    """An answer of more UTF-16 units comes as a file; 0: none does."""
    context: ContextSize | None = None
    summary: SummaryMode | None = None
    persona_system: str | None = None
    """What one says that somebody has made, as it was when it was chosen; None: it is one of the config."""
    other: JsonObject = field(default_factory=dict[str, Any])
    """What this version does not know, kept as it is."""

    @property
    def look(self) -> AnswerLook:
        """How answers look."""
        return AnswerLook(self.reasoning_display or "hidden", self.rich, self.file_over)

    @classmethod
    def parse(cls, stored: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote, in this version or another; a value that makes no sense counts as unset."""
        known = {name: _READERS[name](stored.get(name)) for name in _READERS}
        other = {name: value for name, value in stored.items() if name not in _READERS}
        return cls(**known, other=other)

    def to_json(self) -> JsonObject:
        """What is stored: all that is set."""
        known = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "other"}
        return {**self.other, **{name: value for name, value in known.items() if value is not None}}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _temperature(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= HOTTEST else None


def _effort(value: object) -> ReasoningEffort | None:
    return next((effort for effort in EFFORTS if effort == value), None)


def _display(value: object) -> ReasoningDisplay | None:
    return next((display for display in DISPLAYS if display == value), None)


def _rich(value: object) -> RichMode | None:
    return next((mode for mode in RICH_MODES if mode == value), None)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _context(value: object) -> ContextSize | None:
    if value == "max":
        return "max"
    return value if isinstance(value, int) and value >= LEAST_CONTEXT else None


def _summary(value: object) -> SummaryMode | None:
    return next((mode for mode in SUMMARIES if mode == value), None)


_READERS: Mapping[str, Callable[[object], Any]] = {
    "system": _text,
    "persona": _text,
    "persona_system": _text,
    "temperature": _temperature,
    "reasoning_effort": _effort,
    "reasoning_display": _display,
    "rich": _rich,
    "file_over": _count,
    "context": _context,
    "summary": _summary,
}


def settings_of(conversation: conversations.Conversation | None) -> ChatSettings:
    """The settings of a conversation; none are set before there is one."""
    return ChatSettings() if conversation is None else ChatSettings.parse(conversation.settings)


def persona_in(settings: ChatSettings, offered: Iterable[PersonaSetting]) -> PersonaSetting | None:
    """The persona of a chat; None if it has none, or one that the config does not know any more.

    Args:
        settings: the chat's.
        offered: those of the config.
    """
    if settings.persona is not None and settings.persona_system is not None:
        return PersonaSetting(name=settings.persona, system=settings.persona_system)
    return next((persona for persona in offered if persona.name == settings.persona), None)


def change_settings(clock: Clock, lane: str, change: Callable[[ChatSettings], ChatSettings]) -> Unit:
    """The piece of work that changes the settings of a lane's conversation."""
    now = milliseconds(clock)

    def unit(conn: Connection) -> None:
        conversation = conversations.active_for(conn, lane, now)
        changed = change(settings_of(conversation))
        conversations.set_settings(conn, conversation.id, changed.to_json(), now)

    return unit
