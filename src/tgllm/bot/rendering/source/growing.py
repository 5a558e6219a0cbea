"""Completes the Markdown of an answer that is still being written, for previews."""

import re

from tgllm.bot.rendering.emphasis.characters import NODE
from tgllm.bot.rendering.emphasis.hidden import hidden
from tgllm.bot.rendering.emphasis.matching import open_emphasis
from tgllm.bot.rendering.html.tags import INLINE_NAMES
from tgllm.bot.rendering.source.code import FENCE, fence_end, outside_code, replaced
from tgllm.bot.rendering.source.growing_tables import without_half_table
from tgllm.bot.rendering.source.preprocessing import in_dollars

__all__ = ["open_formula", "open_marks", "settled"]

_FENCE_LINE = re.compile(rf"^{FENCE}", re.MULTILINE)
_HALF_TAG = re.compile(r"</?(?:[A-Za-z][A-Za-z0-9-]{0,12}+(?:\s[^<>\n]{0,200}+)?+/?)?\Z")
_LAST_TAGS = re.compile(
    # Where such a tag stands before it, it does not begin.
    rf"(?:(?<!>)|(?<=<pre>)|(?<=<li>)|(?<=<td>)|(?<=<p>))(?:<(?:{INLINE_NAMES})(?:\s[^<>\n]{{0,200}}+)?>)++\Z",
    re.IGNORECASE,
)
_HALF_ENTITY = re.compile(r"&(?:#\w{0,6}+|[a-z]{0,6}+)\Z")
_HALF_ADDRESS = re.compile(r"<(?=(?:https?://|mailto:)[^<>\s]*+\Z)", re.IGNORECASE)
_HALF_SUMMARY = re.compile(r"(<summary(?:\s[^<>\n]*+)?>)((?:[^<]|<(?!/?(?:summary|details)\b))*+)\Z", re.IGNORECASE)
_NOTE = outside_code(r"\[\^(?P<note>\d{1,3}+|[A-Za-z]{3,}+[\w-]{0,40}+)\](?!:)")
"""A reference whose text is perhaps not there yet."""
_HALF_NOTE = re.compile(r"\[\^[\w-]{0,43}+\Z")
_HALF_KIND = re.compile(r"\[![A-Za-z]{0,20}+\Z")
_HALF_LABEL = re.compile(r"(?<![\w\]\\^])!?\[(?![!^.,\s\"'-]|\d[\d.]*+(?:,|\Z))([^\[\]()\n]*+)\]?+\Z")
_HALF_LINK = re.compile(
    r"(?<!\\)!?\[(?![!^])([^\[\]\n]*+)\]\((?:[^()\s]|\([^()\s]*+\))*+(?:\([^()\s]*+|\s[\"'][^\"'\n]*+[\"']?+)?+\Z"
)
_HALF_QUOTE = re.compile(r"(?<![^\s(])(?:\*{1,3}+|_{1,3}+|~~)[\"']\Z")
_TICKS = re.compile(r"\\.|`++", re.DOTALL)
_FORMULA_MARK = re.compile(r"\\.|\$\$|`++", re.DOTALL)
_FORMULA_ENDS = {r"\[": r"\]", r"\(": r"\)", "$$": "$$"}
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_ROW_END = "\\ \n"
_HALF_COMMAND = re.compile(r"\\(?:(?:begin|end)\{[A-Za-z*]*+|\\\[[^\[\]\n]*+|[A-Za-z]*+\{?+)\Z")
_HALF_SCRIPT = re.compile(r"[\^_]\{?+\Z")
_HALF_DOLLAR = re.compile(r"(?<![^\s(（])\$\Z")  # noqa: RUF001  the characters of these scripts
_OPEN_DOLLAR = re.compile(r"(?<![\w\\$])\$(?=[A-Za-z\\(\[{|-])([^$`\n]*+)\Z")
_HAS_LATEX = re.compile(r"\\[A-Za-z]|\^|(?<![A-Za-z_])[A-Za-z]_|[)}\]]_")
"""What tells a formula from an amount of money and from a variable of a shell, such as ``$MY_NAME``."""
_HALF_LINE = re.compile(r"[ \t]*+(?:[-=+*_~]++|[-*+][ \t]++\[[ xX]?)")


def settled(prefix: str) -> str:
    """Return the prefix with the unfinished markup of its last paragraph closed or left out, except for emphasis.

    This may guess wrong: the finished answer is parsed again.
    """
    if "[^" in prefix:
        prefix = replaced(prefix, _NOTE, lambda note: (f"&#91;{note['note']}]", note.end()))
    end, is_closed = _last_code(prefix)
    if not is_closed:
        return _without_half_fence(prefix, end)
    head, separator, last = without_half_table(prefix[end:]).rstrip().rpartition("\n\n")
    last = _without_half_mark(last)
    if "<summary" in last and (summary := _HALF_SUMMARY.search(_HALF_TAG.sub("", last))):
        shown = f"{summary[0]}{_without_code(summary[2])[1]}</summary>" if summary[2].strip("` ") else ""
        return prefix[:end] + head + separator + last[: summary.start()] + shown
    if ticks := _without_code(last)[1]:
        return prefix[:end] + head + separator + last + ticks
    return prefix[:end] + head + separator + _with_formula(_without_half_markup(last))


def _last_code(prefix: str) -> tuple[int, bool]:
    """Return the end of the last code block, 0 if there is none; if it is not closed, its start, and False."""
    place = 0
    while found := _FENCE_LINE.search(prefix, place):
        end = fence_end(prefix, found["fence"], found.end())
        if end is None:
            return found.start("fence"), False
        place = end
    return place, True


def _without_half_fence(prefix: str, start: int) -> str:
    """Return the prefix without its last line if that is part of the fence that opens or closes the last code block.

    Args:
        prefix: ends in a code block.
        start: of the fence that opens it.
    """
    if not prefix[start:].partition("\n")[2].strip():
        return prefix[:start]
    place = prefix.rfind("\n") + 1
    line = prefix[place:].strip()
    return prefix[:place] if line and not line.strip(line[0]) and line[0] in "`~" else prefix


def _without_half_markup(paragraph: str) -> str:
    """Return the paragraph without the part of a link, tag or entity at its end, and without tags of nothing yet."""
    text = _HALF_TAG.sub("", _HALF_NOTE.sub("", _HALF_KIND.sub("", paragraph)))
    text = _HALF_LABEL.sub(r"\1", _HALF_LINK.sub(r"\1", text))
    text = _HALF_QUOTE.sub("", _HALF_ADDRESS.sub("", text))
    text = _HALF_ENTITY.sub("", _LAST_TAGS.sub("", text))
    backslashes = len(text) - len(text.rstrip("\\"))
    return text[:-1] if backslashes % 2 else text


def _without_half_mark(paragraph: str) -> str:
    """Return the paragraph without backticks at its end that may open code, or a line that may become a marker."""
    lines, newline, line = paragraph.rpartition("\n")
    if _HALF_LINE.fullmatch(line) and (newline or line[-1] in "*_~"):
        return lines
    return paragraph.rstrip("`")


def open_formula(paragraph: str) -> tuple[str, int]:
    """Return the mark that opened the formula in which the paragraph ends, and its place; empty if it ends in none."""
    mark, place = "", 0
    for found in _FORMULA_MARK.finditer(paragraph):
        if mark:
            mark = "" if found[0] == _FORMULA_ENDS.get(mark, mark) else mark
        elif found[0] in _FORMULA_ENDS or found[0].startswith("`"):
            mark, place = found[0], found.start()
    return ("", 0) if mark.startswith("`") else (mark, place)


def _with_formula(paragraph: str) -> str:
    """Return the paragraph with the formula that it leaves open closed, without the command at its end."""
    mark, place = open_formula(paragraph)
    if not mark and (dollar := _OPEN_DOLLAR.search(paragraph)) and _HAS_LATEX.search(dollar[1]):
        mark, place = "$", dollar.start()
    if not mark:
        return _HALF_DOLLAR.sub("", paragraph)
    tex = _HALF_SCRIPT.sub("", _HALF_COMMAND.sub("", paragraph[place + len(mark) :].removesuffix("$")))
    braces = 0
    for brace in _BRACE.finditer(tex):
        braces += {"{": 1, "}": -1}.get(brace[0], 0)
    made = in_dollars(paragraph, place, tex.rstrip(_ROW_END) + "}" * braces, "$" if mark in {"$", r"\("} else "$$")
    return paragraph[:place] + (made or "")


def open_marks(paragraph: str) -> list[str]:
    """Return the marks of the emphasis and code that a paragraph leaves open, outermost first."""
    text, ticks = _without_code(paragraph)
    return [*open_emphasis(hidden(text)), *([ticks] if ticks else [])]


def _without_code(paragraph: str) -> tuple[str, str]:
    """Return the paragraph with its code replaced by nodes, and the backticks of code that it leaves open."""
    pieces: list[str] = []
    done = 0
    ticks = ""
    for found in _TICKS.finditer(paragraph):
        mark = found.group()
        if mark.startswith("\\"):
            continue
        if not ticks:
            pieces.append(paragraph[done : found.start()])
            ticks = mark
        elif mark == ticks:
            pieces.append(NODE)
            ticks = ""
            done = found.end()
    if not ticks:
        pieces.append(paragraph[done:])
    return "".join(pieces), ticks
