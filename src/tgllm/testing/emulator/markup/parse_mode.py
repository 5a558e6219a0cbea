"""Parsing of marked-up text by parse_mode."""

from typing import Any

from tgllm.testing.emulator.markup.html import parse_html
from tgllm.testing.emulator.markup.legacy import parse_markdown
from tgllm.testing.emulator.markup.markdown import parse_markdown_v2
from tgllm.testing.emulator.protocol.errors import bad_request

__all__ = ["parse_markup"]


def parse_markup(text: str, parse_mode: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the plain text and the entities of ``text`` in ``parse_mode``.

    Raises BotApiError 400 "can't parse entities: ..." for invalid markup.
    """
    mode = parse_mode.lower()
    if mode == "html":
        return parse_html(text)
    if mode == "markdownv2":
        return parse_markdown_v2(text)
    if mode == "markdown":
        return parse_markdown(text)
    raise bad_request("unsupported parse_mode")
