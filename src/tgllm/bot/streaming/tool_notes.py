"""What stands below an answer that has used tools: its calls folded to a line, and its sources as links."""

import re
from typing import Final

from tgllm.bot.rendering.links import is_web_link
from tgllm.bot.rendering.notes import Links
from tgllm.i18n import Catalogue
from tgllm.services.conversations.tool_steps import ToolSteps
from tgllm.services.conversations.tool_words import cited, used_tools

__all__ = ["MOST_SOURCES", "links_of", "sources_in_markdown"]

MOST_SOURCES: Final = 8
_ESCAPED: Final = re.compile(r"([\\`*_\[\]<>#|~])")


def links_of(tools: ToolSteps, texts: Catalogue, language: str) -> Links:
    """Return the line that says what was used, with the sources below it."""
    links = cited(tools, is_web_link)
    kept, rest = links[:MOST_SOURCES], len(links) - MOST_SOURCES
    title = used_tools(tools, texts, language) or (texts("tools.sources", language) if kept else "")
    return Links(title, kept, texts("tools.more_sources", language, count=rest) if rest > 0 else "")


def sources_in_markdown(tools: ToolSteps, texts: Catalogue, language: str) -> str:
    """Return the sources as a list in Markdown; empty if there are none."""
    links: list[str] = []
    for number, (text, address) in enumerate(cited(tools, is_web_link), 1):
        title, url = _ESCAPED.sub(r"\\\1", text), address.replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C")
        links.append(f"{number}. [{title}](<{url}>)")
    return "\n".join([f"**{texts('tools.sources', language)}**", "", *links]) if links else ""
