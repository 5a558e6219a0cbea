"""Tables in an answer that is still being written."""

import pytest

from tgllm.bot.rendering.render import render_draft
from tgllm.bot.rendering.source.growing_tables import MOST_HELD, without_half_table

TABLES = {
    "bars": "Look:\n\n| Name | Age |\n|:-----|----:|\n| Ann | 31 |\n| Bob | 42 |\n\nDone.",
    "no outer bars": "Name | Age\n--- | ---\nAnn | 31\nBob | 42\n\nDone.",
    "below a line": "Look:\n| Name | Age |\n| --- | --- |\n| Ann | 31 |\n| Bob | 42 |\n\nDone.",
    "in a quote": "> Look:\n> | Name | Age |\n> |---|---|\n> | Ann | 31 |\n> | Bob | 42 |\n\nDone.",
    "in a list": "- Look:\n  | Name | Age |\n  |---|---|\n  | Ann | 31 |\n  | Bob | 42 |\n\nDone.",
    "in an item": "- | Name | Age |\n  |---|---|\n  | Ann | 31 |\n  | Bob | 42 |\n\nDone.",
    "code in a cell": "| Name | Age |\n|---|---|\n| `Ann` | 31 |\n| **Bob** | 42 |\n\nDone.",
    "empty cells": "| Name | Age |\n|---|---|\n| | 31 |\n| Bob | |\n\nDone.",
    "after a table": "| a | b |\n|---|---|\n| 1 | 2 |\n\n| Name | Age |\n|---|---|\n| Ann | 31 |\n\nDone.",
    "one column": "| Name |\n|---|\n| Ann |\n| Bob |\n\nDone.",
}


def rows_of(text: str) -> list[str]:
    """The lines that contain a bar, without padding."""
    return [" ".join(line.split()) for line in text.split("\n") if "|" in line]


@pytest.mark.parametrize("markdown", TABLES.values(), ids=TABLES)
def test_each_preview_shows_whole_rows_only(markdown: str) -> None:
    whole = rows_of(render_draft(markdown).text)
    for end in range(len(markdown)):
        shown = render_draft(markdown[:end]).text
        assert rows_of(shown) == whole[: len(rows_of(shown))], shown
        assert "|-" not in shown, shown


@pytest.mark.parametrize("markdown", TABLES.values(), ids=TABLES)
def test_previews_never_lose_text(markdown: str) -> None:
    """A word that was shown stays."""
    before: set[str] = set()
    for end in range(len(markdown)):
        cut = markdown[:end].rfind(" ") + 1
        words = {word for word in ("Look", "Name", "Ann", "Bob") if word in render_draft(markdown[:cut]).text}
        assert before <= words
        before = words


@pytest.mark.parametrize(
    "text",
    [
        "Either a | b\nor something else",
        "Use `ls | wc` and",
        "Use `ls | wc",
        "a || b",
        r"a \| b",
        "||hidden",
        "x" * 20 + "|" + "y" * MOST_HELD,
        "no bar\n---",
        "| a |\n\ntext",
        "| a | b |\n|---|---|\n- item",
    ],
)
def test_other_text_with_bars_is_shown_at_once(text: str) -> None:
    assert without_half_table(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("| a", ""),
        ("text\n| a | b |\n", "text\n"),
        ("text\n| a | b |\n|--", "text\n"),
        ("text\n|", "text\n"),
        ("a | b", "a "),
        ("| a |\n|---|\n", "| a |\n|---|\n"),
        ("| a |\n|---|\n| 1", "| a |\n|---|\n"),
        ("| a |\n|---|\n| 1 |\n| 2 |", "| a |\n|---|\n| 1 |\n"),
        ("> | a", "> "),
        ("1. | a", "1. "),
    ],
)
def test_what_may_become_a_table_is_held_back(text: str, shown: str) -> None:
    assert without_half_table(text) == shown


def test_bars_in_an_open_code_block_are_shown() -> None:
    assert render_draft("```\n| a | b |").text == "| a | b |"
