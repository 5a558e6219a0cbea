"""One line that says which tools an answer is using."""

from collections.abc import Iterator, Sequence
from typing import Final

from tgllm.i18n import Catalogue
from tgllm.services.common.text import clip, one_line, unlinked
from tgllm.services.conversations.tool_steps import StepState, ToolStep

__all__ = ["MOST_LINE", "ToolLine"]

MOST_LINE: Final = 200
"""Most UTF-16 units of the line."""
_MOST_TITLE: Final = 60
_MOST_NOTE: Final = 60
_GAP: Final = " … "
_ACTIVE: Final[frozenset[StepState]] = frozenset(("writing", "waiting", "running"))


class ToolLine:
    """The latest state of the calls that are going on.

    Calls that begin while others go on are counted together, so that three pages are "reading 2 of 3". When all have
    ended, the line is empty, and the next call begins a new count.
    """

    def __init__(self, texts: Catalogue, language: str) -> None:
        """Begin without calls."""
        self._texts = texts
        self._language = language
        self._steps: dict[str, ToolStep] = {}

    def add(self, step: ToolStep) -> None:
        """Take the next state of a call."""
        if step.id not in self._steps and not self._is_active:
            self._steps.clear()
        self._steps[step.id] = step

    @property
    def _is_active(self) -> bool:
        return any(step.state in _ACTIVE for step in self._steps.values())

    @property
    def waits_for_person(self) -> bool:
        """Whether all calls that go on wait for a decision."""
        active = {step.state for step in self._steps.values() if step.state in _ACTIVE}
        return active == {"waiting"}

    @property
    def text(self) -> str:
        """The line; empty if no call is going on."""
        # What a person has to do stands first, where it is not cut off.
        line = _GAP.join(dict.fromkeys((*self._waiting(), *self._running())))
        # Titles and notes may be from a foreign server.
        return clip(unlinked(line), MOST_LINE)

    def _waiting(self) -> Iterator[str]:
        for step in self._steps.values():
            if step.state == "waiting":
                key = "stream.tools_waiting_admins" if step.note == "admins" else "stream.tools_waiting"
                yield self._say(key, title=_title(step))

    def _running(self) -> Iterator[str]:
        groups: dict[str, list[ToolStep]] = {}
        for step in self._steps.values():
            if step.state != "waiting":
                groups.setdefault(_title(step), []).append(step)
        for title, steps in groups.items():
            active = [step for step in steps if step.state in _ACTIVE]
            if active:
                yield self._group(title, steps, active)

    def _group(self, title: str, steps: Sequence[ToolStep], active: Sequence[ToolStep]) -> str:
        if len(steps) > 1:
            return self._say("stream.tools_count", title=title, done=len(steps) - len(active) + 1, total=len(steps))
        step = active[0]
        shown = title
        if step.done is not None:
            shown = (
                self._say("stream.tools_done", title=title, done=step.done)
                if step.total is None
                else self._say("stream.tools_count", title=title, done=step.done, total=step.total)
            )
        note = unlinked(one_line(step.note, _MOST_NOTE))
        return self._say("stream.tools_note", title=shown, note=note) if note else shown

    def _say(self, key: str, **params: object) -> str:
        return self._texts(key, self._language, **params)


def _title(step: ToolStep) -> str:
    # A server may name its tools: a name must not mention people, and must not be a link of the bot.
    return unlinked(one_line(step.title, _MOST_TITLE)) or step.tool
