"""The values of a chat's settings as they stand in buttons."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from tgllm.services.chats.settings import ChatSettings

__all__ = ["ChatSetting", "Setting", "value_of", "with_value"]

ChatSetting = Literal["temperature", "effort", "thoughts", "rich", "files", "context", "summary"]
"""A setting that belongs to the chat."""
Setting = ChatSetting | Literal["language"]
"""A setting; the language belongs to the person."""


def _context(value: str) -> int | str:
    return value if value == "max" else int(value)


_FIELDS: Mapping[ChatSetting, tuple[str, Callable[[str], object]]] = {
    "temperature": ("temperature", float),
    "effort": ("reasoning_effort", str),
    "thoughts": ("reasoning_display", str),
    "rich": ("rich", str),
    "files": ("file_over", int),
    "context": ("context", _context),
    "summary": ("summary", str),
}
"""For each setting its field, and how a value of that is read."""


def value_of(settings: ChatSettings, setting: ChatSetting) -> str | None:
    """What is chosen; None where nothing is."""
    value: object = getattr(settings, _FIELDS[setting][0])
    if value is None:
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)


def with_value(settings: ChatSettings, setting: ChatSetting, value: str | None) -> ChatSettings:
    """The settings after a choice.

    Args:
        settings: as they are.
        setting: which of them.
        value: one that ``SettingsMenus`` offers; None takes a choice back.
    """
    field, read = _FIELDS[setting]
    return replace(settings, **{field: None if value is None else read(value)})
