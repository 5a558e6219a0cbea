"""Prepares a model's Markdown for the parser."""

import re
from collections.abc import Callable

from tgllm.services.common.text import mend_surrogates

__all__ = ["ready_source"]

_FENCE = r"^[ \t>*+\-\d.)]*(?P<fence>`{3,}|~{3,})[^\n]*(?:\n.*?(?:^[ \t>]*(?P=fence)[`~]*[ \t]*$|\Z)|\Z)"
_SPAN = r"(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)(?P=ticks)(?!`)"
_CODE = rf"(?P<code>{_FENCE}|{_SPAN})"
# A formula ends with its paragraph; the bound limits the cost of an opening without a closing.
_TEX = r"(?:(?!\n[ \t]*\n|\\[()\[\]]|\$).){1,2000}?"

_FORMULA = re.compile(
    rf"{_CODE}|(?<!\\)\\\((?P<inline>{_TEX})\\\)|(?<!\\)\\\[(?P<block>{_TEX})\\\]"
    r"|(?<![\\$])\$\$(?!\$)(?P<dollars>(?:(?!\n[ \t]*\n|\$).){1,2000}?)\$\$(?!\$)",
    re.MULTILINE | re.DOTALL,
)
_THOUGHT = re.compile(
    rf"{_CODE}|^[ \t]*<(?P<tag>think|thinking)>.*?</(?P=tag)>[ \t]*\n?", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_UNFINISHED_THOUGHT = re.compile(
    r"\s*<(?:th?|thin?|thin(?:k(?:i(?:ng?)?)?)?|think(?:ing)?>.*)", re.DOTALL | re.IGNORECASE
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def ready_source(markdown: str, *, is_growing: bool) -> str:
    r"""Return equivalent Markdown that CommonMark parses as the model meant it.

    Reasoning between ``<think>`` tags is dropped where it begins a line, and formulas between ``\(`` and ``\)`` or
    ``\[`` and ``\]`` are put between dollar signs; code is left unchanged.

    Args:
        markdown: what the model wrote.
        is_growing: whether the answer is unfinished. Reasoning at the start is then dropped before its closing tag.
    """
    text = _CONTROL.sub(" ", mend_surrogates(markdown).replace("\r\n", "\n").replace("\r", "\n"))
    if "</think" in text.lower():
        text = _THOUGHT.sub(_code_or(lambda _: ""), text)
    if is_growing and _UNFINISHED_THOUGHT.fullmatch(text):
        return ""
    if r"\(" in text or r"\[" in text or "$$" in text:
        text = _FORMULA.sub(_code_or(_in_dollars), text)
    return text


def _code_or(replace: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
    """Return a replacement function that leaves code unchanged."""
    return lambda match: match.group() if match["code"] is not None else replace(match)


def _in_dollars(match: re.Match[str]) -> str:
    inline = match["inline"]
    tex = inline if inline is not None else match["block"] if match["block"] is not None else match["dollars"]
    lines = tex.split("\n")
    if not tex.strip() or any(line.lstrip().startswith(">") for line in lines[1:]):
        return match.group()
    # On one line: a line that begins with a minus or a plus would begin a list.
    mark = "$" if inline is not None else "$$"
    return mark + " ".join(line.strip() for line in lines).strip() + mark
