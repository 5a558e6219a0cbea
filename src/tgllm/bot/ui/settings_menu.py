"""Settings of a chat and of a user, as one message with buttons that is edited in place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from tgllm.api import ModelRef
from tgllm.bot.ui.keyboards import MARK, Button, Menu
from tgllm.bot.ui.setting_values import ChatSetting, Setting, value_of
from tgllm.config.sections.personas import PersonaSetting
from tgllm.i18n import Catalogue, languages
from tgllm.services.chats.settings import DISPLAYS, EFFORTS, RICH_MODES, SUMMARIES, ChatSettings, ContextSize
from tgllm.services.conversations.request import ContextUse

__all__ = ["HOME", "SET", "SETTINGS", "TOOLS", "UNSET", "SettingsMenus"]

HOME = "settings"
"""First word of the data of the button that shows all settings, or one whose name follows."""
SET = "set"
"""The same for choosing a value; the setting's name and the value follow."""
TOOLS = "tools"
"""Data of the button that shows the tools; see ``tools_menu``."""
UNSET = "-"
"""The value that resets a choice."""

SETTINGS: tuple[Setting, ...] = (*get_args(ChatSetting), "language", "timezone")
_OF_THINKING: frozenset[Setting] = frozenset({"effort", "thoughts"})
"""Settings of models with reasoning."""
TEMPERATURES = ("0", "0.3", "0.7", "1", "1.3")
FILES_OVER = ("0", "4000", "8000", "16000")
"""UTF-16 units above which an answer is sent as a file; 0: never."""
CONTEXT_SIZES = (2_000, 8_000, 32_000, 128_000)
"""Most tokens of a request's input."""
TIME_ZONES = (
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Moscow",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Australia/Sydney",
)
"""Time zones that have a button; all others are chosen by name."""


@dataclass(frozen=True, slots=True)
class SettingsMenus:
    """Builds the messages for one user in one chat, from the current settings."""

    settings: ChatSettings
    persona: PersonaSetting | None
    model: ModelRef
    reasoning: bool
    """Whether the model may support reasoning efforts."""
    measure: Callable[[ContextSize | None], ContextUse]
    """Returns how much of a context of that size is used."""
    chosen_language: str | None
    time_zones: tuple[str | None, str]
    """The user's choice, and the bot's time zone."""
    texts: Catalogue
    language: str
    tools: tuple[int, int] = (0, 0)
    """How many tools are switched on in the chat, and how many the user may use there."""

    def home(self) -> Menu:
        """Return the menu of all settings, with a button for each that can be changed here."""
        rows = [[Button(self._title(setting), f"{HOME}:{setting}")] for setting in self._settable()]
        if self.tools[1]:
            rows.append([Button(self._say("settings.name_tools"), TOOLS)])
        return Menu("\n".join([self._say("settings.title"), "", *self._lines()]), rows)

    def of(self, setting: Setting) -> Menu:
        """Return the menu of one setting's values, with a mark on the current one."""
        current = self._value(setting) or UNSET
        values = self.values(setting)
        buttons = [
            Button((MARK if value == current else "") + self._label(setting, value), f"{SET}:{setting}:{value}")
            for value in values
        ]
        rows = [[button] for button in buttons]
        return Menu(self._about(setting), [*rows, [Button(self._say("settings.back"), HOME)]])

    def values(self, setting: Setting) -> Sequence[str]:
        """Return the values of a setting; ``UNSET`` is the first one if the setting has a default."""
        choices: Mapping[Setting, Sequence[str]] = {
            "temperature": TEMPERATURES,
            "effort": EFFORTS,
            "thoughts": DISPLAYS,
            "rich": RICH_MODES,
            "files": FILES_OVER,
            "context": self._sizes(),
            "summary": SUMMARIES,
            "language": sorted(languages()),
            "timezone": self._zones(),
        }
        return choices[setting] if setting == "thoughts" else (UNSET, *choices[setting])

    def _sizes(self) -> Sequence[str]:
        """Return the context sizes below the model's limit, and ``max``; all sizes if the limit is unknown."""
        room = self.measure("max").room
        if room is None:
            return [str(size) for size in CONTEXT_SIZES]
        return [*(str(size) for size in CONTEXT_SIZES if size < room), "max"]

    def _zones(self) -> Sequence[str]:
        """Return the time zones with a button: the common ones, and the chosen one."""
        chosen = self.time_zones[0]
        return TIME_ZONES if chosen is None or chosen in TIME_ZONES else (chosen, *TIME_ZONES)

    def _settable(self) -> Sequence[Setting]:
        return [setting for setting in SETTINGS if self.reasoning or setting not in _OF_THINKING]

    def _lines(self) -> Sequence[str]:
        persona = self._say("settings.unset") if self.persona is None else self.persona.title or self.persona.name
        lines = [self._say("settings.model", value=self.model), self._say("settings.persona", value=persona)]
        system = self._say("settings.unset") if self.settings.system is None else self._say("settings.is_set")
        lines.append(self._say("settings.system", value=system))
        if self.tools[1]:
            lines.append(self._say("settings.tools", on=self.tools[0], count=self.tools[1]))
        return [*lines, *map(self._line, self._settable())]

    def _line(self, setting: Setting) -> str:
        if setting == "context":
            return self._say("settings.context_line", name=self._title(setting), **self._use())
        return f"{self._title(setting)}: {self._label(setting, self._value(setting) or UNSET)}"

    def _value(self, setting: Setting) -> str | None:
        if setting == "language":
            return self.chosen_language
        if setting == "timezone":
            return self.time_zones[0]
        return value_of(self.settings, setting) or ("hidden" if setting == "thoughts" else None)

    def _title(self, setting: Setting) -> str:
        return self._say(f"settings.name_{setting}")

    def _about(self, setting: Setting) -> str:
        if setting == "context":
            return self._say("settings.about_context", **self._use())
        return self._say(f"settings.about_{setting}")

    def _use(self) -> dict[str, int]:
        use = self.measure(self.settings.context)
        return {"used": use.used, "count": use.most}

    def _label(self, setting: Setting, value: str) -> str:
        if value == UNSET:
            return self._unset(setting)
        match setting:
            case "effort" | "thoughts" | "rich" | "summary":
                return self._say(f"settings.{setting}_{value}")
            case "files":
                return (
                    self._say("settings.files_over", count=int(value))
                    if value != "0"
                    else self._say("settings.files_never")
                )
            case "context":
                return self._size(value)
            case "language":
                # Each language is named in itself, for users who can't read the current one.
                return self.texts("settings.language_name", value)
            case "temperature" | "timezone":
                return value

    def _unset(self, setting: Setting) -> str:
        match setting:
            case "language":
                return self._say("settings.from_telegram")
            case "timezone":
                return self._say("settings.timezone_of_bot", zone=self.time_zones[1])
            case _:
                return self._say("settings.unset")

    def _size(self, value: str) -> str:
        if value == "max":
            return self._say("settings.context_max")
        return self._say("settings.context_size", size=int(value) // 1000)

    def _say(self, key: str, **params: object) -> str:
        return self.texts(key, self.language, **params)
