"""Pairs the runs of a paragraph that open and close emphasis. CommonMark: "process emphasis"."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tgllm.bot.rendering.document import Style
from tgllm.bot.rendering.emphasis.characters import WORD, kind_of
from tgllm.bot.rendering.emphasis.flanking import Flanking
from tgllm.bot.rendering.emphasis.hidden import MARKS, STAR, TILDE, UNDERSCORE, shown
from tgllm.bot.rendering.emphasis.roles import STRONG, Role

__all__ = ["Run", "matched_runs", "open_emphasis"]

_ADDRESS_OR_RUN = re.compile(
    rf"(?P<address>(?:https?://|www\.)(?:[!-;=?-~]|[{MARKS}])*+)|{STAR}++|{UNDERSCORE}++|{TILDE}++", re.IGNORECASE
)
_RUN = re.compile(rf"{STAR}++|{UNDERSCORE}++|{TILDE}++")
_INSIDE_ADDRESS = re.compile(r"[.?]*+[\w/=&%#~+$@-]", re.ASCII)
_BRACKET = re.compile(r"[()\[\]{}]")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_PAIR = 2
_RULE_OF = 3


@dataclass(slots=True)
class Run:
    """A run of one mark, and the formats that begin and end at it."""

    mark: str
    start: int
    end: int
    opens: int
    closes: int
    is_before_letter: bool
    left: int
    """How many of its characters are text."""
    ended: list[Style] = field(default_factory=list[Style])
    """Formats that end at it, innermost first."""
    begun: list[Style] = field(default_factory=list[Style])
    """Formats that begin at it, innermost first."""

    @property
    def size(self) -> int:
        return self.end - self.start


def matched_runs(text: str, *, is_growing: bool = False) -> tuple[list[Run], list[Style]]:
    """Return the runs of a paragraph, and the formats to end after it, innermost first.

    Args:
        text: with hidden marks.
        is_growing: whether the paragraph is unfinished. What is open at its end is emphasis then.
    """
    runs = [*_runs(text)]
    open_runs = _Matching(text).match(runs, is_growing=is_growing)
    return runs, _ended_after(text, runs, open_runs) if is_growing else []


def open_emphasis(text: str) -> list[str]:
    """Return the marks of the emphasis that text with hidden marks leaves open, outermost first."""
    runs = [*_runs(text)]
    open_runs = _Matching(text).match(runs)
    return [shown(run.mark) * run.left for run in _emphasis(text, runs, open_runs)]


def _runs(text: str) -> Iterator[Run]:
    flanking = Flanking(text)
    for found in _ADDRESS_OR_RUN.finditer(text):
        if found["address"] is None:
            yield _run(text, found, flanking.role(*found.span()))
            continue
        for inner in _RUN.finditer(text, *found.span()):
            is_inside = _INSIDE_ADDRESS.match(text, inner.end()) or text[inner.end() : inner.end() + 1] in (*MARKS,)
            yield _run(text, inner, (0, 0) if is_inside else flanking.role(*inner.span()))


def _run(text: str, found: re.Match[str], role: Role) -> Run:
    start, end = found.span()
    is_before_letter = text[end : end + 1].isalnum()
    return Run(text[start], start, end, *role, is_before_letter, end - start)


def _brackets(text: str) -> list[tuple[int, bool]]:
    """Return the places of the brackets that belong together, and whether each of them opens."""
    opened: list[tuple[int, str]] = []
    found: list[tuple[int, bool]] = []
    for bracket in _BRACKET.finditer(text):
        char = bracket[0]
        if char in _CLOSING:
            opened.append((bracket.start(), _CLOSING[char]))
        elif opened and opened[-1][1] == char:
            found += (opened.pop()[0], True), (bracket.start(), False)
    return sorted(found)


class _Matching:
    """A stack of the runs that may open emphasis, and how deep it has been searched in vain.

    What is opened between brackets ends there, and one asterisk or underscore closes nothing from outside of them, as
    in ``f(*args)`` and ``(int*)``.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._stack: list[Run] = []
        self._bottoms: dict[tuple[str, int, bool, int, int], int] = {}
        self._brackets = _brackets(text)
        self._passed = 0
        """How many brackets stand before the run."""
        self._inside = [-1]
        """Places of the brackets that are open there."""

    def match(self, runs: list[Run], *, is_growing: bool = False) -> list[Run]:
        """Pair the runs; return those that stay open."""
        for run in runs:
            self._pass_brackets(run.start)
            if is_growing and run.end == len(self._text) and self._is_half(run):
                run.closes = run.left = 0
            while run.closes and run.left and (index := self._opener_of(run)) is not None:
                self._pair(index, run)
            if run.opens and run.left:
                self._stack.append(run)
        if self._brackets:
            self._pass_brackets(self._brackets[-1][0] + 1)
        return self._stack

    def _is_half(self, run: Run) -> bool:
        """Return whether a run at the end of unfinished text is the beginning of a longer one, or opens emphasis."""
        openers = [opener for opener in self._stack if opener.mark == run.mark and opener.opens == STRONG]
        if openers and run.closes:
            return run.left < openers[-1].left
        before = self._text[run.start - 1 : run.start]
        if not before or before.isspace() or before in MARKS.replace(run.mark, ""):
            return before != UNDERSCORE or run.size > 1
        return run.mark != UNDERSCORE and before != "/" and (run.size > 1 or kind_of(before) != WORD)

    def _pass_brackets(self, place: int) -> None:
        while self._passed < len(self._brackets) and self._brackets[self._passed][0] < place:
            bracket, is_opening = self._brackets[self._passed]
            self._passed += 1
            if is_opening:
                self._inside.append(bracket)
                continue
            start = self._inside.pop()
            while self._stack and self._stack[-1].start > start:
                del self._stack[-1]

    def _opener_of(self, run: Run) -> int | None:
        inside = self._inside[-1] if run.size == 1 else -1
        key = (run.mark, run.closes, run.opens > 0, run.size % _RULE_OF, inside)
        bottom = max(self._bottoms.get(key, -1), inside)
        for index in range(len(self._stack) - 1, -1, -1):
            opener = self._stack[index]
            if opener.start < bottom:
                break
            if opener.mark == run.mark and self._is_pair(opener, run):
                return index
        self._bottoms[key] = run.start
        return None

    def _is_pair(self, opener: Run, closer: Run) -> bool:
        if STRONG not in (opener.opens, closer.closes):
            return False
        sizes = opener.size, closer.size
        if (opener.closes or closer.opens) and sum(sizes) % _RULE_OF == 0 and any(size % _RULE_OF for size in sizes):
            return False
        # One letter between letters may be a factor of a product.
        is_factor = sizes == (1, 1) and closer.start - opener.end == 1 and opener.closes and closer.opens
        return not (is_factor and opener.is_before_letter and closer.is_before_letter)

    def _pair(self, index: int, closer: Run) -> None:
        opener = self._stack[index]
        # What is opened between the two, and not closed there, is text.
        del self._stack[index + 1 :]
        used = min(_PAIR, opener.left, closer.left)
        style: Style = "strikethrough" if closer.mark == TILDE else "bold" if used == _PAIR else "italic"
        opener.begun.append(style)
        closer.ended.append(style)
        opener.left -= used
        closer.left -= used
        if not opener.left:
            del self._stack[index]


def _ended_after(text: str, runs: list[Run], open_runs: list[Run]) -> list[Style]:
    ended: list[Style] = []
    for run in reversed(_emphasis(text, runs, open_runs)):
        while run.left:
            used = min(_PAIR, run.left)
            style: Style = "strikethrough" if run.mark == TILDE else "bold" if used == _PAIR else "italic"
            run.begun.append(style)
            ended.append(style)
            run.left -= used
    return ended


def _emphasis(text: str, runs: list[Run], open_runs: list[Run]) -> list[Run]:
    """Return the runs that begin emphasis, of those that are open at the end of an unfinished text.

    Several runs of one kind, as in ``**kwargs and **args``, are text; so is one mark if others are text too, as
    in ``*p = a*b``; and an underscore may begin a name.
    """
    ones = Counter(run.mark for run in runs if run.left and run.size == 1)
    counts = Counter((run.mark, run.size) for run in open_runs)
    last_space = text.rfind(" ")

    def is_emphasis(run: Run) -> bool:
        if run.opens != STRONG or counts[run.mark, run.size] > 1:
            return False
        is_only = run.size > 1 or ones[run.mark] == 1
        return is_only and (run.mark != UNDERSCORE or last_space > run.end)

    return [*filter(is_emphasis, open_runs)]
