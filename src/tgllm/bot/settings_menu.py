"""The settings of a chat and of a person as one message with buttons that changes in place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tgllm.api import ModelRef
from tgllm.bot.keyboards import MARK, Button, Menu
from tgllm.config.personas import PersonaSetting
from tgllm.i18n import Catalogue, languages
from tgllm.services.chat_settings import DISPLAYS, EFFORTS, RICH_MODES, ChatSettings

__all__ = ["HOME", "SET", "UNSET", "Setting", "SettingsMenus"]

HOME = "settings"
"""First word of the data of the button that shows all settings; one setting's name may follow."""
SET = "set"
"""The same for choosing a value; the setting's name and the value follow."""
UNSET = "-"
"""The value that takes a choice back."""

Setting = Literal["temperature", "effort", "thoughts", "rich", "files", "language"]
SETTINGS: tuple[Setting, ...] = get_args(Setting)
_OF_THINKING: frozenset[Setting] = frozenset({"effort", "thoughts"})
"""Settings of models that think."""
TEMPERATURES = ("0", "0.3", "0.7", "1", "1.3")
FILES_OVER = ("0", "4000", "8000", "16000")
"""UTF-16 units of an answer above which it comes as a file."""


@dataclass(frozen=True, slots=True)
class SettingsMenus:
    """Makes the messages for one person in one chat, as things are now."""

    settings: ChatSettings
    persona: PersonaSetting | None
    model: ModelRef
    reasoning: bool
    """Whether the model may know reasoning efforts."""
    chosen_language: str | None
    texts: Catalogue
    language: str

    def home(self) -> Menu:
        """All settings, with a button for each that can be changed here."""
        rows = [[Button(self._title(setting), f"{HOME}:{setting}")] for setting in self._settable()]
        return Menu("\n".join([self._say("settings.title"), "", *self._lines()]), rows)

    def of(self, setting: Setting) -> Menu:
        """The values of one setting, with a mark on the one that holds."""
        current = self._value(setting) or UNSET
        values = self.values(setting)
        buttons = [
            Button((MARK if value == current else "") + self._label(setting, value), f"{SET}:{setting}:{value}")
            for value in values
        ]
        rows = [[button] for button in buttons]
        return Menu(self._about(setting), [*rows, [Button(self._say("settings.back"), HOME)]])

    def values(self, setting: Setting) -> Sequence[str]:
        """What can be chosen; where there is a value that holds by itself, ``UNSET`` first."""
        choices: Mapping[Setting, Sequence[str]] = {
            "temperature": TEMPERATURES,
            "effort": EFFORTS,
            "thoughts": DISPLAYS,
            "rich": RICH_MODES,
            "files": FILES_OVER,
            "language": sorted(languages()),
        }
        return choices[setting] if setting == "thoughts" else (UNSET, *choices[setting])

    def _settable(self) -> Sequence[Setting]:
        return [setting for setting in SETTINGS if self.reasoning or setting not in _OF_THINKING]

    def _lines(self) -> Sequence[str]:
        persona = self._say("settings.unset") if self.persona is None else self.persona.title or self.persona.name
        lines = [self._say("settings.model", value=self.model), self._say("settings.persona", value=persona)]
        system = self._say("settings.unset") if self.settings.system is None else self._say("settings.is_set")
        lines.append(self._say("settings.system", value=system))
        return [*lines, *map(self._line, self._settable())]

    def _line(self, setting: Setting) -> str:
        return f"{self._title(setting)}: {self._label(setting, self._value(setting) or UNSET)}"

    def _value(self, setting: Setting) -> str | None:
        match setting:
            case "temperature":
                return None if self.settings.temperature is None else f"{self.settings.temperature:g}"
            case "effort":
                return self.settings.reasoning_effort
            case "thoughts":
                return self.settings.reasoning_display or "hidden"
            case "rich":
                return self.settings.rich
            case "files":
                return None if self.settings.file_over is None else str(self.settings.file_over)
            case "language":
                return self.chosen_language

    def _title(self, setting: Setting) -> str:
        match setting:
            case "temperature":
                return self._say("settings.temperature")
            case "effort":
                return self._say("settings.effort")
            case "thoughts":
                return self._say("settings.thoughts")
            case "rich":
                return self._say("settings.rich")
            case "files":
                return self._say("settings.files")
            case "language":
                return self._say("settings.language")

    def _about(self, setting: Setting) -> str:
        match setting:
            case "temperature":
                return self._say("settings.about_temperature")
            case "effort":
                return self._say("settings.about_effort")
            case "thoughts":
                return self._say("settings.about_thoughts")
            case "rich":
                return self._say("settings.about_rich")
            case "files":
                return self._say("settings.about_files")
            case "language":
                return self._say("settings.about_language")

    def _label(self, setting: Setting, value: str) -> str:
        if value == UNSET:
            return self._say("settings.from_telegram" if setting == "language" else "settings.unset")
        if setting == "effort":
            return self._say(f"settings.effort_{value}")
        if setting == "thoughts":
            return self._say(f"settings.thoughts_{value}")
        if setting == "rich":
            return self._say(f"settings.rich_{value}")
        if setting == "files":
            return (
                self._say("settings.files_over", count=int(value)) if int(value) else self._say("settings.files_never")
            )
        # A language is called as those call it who look for it.
        return self.texts("settings.language_name", value) if setting == "language" else value

    def _say(self, key: str, **params: object) -> str:
        return self.texts(key, self.language, **params)
