"""What an answer has used, in words: its calls of tools, and its sources."""

import html
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from tgllm.i18n import Catalogue
from tgllm.services.common.text import clip, one_line, unlinked
from tgllm.services.conversations.tool_steps import StepState, ToolStep, ToolSteps

__all__ = ["cited", "is_web", "notes_on_tools", "used_tools"]

_MOST_TITLE: Final = 80
_MOST_URL: Final = 1000
"""Longer addresses are no links: they would take the room of the answer."""
_MOST_LINE: Final = 300
_TAG: Final = re.compile(r"<[^<>]{0,200}>")
_LINK: Final = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,1000}\)")
_MARKS: Final = re.compile(r"\*+|`+|~~|__+|^\s*(?:#{1,6}|>|[-+])\s+")
_SAID: Final[tuple[tuple[StepState, str], ...]] = (
    ("failed", "tools.failed"),
    ("denied", "tools.denied"),
    ("stopped", "tools.stopped"),
    ("unknown", "tools.unknown"),
)
"""States that are said in words, since the answer may not say it."""


def used_tools(tools: ToolSteps, texts: Catalogue, language: str) -> str:
    """Return the calls that have worked on one line, each with how often it was made; empty if there are none."""
    return _counted([step for step in tools.steps if step.state == "done"], texts, language)


def notes_on_tools(tools: ToolSteps, texts: Catalogue, language: str) -> list[str]:
    """Return notes on calls that did not work, were not allowed, or of which it is unknown whether they happened."""
    notes: list[str] = []
    for state, key in _SAID:
        # A call that failed and then worked with other arguments is no news.
        done = {step.tool for step in tools.steps if step.state == "done"} if state == "failed" else set[str]()
        titles = _counted([s for s in tools.steps if s.state == state and s.tool not in done], texts, language)
        if titles:
            notes.append(texts(key, language, titles=titles))
    return notes


def is_web(url: str) -> bool:
    """Return whether an address is of the web."""
    return url.startswith(("https://", "http://"))


def cited(tools: ToolSteps, is_link: Callable[[str], bool]) -> Sequence[tuple[str, str]]:
    """Return titles and addresses of the sources that may be links, without repetitions; a title is plain text."""
    shown: dict[str, str] = {}
    for source in tools.sources:
        url = source.url.strip()
        if len(url) <= _MOST_URL and one_line(url, _MOST_URL) == url and is_link(url):
            shown.setdefault(url, _title(source.title) or urlsplit(url).hostname or url)
    return [(title, url) for url, title in shown.items()]


def _counted(steps: Iterable[ToolStep], texts: Catalogue, language: str) -> str:
    """Return the titles of the steps on one line, each with how often it was made."""
    counts: dict[str, int] = {}
    for step in steps:
        title = unlinked(one_line(step.title, _MOST_TITLE)) or step.tool
        counts[title] = counts.get(title, 0) + 1
    said = (title if n == 1 else texts("tools.used", language, title=title, times=n) for title, n in counts.items())
    return clip(" · ".join(said), _MOST_LINE)


def _title(text: str) -> str:
    """Return the title of a page as plain text: without markup, and without characters that hide or reorder text."""
    # Bounded before the patterns, for a title comes from a foreign page.
    plain = _TAG.sub("", html.unescape(text[:1000]))
    return one_line(_MARKS.sub("", _LINK.sub(r"\1", plain)), _MOST_TITLE)
