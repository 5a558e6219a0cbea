"""Writes the tokens of a formula as text."""

from collections.abc import Mapping

from tgllm.bot.rendering.tex.commands import (
    ARROWS,
    BINOMIALS,
    DROPPED,
    FRACTIONS,
    IN_SETS,
    LINES,
    MATRICES,
    OPENINGS,
    OTHERS,
    PAIRS,
    STACKED,
    STYLES,
    SWITCHES,
    TEXTS,
    WITH_COLUMNS,
)
from tgllm.bot.rendering.tex.line import Line
from tgllm.bot.rendering.tex.scripts import accented, chemical, negated, root, script
from tgllm.bot.rendering.tex.symbols import ACCENTS, BLACKBOARD, DELIMITERS, FUNCTIONS, SPACED, SPACES, SYMBOLS

__all__ = ["TooDeepError", "UnknownEnvironmentError", "Writer"]

MOST_LEVELS = 14
"""Most levels of groups and arguments."""


class TooDeepError(Exception):
    """Raised for a formula whose groups are nested too deep."""


class UnknownEnvironmentError(Exception):
    """Raised for an environment that has no form as text."""


class Writer:
    """Reads tokens from left to right; each is written once."""

    def __init__(self, items: list[str], pairs: Mapping[int, int]) -> None:
        self._items = items
        self._pairs = pairs
        self._level = 0

    def text(self) -> str:
        """Return the whole formula."""
        return self._sequence(0, len(self._items))

    def _sequence(self, place: int, stop: int) -> str:
        line = Line()
        while place < stop:
            item = self._items[place]
            if item in {"\\over", "\\choose"}:
                self._descend()
                below = self._sequence(place + 1, stop)
                self._level -= 1
                above, line = line.text(), Line()
                if item == "\\over":
                    line.fraction(above, below)
                else:
                    line.add(_binomial(above, below))
                break
            place = self._atom(line, place, stop)
        return line.text()

    def _descend(self) -> None:
        if self._level == MOST_LEVELS:
            raise TooDeepError
        self._level += 1

    def _argument(self, place: int, stop: int, *, is_script: bool = False) -> tuple[str, int]:
        """Return the text of a command's argument or of a script, and the place behind it."""
        place = self._behind_spaces(place, stop)
        if place >= stop:
            return "", place
        end = self._pairs.get(place)
        item = self._items[place]
        if end is not None and (item == "{" or (item == "(" and is_script)):
            return self._sequence(place + 1, min(end, stop)), end + 1
        if end is not None and end < stop and item in {"(", "["}:
            return item + self._sequence(place + 1, end) + self._items[end], end + 1
        line = Line()
        place = self._atom(line, place, stop)
        return line.text(), place

    def _atom(self, line: Line, place: int, stop: int) -> int:
        """Write what begins at a place; return the place behind it."""
        self._descend()
        item = self._items[place]
        if item in {"^", "_"}:
            content, place = self._argument(place + 1, stop, is_script=True)
            line.script(script(item, content))
        elif item == "{":
            place = self._group(line, place, stop)
        elif item.startswith("\\") and len(item) > 1:
            place = self._command(line, place, stop)
        else:
            line.add(" " if item.isspace() or item in "~&" else item)
            place += 1
        self._level -= 1
        return place

    def _group(self, line: Line, place: int, stop: int) -> int:
        """Write a group; the braces are shown if they are those of a set."""
        end = min(self._pairs[place], stop)
        content = self._sequence(place + 1, end)
        is_set = len(content) > 1 and not IN_SETS.isdisjoint(content) and "\\" not in "".join(self._items[place:end])
        line.add(f"{{{content}}}" if is_set else content)
        return end + 1

    def _command(self, line: Line, place: int, stop: int) -> int:  # noqa: C901, PLR0912  one case for each kind of command
        name = self._items[place][1:]
        place += 1
        if (spaced := SPACED.get(name)) is not None:
            line.operator(spaced)
        elif (symbol := SYMBOLS.get(name, DELIMITERS.get(name, SPACES.get(name)))) is not None:
            line.add(symbol)
        elif name in FUNCTIONS:
            line.name(name)
        elif name == "\\":
            line.add("\n")
            return self._behind_option(place, stop)
        elif name in SWITCHES:
            pass
        elif name in FRACTIONS or name in BINOMIALS or name in STACKED:
            first, place = self._argument(place, stop)
            second, place = self._argument(place, stop)
            if name in FRACTIONS:
                line.fraction(first, second)
            elif name in BINOMIALS:
                line.add(_binomial(first, second))
            else:
                line.add(second)
                line.script(script(STACKED[name], first))
        elif name == "sqrt":
            return self._root(line, place, stop)
        elif name == "left":
            return self._delimited(line, place, stop)
        elif name.startswith("begin") and name.endswith("}"):
            return self._environment(line, place, stop)
        elif name in TEXTS:
            return self._verbatim(line, place, stop)
        elif name in ACCENTS or name in STYLES or name in DROPPED or name in OTHERS:
            content, place = self._argument(place, stop)
            self._with_argument(line, name, content)
        elif not name.isalpha():
            line.add(name)
        else:
            return self._unknown(line, place, stop)
        return place

    def _with_argument(self, line: Line, name: str, content: str) -> None:
        if name in ACCENTS:
            line.add(accented(name, content))
        elif name in STYLES:
            line.add(content)
        elif name.startswith("operatorname"):
            line.name(content)
        elif name == "mathbb":
            line.add(content.translate(BLACKBOARD))
        elif name in {"pmod", "tag"}:
            line.add(f" (mod {content})" if name == "pmod" else f" ({content})")
        elif name == "substack":
            line.add(", ".join(content.split("\n")))
        elif name == "not":
            line.operator(negated(content))
        elif name in ARROWS:
            line.operator(ARROWS[name] + script("^", content))

    def _root(self, line: Line, place: int, stop: int) -> int:
        degree = ""
        start = self._behind_spaces(place, stop)
        if start < stop and self._items[start] == "[" and (end := self._pairs.get(start, stop)) < stop:
            degree = self._sequence(start + 1, end)
            place = end + 1
        content, place = self._argument(place, stop)
        line.add(root(content, degree))
        return place

    def _delimited(self, line: Line, place: int, stop: int) -> int:
        r"""Write what is between ``\left`` and ``\right``; an invisible bracket is shown if the other one is."""
        end = self._pairs[place - 1]
        opening, place = self._delimiter(place, min(end, stop))
        content = self._sequence(place, min(end, stop))
        closing, place = self._delimiter(end + 1, stop)
        opening = opening or OPENINGS.get(closing, "")
        line.add(opening + content.strip() + (closing or PAIRS.get(opening, "")))
        return place

    def _delimiter(self, place: int, stop: int) -> tuple[str, int]:
        place = self._behind_spaces(place, stop)
        if place >= stop:
            return "", place
        item = self._items[place]
        name = item.removeprefix("\\")
        return ("" if item == "." else DELIMITERS.get(name, item) if item != name else item), place + 1

    def _environment(self, line: Line, place: int, stop: int) -> int:
        name = self._items[place - 1].partition("{")[2].rstrip("*}").strip()
        end = self._pairs[place - 1]
        if name not in LINES and name not in MATRICES:
            raise UnknownEnvironmentError
        start = self._behind_option(place, stop)
        if name in WITH_COLUMNS:
            _, start = self._argument(start, stop)
        rows = self._rows(start, min(end, stop))
        if not rows:
            pass
        elif name in LINES:
            line.add("\n".join(" ".join(row) for row in rows))
        else:
            opening, closing = MATRICES[name]
            line.add(opening + "; ".join(", ".join(cell.strip(" ,") for cell in row) for row in rows) + closing)
        return end + 1

    def _rows(self, place: int, stop: int) -> list[list[str]]:
        rows: list[list[str]] = [[]]
        start = place
        while place < stop:
            item = self._items[place]
            if item not in {"&", "\\\\"}:
                place = min(self._pairs.get(place, place), stop) + 1
                continue
            rows[-1].append(self._sequence(start, place))
            start = place + 1
            if item == "\\\\":
                start = self._behind_option(start, stop)
                rows.append([])
            place = start
        rows[-1].append(self._sequence(min(start, stop), stop))
        return [row for row in rows if any(cell.strip() for cell in row)]

    def _verbatim(self, line: Line, place: int, stop: int) -> int:
        start = self._behind_spaces(place, stop)
        end = self._pairs.get(start)
        if end is None or self._items[start] != "{":
            content, place = self._argument(place, stop)
            line.add(content)
            return place
        words = self._items[start + 1 : min(end, stop)]
        text = "".join([" " if word == "~" else _unescaped(word) for word in words if word not in {"{", "}", "$"}])
        line.add(chemical(text) if self._items[place - 1] == "\\ce" else text)
        return end + 1

    def _unknown(self, line: Line, place: int, stop: int) -> int:
        line.add(self._items[place - 1])
        while place < stop and self._items[place] == "{":
            end = min(self._pairs[place], stop)
            line.add(f"{{{self._sequence(place + 1, end)}}}")
            place = end + 1
        return place

    def _behind_spaces(self, place: int, stop: int) -> int:
        while place < stop and self._items[place].isspace():
            place += 1
        return place

    def _behind_option(self, place: int, stop: int) -> int:
        """Return the place behind an option in brackets, such as the distance to the next row."""
        if place < stop and self._items[place] == "[" and (end := self._pairs.get(place, stop)) < stop:
            return end + 1
        return place


def _binomial(above: str, below: str) -> str:
    return f"C({above.strip()}, {below.strip()})"


def _unescaped(word: str) -> str:
    """Return an escaped character, or a command as it is."""
    return word[1:] if len(word) > 1 and word[0] == "\\" and not word[1].isalpha() else word
