"""Values of a chat's settings in callback data."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from tgllm.services.chats.settings import ChatSettings

__all__ = ["ChatSetting", "Setting", "value_of", "with_value"]

ChatSetting = Literal["temperature", "effort", "thoughts", "rich", "files", "context", "summary"]
"""A setting of the chat."""
Setting = ChatSetting | Literal["language", "timezone"]
"""A setting; the language and the time zone are the user's."""


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
"""Field of each setting, and the parser of its values."""


def value_of(settings: ChatSettings, setting: ChatSetting) -> str | None:
    """Return the chosen value; None if none is chosen."""
    value: object = getattr(settings, _FIELDS[setting][0])
    if value is None:
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)


def with_value(settings: ChatSettings, setting: ChatSetting, value: str | None) -> ChatSettings:
    """Return the settings after a choice.

    Args:
        settings: the settings before.
        setting: the changed setting.
        value: one that ``SettingsMenus`` offers; None resets the choice.
    """
    field, read = _FIELDS[setting]
    return replace(settings, **{field: None if value is None else read(value)})
