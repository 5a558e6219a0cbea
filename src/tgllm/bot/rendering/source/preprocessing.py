"""Prepares a model's Markdown for the parser."""

import re

from tgllm.bot.rendering.source.code import outside_code, replaced
from tgllm.bot.rendering.source.fences import with_nested_fences
from tgllm.bot.rendering.source.html_spans import with_formats_by_paragraph
from tgllm.bot.rendering.source.lists import with_even_lists
from tgllm.services.common.text import mend_surrogates

__all__ = ["in_dollars", "ready_source"]

# A formula ends with its paragraph, also in a quote, and has no delimiter of another one inside.
_LINE_END = r"\n(?![ \t>]*+\n)"
_TEX = rf"(?:[^\\$\n]++|\\[\\$]|\\(?![()\[\]])|{_LINE_END})++"
_ENVIRONMENT = r"(?:equation|align|aligned|alignat|gather|gathered|multline|split|eqnarray|cases|[pbvBV]?matrix)"
_FORMULA = outside_code(
    rf"(?<!\\)\\\((?P<inline>{_TEX})\\\)|(?<!\\)\\\[(?P<block>{_TEX})\\\]"
    rf"|(?<![\\$])\$\$(?!\$)(?P<dollars>(?:[^\\$\n]++|\\[^\n]|\\(?=\n)|{_LINE_END})++)\$\$(?!\$)"
    # An environment that begins a line, without delimiters. None of its name is inside, so each name is read once.
    rf"|^[ \t>]*+(?P<environment>\\begin\{{(?P<name>{_ENVIRONMENT}\*?+)\}}"
    rf"(?:[^\\$\n]++|\\\$|\\(?!\$|(?:begin|end)\{{(?P=name)\}})|{_LINE_END})*+\\end\{{(?P=name)\}})"
)
_QUOTE = re.compile(r"(?:[ \t]|[-*+][ \t]|\d{1,9}[.)][ \t])*+>")
_QUOTE_MARKS = " \t>"
_MOST_BETWEEN = 40
"""Characters in which the mark that opens a formula is looked for, before an environment."""
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
    if any(mark in text for mark in (r"\(", r"\[", "$$", r"\begin{")):
        text = replaced(text, _FORMULA, _in_dollars)
    return with_formats_by_paragraph(with_even_lists(text))


def in_dollars(source: str, start: int, tex: str, mark: str) -> str | None:
    """Return a formula on one line between dollar signs; None if there is nothing in it, or it ends in a quote.

    Args:
        source: Markdown in which the formula stands. In a quote, its lines begin with marks of the quote.
        start: its place.
        tex: without delimiters.
        mark: the dollar signs.
    """
    first, *others = tex.split("\n")
    if any(line.lstrip().startswith(">") for line in others):
        if not _QUOTE.match(source, source.rfind("\n", 0, start) + 1):
            return None
        others = [line.lstrip(_QUOTE_MARKS) for line in others]
    # On one line: a line that begins with a minus or a plus would begin a list.
    joined = " ".join([line.strip() for line in (first, *others)]).strip()
    return mark + joined + mark if joined else None


def _in_dollars(match: re.Match[str]) -> tuple[str, int] | None:
    """Return a formula between dollar signs."""
    if (environment := match["environment"]) is not None:
        start = match.start("environment")
        # Behind the dollar signs of a formula that is not complete it is part of that one.
        before = match.string[max(start - _MOST_BETWEEN, 0) : start].rstrip(_QUOTE_MARKS + "\n")
        made = None if before.endswith(("$$", r"\[")) else in_dollars(match.string, start, environment, "$$")
        return None if made is None else (match.string[match.start() : start] + made, match.end())
    inline = match["inline"]
    tex = inline if inline is not None else match["block"] if match["block"] is not None else match["dollars"]
    made = in_dollars(match.string, match.start(), tex, "$" if inline is not None else "$$")
    return None if made is None else (made, match.end())
