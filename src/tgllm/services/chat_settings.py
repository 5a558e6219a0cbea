"""What people set for a chat or topic: instruction, persona, temperature, and about the model's thoughts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self, get_args

from tgllm.api import JsonObject, ReasoningEffort
from tgllm.api.clock import Clock, milliseconds
from tgllm.db import conversations
from tgllm.db.unit import Connection, Unit

__all__ = ["DISPLAYS", "EFFORTS", "HOTTEST", "ChatSettings", "ReasoningDisplay", "change_settings", "settings_of"]

EFFORTS: tuple[ReasoningEffort, ...] = get_args(ReasoningEffort)
ReasoningDisplay = Literal["hidden", "folded", "shown"]
"""Whether people see what the model thought: not, on a press, or above the answer."""
DISPLAYS: tuple[ReasoningDisplay, ...] = get_args(ReasoningDisplay)
HOTTEST = 2.0
"""The highest temperature that providers know."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The settings of a conversation; None leaves a thing to the persona, then to the model."""

    system: str | None = None
    """An instruction, told to the model after that of the config and the persona's."""
    persona: str | None = None
    """The name of one in the config."""
    temperature: float | None = None
    reasoning_effort: ReasoningEffort | None = None
    reasoning_display: ReasoningDisplay | None = None
    """None: hidden."""
    other: JsonObject = field(default_factory=dict[str, Any])
    """What this version does not know, kept as it is."""

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


_READERS: Mapping[str, Callable[[object], Any]] = {
    "system": _text,
    "persona": _text,
    "temperature": _temperature,
    "reasoning_effort": _effort,
    "reasoning_display": _display,
}


def settings_of(conversation: conversations.Conversation | None) -> ChatSettings:
    """The settings of a conversation; none are set before there is one."""
    return ChatSettings() if conversation is None else ChatSettings.parse(conversation.settings)


def change_settings(clock: Clock, lane: str, change: Callable[[ChatSettings], ChatSettings]) -> Unit:
    """The piece of work that changes the settings of a lane's conversation."""
    now = milliseconds(clock)

    def unit(conn: Connection) -> None:
        conversation = conversations.active_for(conn, lane, now)
        changed = change(settings_of(conversation))
        conversations.set_settings(conn, conversation.id, changed.to_json(), now)

    return unit
