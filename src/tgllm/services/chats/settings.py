"""Settings of a chat or topic: instruction, persona, temperature, reasoning, answer format, and context size."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self, cast, get_args

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
"""How reasoning is displayed: not at all, collapsed, or above the answer."""
DISPLAYS: tuple[ReasoningDisplay, ...] = get_args(ReasoningDisplay)
RichMode = Literal["auto", "always", "never"]
"""Use of rich messages: for answers that need one (``auto``), for all, or for none."""
RICH_MODES: tuple[RichMode, ...] = get_args(RichMode)
HOTTEST = 2.0
"""The highest temperature that any provider accepts."""
ContextSize = int | Literal["max"]
"""Maximum number of tokens of a request; ``max``: as many as the model accepts."""
LEAST_CONTEXT = 256
"""Smallest context size in tokens."""
SummaryMode = Literal["off", "on"]
"""Whether history that no longer fits the context is summarised."""
SUMMARIES: tuple[SummaryMode, ...] = get_args(SummaryMode)


@dataclass(frozen=True, slots=True)
class AnswerLook:
    """Format of the answers in a chat; the fields are those of ``ChatSettings``."""

    thoughts: ReasoningDisplay = "hidden"
    rich: RichMode | None = None
    file_over: int | None = None


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Settings of a conversation; None means the default of the persona, then of the model."""

    system: str | None = None
    """Instruction to the model, after those of the config and of the persona."""
    persona: str | None = None
    """Name of a persona of the config, or of one created by a person."""
    temperature: float | None = None
    reasoning_effort: ReasoningEffort | None = None
    reasoning_display: ReasoningDisplay | None = None
    """None: hidden."""
    rich: RichMode | None = None
    """None, here and below: the default of the config."""
    file_over: int | None = None
    """Longer answers (in UTF-16 units) are sent as a file; 0: never."""
    context: ContextSize | None = None
    summary: SummaryMode | None = None
    persona_system: str | None = None
    """Instruction of a persona created by a person, copied when it was chosen; None: the persona is in the config."""
    tools_off: tuple[str, ...] | None = None
    """Names of the tools that are switched off in this chat, sorted; None: none of them."""
    other: JsonObject = field(default_factory=dict[str, Any])
    """Fields that this version does not know; they are stored unchanged."""

    @property
    def look(self) -> AnswerLook:
        """Format of the answers."""
        return AnswerLook(self.reasoning_display or "hidden", self.rich, self.file_over)

    @classmethod
    def parse(cls, stored: Mapping[str, Any]) -> Self:
        """Parse stored settings, of this version or another; an invalid value counts as unset."""
        known = {name: _READERS[name](stored.get(name)) for name in _READERS}
        other = {name: value for name, value in stored.items() if name not in _READERS}
        return cls(**known, other=other)

    def to_json(self) -> JsonObject:
        """Return the stored form: all fields that are set."""
        known = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "other"}
        if self.tools_off is not None:
            known["tools_off"] = [*self.tools_off]
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


def _names(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list | tuple):
        return None
    return tuple(sorted({name for name in cast("Iterable[object]", value) if isinstance(name, str)})) or None


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
    "tools_off": _names,
}


def settings_of(conversation: conversations.Conversation | None) -> ChatSettings:
    """Return the settings of a conversation; all unset for None."""
    return ChatSettings() if conversation is None else ChatSettings.parse(conversation.settings)


def persona_in(settings: ChatSettings, offered: Iterable[PersonaSetting]) -> PersonaSetting | None:
    """Return the persona of a chat; None if it has none, or one that is no longer in the config.

    Args:
        settings: settings of the chat.
        offered: personas of the config.
    """
    if settings.persona is not None and settings.persona_system is not None:
        return PersonaSetting(name=settings.persona, system=settings.persona_system)
    return next((persona for persona in offered if persona.name == settings.persona), None)


def change_settings(clock: Clock, lane: str, change: Callable[[ChatSettings], ChatSettings]) -> Unit:
    """Return the unit of work that changes the settings of a lane's active conversation."""
    now = milliseconds(clock)

    def unit(conn: Connection) -> None:
        conversation = conversations.active_for(conn, lane, now)
        changed = change(settings_of(conversation))
        conversations.set_settings(conn, conversation.id, changed.to_json(), now)

    return unit
