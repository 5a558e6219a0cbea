"""The tools of a chat, as one message with buttons that is edited in place."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.api.tools import ToolSpec
from tgllm.bot.ui.keyboards import MARK, PAGE, Button, Menu, page_of, pager
from tgllm.bot.ui.settings_menu import HOME as SETTINGS_HOME
from tgllm.bot.ui.settings_menu import TOOLS as HOME
from tgllm.i18n import Catalogue
from tgllm.services.common.text import one_line, unlinked
from tgllm.services.tools.policy import Standing

__all__ = ["HOME", "SWITCH", "ToolsMenu", "key_of", "title_of", "usable"]

SWITCH: Final = "toolswitch"
"""First word of the data of the button that switches a tool: ``1`` or ``0`` and the tool's key follow."""
_MOST_TITLE: Final = 60
_MOST_ABOUT: Final = 160
_ABOUT: Final = {
    ("basic_tools", "calculator"): "tools.about_calculator",
    ("basic_tools", "clock"): "tools.about_clock",
    ("basic_memory", "remember"): "tools.about_remember",
    ("basic_memory", "search_history"): "tools.about_search",
}
"""What the built-in tools do, by plugin and name."""
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s")


def usable(standings: Sequence[Standing]) -> list[Standing]:
    """Return the tools that a person may use in a chat, today or another day."""
    return [standing for standing in standings if standing.refusal in {None, "limit"}]


def key_of(name: str) -> str:
    """Return a short key for a name, which may be too long for callback data."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def title_of(tool: ToolSpec, language: str) -> str:
    """Return the title of a tool in a language; its name if it has none."""
    title = tool.titles.get(language[:2].lower()) or tool.title
    return one_line(title, _MOST_TITLE) or tool.name


@dataclass(frozen=True, slots=True)
class ToolsMenu:
    """Builds the message for one user in one chat."""

    standings: Sequence[Standing]
    """Of the tools that the person may use."""
    off: frozenset[str]
    """Names of the tools that are switched off in the chat."""
    texts: Catalogue
    language: str

    @property
    def switched_on(self) -> int:
        """How many of the tools are switched on."""
        return sum(standing.tool.tool.name not in self.off for standing in self.standings)

    def page(self, number: int) -> Menu:
        """Return a page: each tool with what it does, and a button that switches it."""
        back = [Button(self._say("settings.back"), SETTINGS_HOME)]
        if not self.standings:
            return Menu(self._say("tools.none"), [back])
        page = page_of(self.standings, number)
        lines = [self._described(standing) for standing in page.items]
        rows = [[self._button(standing.tool.tool)] for standing in page.items]
        text = "\n\n".join([self._say("tools.title"), *lines, self._say("tools.hint")])
        return Menu(text, [*rows, *pager(page, lambda to: f"{HOME}:{to}"), back])

    def find(self, key: str) -> tuple[ToolSpec, int] | None:
        """Return the tool of a key and the number of its page; None if the person may not use it."""
        for place, standing in enumerate(self.standings):
            if key_of(standing.tool.tool.name) == key:
                return standing.tool.tool, place // PAGE
        return None

    def _described(self, standing: Standing) -> str:
        tool = standing.tool.tool
        notes = [tool.name, *self._notes(standing)]
        return self._say(
            "tools.line",
            title=unlinked(title_of(tool, self.language)),
            about=self._about(standing),
            notes=" · ".join(notes),
        )

    def _about(self, standing: Standing) -> str:
        """Return what a tool does: the built-in ones say it to people, others only to the model."""
        tool = standing.tool.tool
        if (key := _ABOUT.get((standing.tool.plugin_id, tool.name))) is not None:
            return self._say(key)
        return unlinked(one_line(_SENTENCE.split(tool.description.strip(), maxsplit=1)[0], _MOST_ABOUT))

    def _notes(self, standing: Standing) -> Sequence[str]:
        if standing.tool.tool.name in self.off:
            return [self._say("tools.off_here")]
        notes = [self._say("tools.limit_reached")] if standing.refusal == "limit" else []
        if standing.approver is not None:
            notes.append(self._say("tools.asks_admins" if standing.approver == "admins" else "tools.asks"))
        return notes

    def _button(self, tool: ToolSpec) -> Button:
        is_off = tool.name in self.off
        title = title_of(tool, self.language)
        return Button(title if is_off else MARK + title, f"{SWITCH}:{int(is_off)}:{key_of(tool.name)}")

    def _say(self, key: str, **params: object) -> str:
        return self.texts(key, self.language, **params)
