"""What an answer has used: its calls of tools folded to lines, and its sources as links."""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tgllm.api.tools import Source
from tgllm.bot.rendering.links import is_web_link
from tgllm.bot.rendering.notes import Links
from tgllm.i18n import Catalogue
from tgllm.services.common.text import clip, one_line
from tgllm.services.conversations.tool_steps import StepState, ToolStep, ToolSteps

__all__ = ["MOST_SOURCES", "links_of", "notes_on_tools", "sources_in_markdown"]

MOST_SOURCES: Final = 8
_MOST_TITLE: Final = 80
_MOST_URL: Final = 1000
"""Longer addresses are no links: they would take the room of the answer."""
_MOST_LINE: Final = 300
_TAG: Final = re.compile(r"<[^<>]{0,200}>")
_LINK: Final = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,1000}\)")
_MARKS: Final = re.compile(r"\*+|`+|~~|__+|^\s*(?:#{1,6}|>|[-+])\s+")
_ESCAPED: Final = re.compile(r"([\\`*_\[\]<>#|~])")
_SAID: Final[tuple[tuple[StepState, str], ...]] = (
    ("failed", "tools.failed"),
    ("denied", "tools.denied"),
    ("stopped", "tools.stopped"),
    ("unknown", "tools.unknown"),
)
"""States that are said in words, since the answer may not say it."""


@dataclass(frozen=True, slots=True)
class _Shown:
    title: str
    url: str


def links_of(tools: ToolSteps, texts: Catalogue, language: str) -> Links:
    """Return the line that says what was used, with the sources below it."""
    shown = _sources(tools.sources)
    kept = shown[:MOST_SOURCES]
    rest = texts("tools.more_sources", language, count=len(shown) - len(kept)) if len(shown) > len(kept) else ""
    used = _counted([step for step in tools.steps if step.state == "done"], texts, language)
    title = used or (texts("tools.sources", language) if kept else "")
    return Links(title, [(source.title, source.url) for source in kept], rest)


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


def sources_in_markdown(tools: ToolSteps, texts: Catalogue, language: str) -> str:
    """Return the sources as a list in Markdown; empty if there are none."""
    shown = _sources(tools.sources)
    if not shown:
        return ""
    links: list[str] = []
    for number, source in enumerate(shown, 1):
        title, url = _ESCAPED.sub(r"\\\1", source.title), source.url.replace("<", "%3C").replace(">", "%3E")
        links.append(f"{number}. [{title}](<{url}>)")
    return "\n".join([f"**{texts('tools.sources', language)}**", "", *links])


def _counted(steps: Iterable[ToolStep], texts: Catalogue, language: str) -> str:
    """Return the titles of the steps on one line, each with how often it was made."""
    counts: dict[str, int] = {}
    for step in steps:
        title = one_line(step.title, _MOST_TITLE) or step.tool
        counts[title] = counts.get(title, 0) + 1
    said = (title if n == 1 else texts("tools.used", language, title=title, times=n) for title, n in counts.items())
    return clip(" · ".join(said), _MOST_LINE)


def _sources(sources: Sequence[Source]) -> list[_Shown]:
    """Return the sources that may be links, without repetitions."""
    shown: dict[str, _Shown] = {}
    for source in sources:
        url = source.url.strip()
        if len(url) <= _MOST_URL and one_line(url, _MOST_URL) == url and is_web_link(url):
            shown.setdefault(url, _Shown(_title(source.title) or urlsplit(url).hostname or url, url))
    return list(shown.values())


def _title(text: str) -> str:
    """Return the title of a page as plain text: without markup, and without characters that hide or reorder text."""
    # Bounded before the patterns, for a title comes from a foreign page.
    plain = _TAG.sub("", html.unescape(text[:1000]))
    return one_line(_MARKS.sub("", _LINK.sub(r"\1", plain)), _MOST_TITLE)
