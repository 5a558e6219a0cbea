"""Rendering takes time in proportion to the length of the answer, whatever the answer."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from benchmarks.shapes import SHAPES
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tgllm.bot import rendering
from tgllm.bot.rendering.payloads import EntityText, RichMode
from tgllm.bot.rendering.render import asks_for_rich, render, render_beginning, render_draft
from work_support import lines_run

pytestmark = pytest.mark.once

FRAGMENTS = [
    *"*_~`#>-+.[]()!|\\$<&\"'a1 \n\t",
    "** ", "__", "~~", "``", "```\n", "~~~\n", "- ", "1. ", "> ", "    ", "\n\n", "[a]", "](", "[a]: b\n", "![",
    "[^1]", "[^1]: ", "<think>\n", "</think>", "<details>", "</details>\n", "<summary>", "<div>\n", "<br>", "<!--",
    "<b>", "</b>", "<i>", "</i>", "<code>", "</code>", "<ul>\n", "<li>", "</ul>\n", "<table>\n", "<tr>", "<td>",
    "</table>", "<blockquote>\n", "</blockquote>\n", "<pre>", "</pre>", "<p>", "</p>\n", "||", "> [!NOTE]\n",
    "```md\n", "```py\n", "  - ",
    "$$", "\\(", "\\)", "\\[", "\\]", "\\frac{", "}", "^{", "|a", "|-|-|\n", "a|b\n-|-\n", "https://a.b/", "<a@b.c>",
    "&amp;", "- [ ] ", "🎉", "\u0301", "\u200d", "\ud83c", "\f", "\r", "**a** ", "` ` ", "$5", "word ",
]  # fmt: skip
SOURCES = st.tuples(
    st.lists(st.sampled_from(FRAGMENTS), max_size=3).map("".join),
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4).map("".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=2).map("".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=3).map("".join),
)
SHORT, LONG = 4_500, 18_000
"""Lengths that are compared; both need more than one message."""
FEW = LONG
"""Lines that may be run besides: where a text is cut depends on its length."""


def work(source: str, *, rich: RichMode = "never") -> int:
    return lines_run(lambda: render(source, rich=rich))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_four_times_the_text_is_about_four_times_the_work(shape: Any) -> None:
    short, long = shape(SHORT), shape(LONG)
    of_short = work(short)
    assert work(long) < 5 * of_short + FEW
    assert of_short < 100 * len(short)


@settings(deadline=None, max_examples=25)
@given(SOURCES)
@example(("", "*", "", "a"))
@example(("", "> ", "\na", "b"))
@example(("</think>", "<think>\n", "", ""))
@example(("", "```\n<ul>\n", "", "*_"))
@example(("", "```\n<ul>\n", "", "*> [!NOTE]\n"))
def test_repetition_multiplies_the_work_and_no_more(source: tuple[str, str, str, str]) -> None:
    before, repeated, middle, also = source

    def of_length(length: int) -> str:
        times = length // len(repeated + also)
        return before + repeated * times + middle + also * times

    def is_in_proportion(length: int) -> bool:
        return work(of_length(4 * length), rich="always") < 5 * work(of_length(length), rich="always") + FEW

    # The shorter text may fit into one rich message, which is not cut at all. The step to several comes once, so that
    # what is in proportion passes with the longer ones.
    assert is_in_proportion(SHORT) or is_in_proportion(LONG)


@pytest.mark.parametrize("name", ["ordinary Markdown", "prose", "bold words", "list items", "stars before a letter"])
def test_a_draft_of_a_long_answer_costs_as_much_as_one_of_a_short_one(name: str) -> None:
    short, long = SHAPES[name](20_000), SHAPES[name](400_000)
    assert lines_run(lambda: render_draft(long)) < 2 * lines_run(lambda: render_draft(short))


@pytest.mark.parametrize(
    "function", [asks_for_rich, partial(render_beginning, limit=1000), partial(render, rich="always")]
)
def test_the_other_functions_are_linear_too(function: Callable[[str], object]) -> None:
    for name in ("ordinary Markdown", "table of many rows", "tasks"):
        short, long = SHAPES[name](SHORT), SHAPES[name](LONG)
        assert lines_run(lambda source=long: function(source)) < 5 * lines_run(lambda source=short: function(source))


def test_an_answer_of_any_shape_becomes_few_times_its_length() -> None:
    for name, shape in SHAPES.items():
        source = shape(20_000)
        texts = [payload.text for payload in render(source, rich="never") if isinstance(payload, EntityText)]
        assert sum(map(len, texts)) < 15 * len(source), name


# Regular expressions run in C, where no lines are counted. A quantifier that can give back what it matched, or begins
# a pattern that is searched for, may take quadratic time; each of those was checked by hand.
REVIEWED: Mapping[str, str] = {
    "alerts._KIND": "used with match",
    "emphasis.matching._INSIDE_ADDRESS": "used with match, once for each run of marks: dots that it passes hold none",
    "extracts._FENCE": "used with match",
    "extracts._MARKS": "used for cells of MOST_MARKED characters at most",
    "extracts._RULE": "used with fullmatch",
    "html.nodes._CODE": "used with fullmatch",
    "links.BARE_URL": "gives back the punctuation at its end; if all is punctuation, no other URL begins in it",
    "parse._PLAIN_TAG": "used with fullmatch",
    "parse._NUMBER": "used with match",
    "source.dollars._PERHAPS": "no repeat passes a dollar sign, so each part of the text is matched a few times",
    "source.dollars._BETWEEN": "used with fullmatch",
    "source.dollars._NAME": "used with fullmatch",
    "source.dollars._BEFORE_NAME": "used with fullmatch",
    "source.growing._HALF_LINE": "used with fullmatch",
    "source.lists._FENCE": "used with match",
    "source.lists._FENCE_END": "used with fullmatch",
    "source.nesting._RULE": "used with fullmatch",
    "source.preprocessing._QUOTE": "used with match",
    "tex.scripts._NUMBER": "used with fullmatch",
    "split._BREAKS": "gives back the white space behind its last newline, in which none begins",
}


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in pkgutil.walk_packages(rendering.__path__, rendering.__name__ + "."):
        for name, value in vars(importlib.import_module(module.name)).items():
            values: Any = value if isinstance(value, tuple) else [value]
            values = value.values() if isinstance(value, dict) else values
            for pattern in values:
                if isinstance(pattern, re.Pattern):
                    yield f"{module.name.removeprefix(rendering.__name__ + '.')}.{name}", pattern


def is_doubtful(items: Any, *, begins: bool = True) -> bool:
    """Return whether a parsed pattern has a repeat that gives back or that begins what is searched for."""
    for index, (operator, argument) in enumerate(items):
        is_first = begins and index == 0
        match str(operator):
            case "MAX_REPEAT" | "MIN_REPEAT" if argument[1] > 50:
                return True
            case "POSSESSIVE_REPEAT" if argument[1] > 50 and is_first and len(items) > 1:
                return True
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                inner = [argument[2]]
            case "BRANCH":
                inner = argument[1]
            case "SUBPATTERN":
                inner = [argument[3]]
            case "ASSERT" | "ASSERT_NOT":
                inner, is_first = [argument[1]], False
            case "ATOMIC_GROUP":
                inner = [argument]
            case _:
                inner = []
        if any(is_doubtful(one, begins=is_first) for one in inner):
            return True
    return False


def test_each_pattern_that_may_backtrack_was_reviewed() -> None:
    parse = importlib.import_module("re._parser").parse
    found = {name for name, pattern in patterns() if is_doubtful(parse(pattern.pattern, pattern.flags))}
    assert {name for name in found if name != "rich.BARE_URL"} == set(REVIEWED)


@pytest.mark.parametrize("pattern", [r"a*b", r"(?:ab)+", r"x(a|b)*?y", r"[ab]++c", r"(?=a*b)c"])
def test_the_review_notices_what_may_backtrack(pattern: str) -> None:
    assert is_doubtful(importlib.import_module("re._parser").parse(pattern))


@pytest.mark.parametrize("pattern", [r"\na*+b", r"^[ab]++c", r"[ab]++", r"(?>x[ab]*+)y", r"a{1,9}b"])
def test_the_review_accepts_what_may_not(pattern: str) -> None:
    assert not is_doubtful(importlib.import_module("re._parser").parse(pattern))
