"""Markdown of any length in shapes that are known to make renderers slow, and some ordinary ones."""

from collections.abc import Callable, Mapping
from itertools import count, takewhile

__all__ = ["ORDINARY", "SHAPES", "Shape"]

Shape = Callable[[int], str]
"""Returns about so many characters of Markdown."""

ORDINARY = """\
## What changes

The **writer task** takes one unit at a time, so `BEGIN IMMEDIATE` never waits for another of ours; see
[the manual](https://sqlite.org/lang_transaction.html) for *why* a deferred one may fail at once.

1. Open the connection, and set `PRAGMA synchronous=FULL`.
2. Begin, run the unit, commit.
   - A failure rolls back **only** that unit.

```python
async def write(self, unit):
    async with self._lock:
        return await self._thread.run(unit)
```

> A reader has a connection of its own, and never waits for a writer.

| step | milliseconds | share |
|:-----|-------------:|------:|
| begin | 0.02 | 4 % |
| commit | 0.41 | 96 % |

The time of a commit is about $t = n \\cdot c$ for n pages. It is not much; it is paid once for each message.

"""
_PROSE = "A sentence like any other, in a paragraph of six of them. " * 6 + "\n\n"


def _repeated(fragment: str, before: str = "", after: str = "") -> Shape:
    return lambda length: before + (fragment * (length // len(fragment) + 1))[:length] + after


def _opened(opening: str, fragment: str) -> Shape:
    """Half of the openings, then half of what follows them."""
    return lambda length: _repeated(opening)(length // 2) + "a\n" + _repeated(fragment)(length // 2)


def _growing(line: Callable[[int], str]) -> Shape:
    """Lines or pieces that grow, as many as fit."""

    def shape(length: int) -> str:
        sizes = takewhile(lambda size: size * size < 2 * length, count(1))
        return "".join(map(line, sizes))[:length]

    return shape


def _wide_table(row: str) -> Shape:
    def shape(length: int) -> str:
        columns = length // 16
        return "|a" * columns + "|\n" + "|-" * columns + "|\n" + _repeated(row)(length // 2)

    return shape


def _numbered(line: Callable[[int], str]) -> Shape:
    return lambda length: "".join(map(line, range(length // len(line(1000)))))


SHAPES: Mapping[str, Shape] = {
    "ordinary Markdown": _repeated(ORDINARY),
    "prose": _repeated(_PROSE),
    "one long line": _repeated("word "),
    "one long word": _repeated("x"),
    "short lines": _repeated("x\n"),
    "stars before a letter": _repeated("*", after="a b b c"),
    "underscores before a letter": _repeated("_", after="a b b c"),
    "tildes before a letter": _repeated("~", after="a b b c"),
    "backticks before a letter": _repeated("`", after="a b b c"),
    "runs of backticks": _growing(lambda size: "`" * size + " "),
    "quotes between backticks": _repeated('` " ` " '),
    "blank code": _repeated("` ` a "),
    "blank code, bold": _repeated("**` ` a** "),
    "unclosed emphasis": _repeated("*a "),
    "emphasis of two kinds": _repeated("*a_b "),
    "emphasis that overlaps": _repeated("a**b*c* "),
    "nested emphasis": lambda length: "*a " * (length // 4) + "*" * (length // 4),
    "bold words": _repeated("**a** "),
    "long bold with code": _repeated("word `c` ", "**", "**"),
    "products": _repeated("2*a*b "),
    "names with underscores": _repeated("_a_b "),
    "one long name": _repeated("_a"),
    "emphasis in scripts without spaces": _repeated("**「甲」**乙"),
    "emphasis that ends in brackets": _opened("(*a ", "b*) "),
    "emphasis that ends behind brackets": _opened("(**a ", ") b** "),
    "emphasis that may be operators": _opened('"**a ', 'a"**b '),
    "equals signs and products": _repeated("甲=乙*丙 "),
    "escaped marks": _repeated("\\*a"),
    "reasoning, closed once": _repeated("<think>\n", after="</think>"),
    "reasoning, closed first": _repeated("<think>\n", "</think>\n"),
    "reasoning, other tag": _repeated("<think>\n", after="</thinking>"),
    "angle brackets": _repeated("<"),
    "unclosed tags": _repeated("<a "),
    "nested HTML": lambda length: "<div>" * (length // 11) + "</div>" * (length // 11),
    "HTML in HTML": _growing(lambda size: "> " * size + "<div>\n"),
    "HTML lines": _repeated("<b>\n\n"),
    "HTML formats": _repeated("<b>a</b> "),
    "unclosed HTML formats": _repeated("<b>a "),
    "HTML formats that overlap": _repeated("<b>a<i>b</b>c</i>"),
    "HTML formats over paragraphs": lambda length: "<b>" + _repeated("a word\n\n")(length) + "</b>",
    "HTML lists": lambda length: _repeated("<ul>\n<li>a\n")(length // 2) + _repeated("</ul>\n")(length // 2),
    "HTML items": _repeated("<li>a</li>\n", "<ul>\n", "</ul>"),
    "HTML tables": _repeated("<tr><td>a</td><td>b</td></tr>\n", "<table>\n", "</table>"),
    "HTML table with a wide row": lambda length: (
        "<table>\n<tr>" + "<td>a" * (length // 10) + "\n" + "<tr><td>b\n" * (length // 20) + "</table>"
    ),
    "preformatted HTML": _repeated("<pre>a\n"),
    "spoilers": _repeated("||a|| "),
    "bars": _repeated("a||b "),
    "alerts": _repeated("> [!NOTE]\n> a\n\n"),
    "nested fences": _repeated("```md\n```py\n"),
    "nested fences, closed": _repeated("```md\n```py\na\n```\n```\n"),
    "comments": _repeated("a <!-- "),
    "details": _repeated("<details>"),
    "details with unclosed summaries": _repeated("<details><summary>"),
    "details and spaces": _repeated("<details>" + " " * 100),
    "closing details": _repeated("</details "),
    "brackets": _repeated("["),
    "images": _repeated("!["),
    "closing brackets": _repeated("]("),
    "half links": _repeated("[a]("),
    "half links with titles": _repeated('[a](b "'),
    "links in links": lambda length: "![" * (length // 7) + "](a)" * (length // 7),
    "links": _repeated("[a](http://b.c) "),
    "links of other schemes": _repeated("[a](b:c) "),
    "long mail address": _repeated("a.", "[a](mailto:a@", ")"),
    "long URL with accents": _repeated("\u0301\u0316", "[a](http://", ")"),
    "bare URLs": _repeated("https://"),
    "dots after a URL": _repeated(".", "https://"),
    "quote markers": _repeated(">"),
    "deep quotes": _repeated(">" * 90 + " a\n\n"),
    "lines below deep quotes": _opened(">", "b\n"),
    "lines below deep lists": _opened("- ", "b\n"),
    "backticks below deep lists": _opened("- ", "`\n"),
    "blank lines in deep lists": _opened("* ", "\n"),
    "indented lists": _growing(lambda size: "  " * size + "- a\n"),
    "list items": _repeated("- a\n"),
    "loosely indented lists": _repeated("1. a\n  - b\n c\n   d\n"),
    "lists of many markers": _repeated("- 1. * 2) - a\n"),
    "code in deep lists": lambda length: (
        "".join("  " * level + "- a\n" for level in range(20)) + " " * 40 + "```\n" + _repeated("a\n")(length)
    ),
    "tasks": _repeated("- [ ] a\n"),
    "numbers": _repeated("1. "),
    "headings": _repeated("# a\n"),
    "rules of stars": _repeated("* * * a\n"),
    "table of many columns": lambda length: "|a" * (length // 4) + "|\n" + "|-" * (length // 4) + "|",
    "wide table of empty rows": _wide_table("|\n"),
    "wide table of short rows": _wide_table("a\n"),
    "table of many rows": _repeated("|a|b|\n", "|a|b|\n|-|-|\n"),
    "rows below a long name": lambda length: "|" + "a" * (length // 2) + "|\n|-|\n" + "|b|\n" * (length // 8),
    "table of a long cell": lambda length: "|a" * 21 + "|\n" + "|-" * 21 + "|\n|" + "a" * length + "|\n" + "|b\n" * 40,
    "pipes": _repeated("|"),
    "tables": _repeated("a|b\n-|-\n\n"),
    "dollar signs": _repeated("$"),
    "unclosed formulas": _repeated("$a "),
    "unclosed display formulas": _repeated("$$a\n"),
    "prices": _repeated("$5-$6, "),
    "prices and digits": _repeated("$a$1"),
    "dollar signs in code": _repeated("`a$"),
    "formulas": _repeated("$x^2$ "),
    "unclosed parentheses of formulas": _repeated("\\(a "),
    "unclosed brackets of formulas": _repeated("\\[a\n"),
    "open fractions": _repeated("\\frac{", "$", "$"),
    "braces in a formula": _repeated("{", "$", "$"),
    "scripts of scripts": _repeated("x^{", "$", "$"),
    "long scripts": _repeated("x_{a,b}", "$", "$"),
    "functions and fractions": _repeated("\\sin\\frac12x", "$", "$"),
    "rows of a matrix": _repeated("a&b\\\\", "$\\begin{matrix}", "\\end{matrix}$"),
    "brackets in a formula": _repeated("([", "$", "$"),
    "unclosed formulas in quotes": _repeated("> $$\n> a\n>\n"),
    "backslashes": _repeated("\\"),
    "footnotes": _numbered(lambda number: f"[^{number}] \n\n[^{number}]: a\n\n"),
    "unused link definitions": _numbered(lambda number: f"[a{number}]: b\n"),
    "link definitions": _numbered(lambda number: f"[a{number}] \n\n[a{number}]: b\n\n"),
    "a long link definition": lambda length: "[a]: " + "b" * (length // 2) + "\n\n" + "[a] " * (length // 8),
    "entities": _repeated("&amp"),
    "fences": _repeated("```\n"),
    "fences that grow": _growing(lambda size: "`" * (size + 2) + "\n"),
    "an open fence": _repeated("a b\n", "```\n"),
    "spaces in code": lambda length: "```\n" + "x" * 4096 + " " * length + "x",
    "emoji": _repeated("👨‍👩‍👧‍👦"),
    "combining marks": _repeated("\u0301", "a"),
    "lone surrogates": _repeated("\ud83c "),
    "spaces": _repeated(" ", after="x"),
    "newlines": _repeated("\n", "x", "x"),
    "form feeds": _repeated("\x0c", after="x"),
    "carriage returns": _repeated("\r", after="x"),
}
