"""parse_mode: from marked-up text to text and entities."""

from typing import Any

from tgllm.testing.emulator.errors import bad_request
from tgllm.testing.emulator.markup_html import parse_html
from tgllm.testing.emulator.markup_markdown import parse_markdown

__all__ = ["parse_markup"]


def parse_markup(text: str, parse_mode: str) -> tuple[str, list[dict[str, Any]]]:
    """The plain text and the entities of ``text`` in ``parse_mode``.

    Raises BotApiError 400 "can't parse entities: ..." for broken markup.
    """
    mode = parse_mode.lower()
    if mode == "html":
        return parse_html(text)
    if mode in {"markdown", "markdownv2"}:
        return parse_markdown(text, is_v2=mode == "markdownv2")
    raise bad_request("unsupported parse_mode")
