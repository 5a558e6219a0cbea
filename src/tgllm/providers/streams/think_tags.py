"""Reasoning that a model writes into its text, between ``<think>`` and ``</think>``.

Servers without a parser for a model's reasoning pass it on like this.
"""

from collections.abc import Iterator

from tgllm.api.events import ReasoningDelta, TextDelta

__all__ = ["ThinkTags"]

_OPEN = "<think>"
_CLOSE = "</think>"


class ThinkTags:
    """Splits the text of one answer, which may come in pieces of any size. Only a tag at the beginning counts."""

    def __init__(self) -> None:
        """Create it for one answer."""
        self._held = ""
        """The end of the text so far, which may be the beginning of a tag, or white space around one."""
        self._state = "beginning"

    def split(self, text: str) -> Iterator[TextDelta | ReasoningDelta]:
        """Yield the events of a piece of text."""
        if self._state == "text":
            yield TextDelta(text)
            return
        self._held += text
        if self._state == "beginning":
            start = self._held.lstrip()
            if _OPEN.startswith(start[: len(_OPEN)]) and len(start) < len(_OPEN):
                return
            self._state = "opened" if start.startswith(_OPEN) else "text"
            self._held = start.removeprefix(_OPEN) if self._state == "opened" else self._held
        if self._state == "opened":
            self._held = self._held.lstrip("\n")
            self._state = "reasoning" if self._held else "opened"
        if self._state == "reasoning":
            yield from self._reasoning()
        elif self._state == "gap":
            self._held = self._held.lstrip()
            self._state = "text" if self._held else "gap"
        if self._state == "text" and self._held:
            held, self._held = self._held, ""
            yield TextDelta(held)

    def rest(self) -> Iterator[TextDelta | ReasoningDelta]:
        """Yield what was held back; called at the end of the answer."""
        held, self._held = self._held, ""
        if held and self._state != "gap":
            yield ReasoningDelta(held) if self._state == "reasoning" else TextDelta(held)

    def _reasoning(self) -> Iterator[ReasoningDelta]:
        thought, closed, after = self._held.partition(_CLOSE)
        if closed:
            self._held, self._state = after.lstrip(), "text" if after.strip() else "gap"
            thought = thought.rstrip()
        else:
            kept = _overlap(thought)
            self._held = thought[len(thought) - kept :]
            thought = thought[: len(thought) - kept]
        if thought:
            yield ReasoningDelta(thought)


def _overlap(text: str) -> int:
    """Return how many characters at the end may belong to the closing tag, with the white space before it."""
    kept = next((size for size in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:size])), 0)
    before = text[: len(text) - kept]
    return kept + len(before) - len(before.rstrip("\n"))
