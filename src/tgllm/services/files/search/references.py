"""Parts of a file that a question names, such as "page 37", "the last sheet" or "the next chapter"."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tgllm.services.files.search.terms import plain

__all__ = ["LAST", "Reference", "han_number", "number_of", "references_in", "unit_of"]

LAST: Final = "last"
"""Number of a part that is the last one."""
MOST_CHARS: Final = 4_000
MOST_REFERENCES: Final = 20
MOST_RANGE: Final = 200

_TOKEN: Final = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+|\.\.|[^\s\w]")
_ROMAN: Final = re.compile(r"(?=[ivxlc])(?:c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")
_HAN: Final = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"\u3007": 0, "两": 2}
_CHARACTERS: Final = re.compile(
    r"(?:第\s*(?P<first>\d+|[零〇一二三四五六七八九十百两]+)\s*(?:[-~\u301c至到]\s*第?\s*(?P<last>\d+))?\s*|(?P<bare>\d+)\s*(?:[-~\u301c至到]\s*(?P<end>\d+))?\s*)"
    r"(?P<unit>页|頁|ページ|페이지|쪽|章|장|节|節|절|条|條|조|行|행|列|枚目?のスライド|张幻灯片|幻灯片|슬라이드|枚目)"
    r"|(?:หน้า(?:ที่)?|スライド|シート|工作表|幻灯片|슬라이드|시트)\s*(?P<after>\d+)"
)
_CHARACTER_UNITS: Final = {
    **dict.fromkeys(("页", "頁", "ページ", "페이지", "쪽"), "page"),
    **dict.fromkeys(("章", "장"), "chapter"),
    **dict.fromkeys(("节", "節", "절"), "section"),
    **dict.fromkeys(("条", "條", "조"), "article"),
    **dict.fromkeys(("行", "행", "列"), "row"),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A part, or several in a row, that a question names."""

    unit: str
    """``page``, ``slide``, ``sheet``, ``row``, ``line``, ``chapter``, ``section``, ``article``, ``part``, ``appendix``
    or ``text``, the whole."""
    first: str
    """Its number, such as ``37`` or ``4.2``, or ``LAST``."""
    last: str = ""
    """Number of the last one of several; empty: there is one."""


@dataclass(frozen=True, slots=True)
class _Word:
    """Beginning of a word, or a whole word."""

    text: str
    is_whole: bool
    is_short: bool
    """Abbreviation that has to be followed by a full stop."""

    @classmethod
    def read(cls, text: str) -> "_Word":
        return cls(plain(text.rstrip("=.")), text.endswith("="), text.endswith("."))

    def fits(self, word: str, after: str) -> bool:
        if self.is_short:
            return word == self.text and after == "."
        return word == self.text if self.is_whole else word.startswith(self.text)


@dataclass(frozen=True, slots=True)
class _Words:
    units: Mapping[str, Sequence[_Word]]
    last: Sequence[_Word]
    ends: Sequence[str]
    next: Sequence[_Word]
    previous: Sequence[_Word]
    numbers: Mapping[str, Sequence[_Word]]
    between: frozenset[str]
    """What stands between the ends of a range."""
    joining: frozenset[str]
    skipped: frozenset[str]
    """What may stand between a unit and its number."""
    endings: frozenset[str]
    """What may stand between a number and its unit."""


@cache
def _words() -> _Words:
    tables = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

    def read(words: Sequence[str]) -> Sequence[_Word]:
        return tuple(map(_Word.read, words))

    return _Words(
        {unit: read(words) for unit, words in tables["units"].items()},
        read(tables["last"]["words"]),
        tuple(map(plain, tables["last"]["ends"])),
        read(tables["next"]["words"]),
        read(tables["previous"]["words"]),
        {number: read(words) for number, words in tables["numbers"].items()},
        *(frozenset(tables["around"][name].split()) for name in ("between", "joining", "skipped", "endings")),
    )


def unit_of(word: str, after: str = "") -> Sequence[str]:
    """Return the units that a word may name, such as row and line; ``after`` is what follows it."""
    found = plain(word)
    return [unit for unit, words in _words().units.items() if any(known.fits(found, after) for known in words)]


def number_of(word: str) -> str:
    """Return the number that a word is: digits, a Roman numeral, or the name of a small number; empty if none."""
    word = plain(word)
    if word[:1].isdigit():
        return ".".join(str(int(group)) for group in word.split(".") if group.isdecimal())
    if _ROMAN.fullmatch(word):
        return str(_roman(word))
    return next((number for number, words in _words().numbers.items() if any(w.fits(word, "") for w in words)), "")


def references_in(question: str, earlier: Sequence[str] = ()) -> list[Reference]:
    """Return the parts that a question names, in order.

    Args:
        question: any text.
        earlier: the questions before, oldest first, for "the next page".
    """
    known: list[Reference] = []
    for text in (*earlier, question):
        found = list(dict.fromkeys(_references(text[:MOST_CHARS], known)))[:MOST_REFERENCES]
        if text is question or found:
            known = found
    return known


def _references(text: str, before: Sequence[Reference]) -> Iterator[Reference]:
    lowered = plain(text)
    yield from _of_characters(lowered)
    tokens, unit_sign = _TOKEN.findall(lowered), "§"
    for index, token in enumerate(tokens):
        after = tokens[index + 1] if index + 1 < len(tokens) else ""
        units = unit_of(token, after) if token.isalpha() or token == unit_sign else ()
        for unit in units:
            yield from _after(unit, tokens, index + 1)
            yield from _in_front(unit, tokens, index, before)
    if not any(unit_of(token) for token in tokens) and before and len(tokens) < 12:
        # "And the next one?"
        yield from _relative(before[-1].unit, tokens, before)
    if any(end in lowered for end in _words().ends):
        yield Reference("text", LAST)


def _after(unit: str, tokens: Sequence[str], index: int) -> Iterator[Reference]:
    """Yield the parts whose numbers follow the word: "pages 3, 5 and 12-15"."""
    skipped = 0
    while index < len(tokens) and tokens[index] in _words().skipped and skipped < 3:
        index, skipped = index + 1, skipped + 1
    is_first = True
    while index < len(tokens):
        number = number_of(tokens[index])
        # A word such as "one" after "page" is a number, and a letter such as "c" after "row" is not.
        if not number or (not is_first and not tokens[index][0].isdigit()) or tokens[index] in {"c", "l"}:
            return
        last = ""
        if index + 2 < len(tokens) and tokens[index + 1] in _words().between and tokens[index + 2][0].isdigit():
            last = number_of(tokens[index + 2])
            index += 2
        yield _range(unit, number, last)
        if index + 2 >= len(tokens) or tokens[index + 1] not in _words().joining:
            return
        index, is_first = index + 2, False
        if index + 1 < len(tokens) and tokens[index] in _words().joining:
            index += 1


def _in_front(unit: str, tokens: Sequence[str], index: int, before: Sequence[Reference]) -> Iterator[Reference]:
    """Yield the part whose number stands before the word: "the 37th page", "37-я страница", "the last page"."""
    words = _words()
    front = tokens[max(index - 4, 0) : index]
    while front and (front[-1] in words.endings or front[-1] == "-"):
        front = front[:-1]
    if not front:
        return
    word = front[-1]
    if word[0].isdigit():
        if len(front) < index - max(index - 4, 0):
            yield Reference(unit, number_of(word))
        return
    if any(known.fits(word, "") for known in words.last):
        yield Reference(unit, LAST)
    elif number := next((n for n, known in words.numbers.items() if any(w.fits(word, "") for w in known)), ""):
        yield Reference(unit, number)
    else:
        yield from _relative(unit, front[-1:], before)


def _relative(unit: str, tokens: Sequence[str], before: Sequence[Reference]) -> Iterator[Reference]:
    """Yield the part before or after the last one of the questions before."""
    words = _words()
    known = next((found for found in reversed(before) if found.unit == unit and found.first != LAST), None)
    if known is None:
        return
    for step, after in ((1, words.next), (-1, words.previous)):
        if any(word.fits(token, "") for token in tokens for word in after):
            *outer, number = (known.last or known.first).split(".") if step > 0 else known.first.split(".")
            yield Reference(unit, ".".join([*outer, str(max(int(number) + step, 1))]))


def _of_characters(text: str) -> Iterator[Reference]:
    for found in _CHARACTERS.finditer(text):
        if found["after"]:
            unit = "page" if found[0].startswith("ห") else "sheet" if found[0][0] in "シ工시" else "slide"
            yield Reference(unit, str(int(found["after"])))
            continue
        number = found["first"] or found["bare"]
        unit = _CHARACTER_UNITS.get(found["unit"], "slide")
        yield _range(unit, han_number(number), found["last"] or found["end"] or "")


def _range(unit: str, first: str, last: str) -> Reference:
    if not (first.isdecimal() and last.isdecimal()) or not int(first) < int(last):
        return Reference(unit, first)
    return Reference(unit, str(int(first)), str(min(int(last), int(first) + MOST_RANGE)))


def _roman(word: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}[char] for char in word]
    return sum(-value if value < max(values[i + 1 :], default=0) else value for i, value in enumerate(values))


def han_number(word: str) -> str:
    """Return the value of a Chinese number below 1000, in digits."""
    if word.isdecimal():
        return str(int(word))
    total = digit = 0
    for char in word:
        if char in "十百":
            total += (digit or 1) * (10 if char == "十" else 100)
            digit = 0
        else:
            digit = _HAN.get(char, 0)
    return str(total + digit)
