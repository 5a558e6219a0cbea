"""Reading formats takes work in proportion to the text and its entities, whatever they are."""

from collections.abc import Callable
from typing import Any

import pytest

from tgllm.bot.updates.address import without_mentions
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.formats.written import joined, read_written
from work_support import lines_run

KINDS = ["bold", "italic", "underline", "strikethrough", "spoiler", "text_link", "code", "pre", "blockquote"]
SHORT, LONG = 300, 1_200

Shape = Callable[[int], tuple[str, list[dict[str, Any]]]]


def entity(kind: str, offset: int, length: int, number: int = 0) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, "url": f"u:{number % 5}"}


SHAPES: dict[str, Shape] = {
    "overlapping": lambda n: ("abc d\nef " * n, [entity(KINDS[i % 9], 9 * i, 50 + i % 17, i) for i in range(n)]),
    "nested": lambda n: ("ab " * n, [entity(KINDS[i % 6], i, 3 * n - 2 * i, i) for i in range(n)]),
    "crossing": lambda n: ("a" * n, [entity(KINDS[i % 6], i, 7 + i % 3) for i in range(n)]),
    "at one place": lambda n: ("a" * n, [entity(KINDS[i % 9], 0, i + 1, i) for i in range(n)]),
    "over many lines": lambda n: ("a\n" * n, [entity(kind, 0, 2 * n) for kind in KINDS[:6]]),
    "over spaces": lambda n: (f"a{' ' * n}b", [entity(KINDS[i % 6], i, n) for i in range(n)]),
    "over backticks": lambda n: ("`a" * n, [entity("code", 2 * i, 2) for i in range(n)]),
    "blocks in quotes": lambda n: ("ab\n" * n, [entity(KINDS[7 + i % 2], i, 9, i) for i in range(n)]),
    "mentions": lambda n: ("@demo_bot, " * n, [entity("mention", 11 * i, 9) for i in range(n)]),
    "attached mentions": lambda n: ("(@demo_bot) " * n, [entity("mention", 12 * i + 1, 9) for i in range(n)]),
    "unmarked mentions": lambda n: ("a @demo_bot x@demo_bot " * n, []),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_four_times_the_entities_are_about_four_times_the_work(shape: Shape) -> None:
    def work(count: int) -> int:
        text, entities = shape(count)

        def read() -> None:
            written = read_written(text, entities)
            markdown_of(without_mentions(joined([written, written]), 42, "demo_bot"))

        return lines_run(read)

    assert work(LONG) < 5 * work(SHORT) + LONG
