"""Prepares a model's Markdown for the parser."""

import re

from tgllm.bot.rendering.source.code import outside_code, replaced
from tgllm.bot.rendering.source.fences import with_nested_fences
from tgllm.bot.rendering.source.html_spans import with_formats_by_paragraph
from tgllm.bot.rendering.source.lists import with_even_lists
from tgllm.services.common.text import mend_surrogates

__all__ = ["ready_source"]

# A formula ends with its paragraph, and has no delimiter of another one inside.
_TEX = r"(?:[^\\$\n]++|\\(?![()\[\]])|\n(?![ \t]*+\n))++"
_FORMULA = outside_code(
    rf"(?<!\\)\\\((?P<inline>{_TEX})\\\)|(?<!\\)\\\[(?P<block>{_TEX})\\\]"
    r"|(?<![\\$])\$\$(?!\$)(?P<dollars>(?:[^$\n]++|\n(?![ \t]*+\n))++)\$\$(?!\$)"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def ready_source(markdown: str, *, is_growing: bool) -> str:
    r"""Return equivalent Markdown that CommonMark parses as the model meant it.

    Formulas between ``\(`` and ``\)`` or ``\[`` and ``\]`` are put between dollar signs; code is left unchanged.

    Args:
        markdown: what the model wrote, without its reasoning.
        is_growing: whether the answer is unfinished.
    """
    text = _CONTROL.sub(" ", mend_surrogates(markdown).replace("\r\n", "\n").replace("\r", "\n"))
    text = with_nested_fences(text, is_growing=is_growing)
    if r"\(" in text or r"\[" in text or "$$" in text:
        text = replaced(text, _FORMULA, _in_dollars)
    return with_formats_by_paragraph(with_even_lists(text))


def _in_dollars(match: re.Match[str]) -> tuple[str, int] | None:
    """Return a formula between dollar signs."""
    inline = match["inline"]
    tex = inline if inline is not None else match["block"] if match["block"] is not None else match["dollars"]
    lines = tex.split("\n")
    if not tex.strip() or any(line.lstrip().startswith(">") for line in lines[1:]):
        return None
    # On one line: a line that begins with a minus or a plus would begin a list.
    mark = "$" if inline is not None else "$$"
    return mark + " ".join(line.strip() for line in lines).strip() + mark, match.end()
