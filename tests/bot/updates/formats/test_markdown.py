"""What a model reads of formats."""

import random
import re
from typing import Any

import pytest

from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.formats.written import Written, joined, read_written

KINDS = [
    "bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "blockquote", "expandable_blockquote",
    "text_link", "text_mention", "mention", "url", "custom_emoji", "date_time", "of_tomorrow",
]  # fmt: skip


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


def markdown(text: str, *entities: Any) -> str:
    return markdown_of(read_written(text, list(entities)))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("bold", "a **bc** d"),
        ("italic", "a _bc_ d"),
        ("underline", "a <u>bc</u> d"),
        ("strikethrough", "a ~~bc~~ d"),
        ("spoiler", "a ||bc|| d"),
        ("code", "a `bc` d"),
        ("custom_emoji", "a bc d"),
        ("text_mention", "a bc d"),
        ("hashtag", "a bc d"),
        ("of_tomorrow", "a bc d"),
    ],
)
def test_each_format_has_its_mark(kind: str, expected: str) -> None:
    assert markdown("a bc d", entity(kind, 2, 2)) == expected


def test_a_text_without_formats_is_as_typed() -> None:
    typed = "2*3*4 _x_ `y` # no\n```\n> z"
    assert markdown(typed) == markdown(typed, entity("url", 0, 5)) == typed


def test_a_link_has_its_address() -> None:
    link = entity("text_link", 4, 4, url="https://example.com/a?b=1")
    assert markdown("see this now", link) == "see [this](https://example.com/a?b=1) now"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://e.com/a_(b)", "[this](<https://e.com/a_(b)>)"),
        ("https://e.com/a b<c>", "[this](<https://e.com/a%20b%3Cc%3E>)"),
        ("", "this"),
        ("this", "this"),
    ],
)
def test_any_address_is_one(url: str, expected: str) -> None:
    assert markdown("this", entity("text_link", 0, 4, url=url)) == expected


def test_offsets_are_utf_16_units() -> None:
    assert (
        markdown("\U0001f389\U0001f389 bold \U0001f389", entity("bold", 5, 4))
        == "\U0001f389\U0001f389 **bold** \U0001f389"
    )


def test_a_block_of_code_has_lines_of_its_own_and_its_language() -> None:
    text = "Why?\nprint(1)\nprint(2)\nThanks"
    expected = "Why?\n```python\nprint(1)\nprint(2)\n```\nThanks"
    assert markdown(text, entity("pre", 5, 17, language="python")) == expected
    assert markdown("a x=1 b", entity("pre", 2, 3)) == "a \n```\nx=1\n```\n b"


def test_indentation_in_code_is_kept() -> None:
    assert markdown("  x\n    y\n", entity("pre", 0, 10)) == "```\n  x\n    y\n```"


def test_a_fence_is_longer_than_those_inside() -> None:
    assert markdown("```\na\n````", entity("pre", 0, 10)) == "`````\n```\na\n````\n`````"
    assert markdown("run a``b`", entity("code", 4, 5)) == "run ``` a``b` ```"


def test_code_of_several_lines_is_a_block() -> None:
    assert markdown("see a\nb", entity("code", 4, 3)) == "see \n```\na\nb\n```"


def test_a_language_can_not_end_the_fence() -> None:
    assert markdown("x", entity("pre", 0, 1, language="py\n```\nrm")) == "```py\nx\n```"


@pytest.mark.parametrize("kind", ["blockquote", "expandable_blockquote"])
def test_a_quote_is_a_quote_on_each_line(kind: str) -> None:
    assert markdown("He said\none\n\ntwo\nnot me", entity(kind, 8, 8)) == "He said\n> one\n>\n> two\n\nnot me"


def test_code_in_a_quote_is_a_block_of_the_quote() -> None:
    entities = entity("blockquote", 0, 6), entity("pre", 3, 3, language="c")
    assert markdown("a:\nx=1\nb", *entities) == "> a:\n> ```c\n> x=1\n> ```\n\nb"


def test_nested_formats_are_nested() -> None:
    outer, inner = entity("bold", 0, 9), entity("italic", 4, 3)
    assert markdown("one two x", outer, inner) == "**one _two_ x**"
    assert markdown("see docs", entity("bold", 0, 8), entity("text_link", 4, 4, url="u:x")) == "**see [docs](u:x)**"
    assert markdown("f()", entity("text_link", 0, 3, url="u:x"), entity("code", 0, 3)) == "[`f()`](u:x)"


def test_overlapping_formats_are_split() -> None:
    assert markdown("one two six", entity("bold", 0, 7), entity("italic", 4, 7)) == "**one _two_** _six_"


def test_nothing_is_formatted_in_code() -> None:
    assert markdown("a b c", entity("code", 0, 5), entity("bold", 2, 1)) == "`a b c`"
    assert markdown("a b c", entity("pre", 2, 3), entity("bold", 0, 5)) == "**a** \n```\nb c\n```"


def test_a_mark_stands_next_to_its_text_and_in_one_line() -> None:
    assert markdown("so bold  and\n\nmore x", entity("bold", 2, 16)) == "so **bold  and**\n\n**more** x"


def test_equal_formats_next_to_each_other_are_one() -> None:
    assert markdown("abcd", entity("bold", 0, 2), entity("bold", 2, 2)) == "**abcd**"
    links = entity("text_link", 0, 2, url="u:1"), entity("text_link", 2, 2, url="u:2")
    assert markdown("abcd", *links) == "[ab](u:1)[cd](u:2)"


def test_italics_within_a_word_are_no_underscores() -> None:
    assert markdown("unbelievable", entity("italic", 2, 7)) == "un*believa*ble"


def test_a_date_has_its_time() -> None:
    assert markdown("at noon?", entity("date_time", 3, 4, unix_time=1_790_000_000)) == "at noon (2026-09-21 14:13 UTC)?"
    assert markdown("at noon?", entity("date_time", 3, 4, unix_time=10**30)) == "at noon?"


@pytest.mark.parametrize(
    "odd",
    [
        entity("bold", -1, 3),
        entity("bold", 3, 4),
        entity("bold", 99, 1),
        entity("bold", 0, 0),
        entity("bold", 1, -1),
        {"type": "bold", "offset": 0},
        {"type": "bold", "offset": "0", "length": 3},
        {"type": None, "offset": 0, "length": 3},
        {"type": "bold", "offset": True, "length": 3},
        {"type": "text_link", "offset": 0, "length": 3, "url": 5},
        "bold",
        None,
    ],
)
def test_what_is_no_entity_changes_nothing(odd: Any) -> None:
    assert markdown("abc", odd) == "abc"


def test_a_range_is_truncated_to_the_text_and_to_whole_characters() -> None:
    assert markdown("abc", entity("bold", 1, 10**9)) == "a**bc**"
    # The first begins within a surrogate pair, the second ends within one.
    assert markdown("\U0001f389ab", entity("bold", 1, 2)) == "**\U0001f389a**b"
    assert markdown("ab\U0001f389", entity("bold", 1, 2)) == "a**b\U0001f389**"


@pytest.mark.parametrize("entities", [None, {}, "bold", 5])
def test_entities_of_another_type_change_nothing(entities: Any) -> None:
    assert markdown_of(read_written("abc", entities)) == "abc"


def test_parts_of_a_text_continue_their_formats() -> None:
    parts = [
        read_written("see x = 1\n", [entity("pre", 4, 6, language="py")]),
        read_written("y = 2 end", [entity("pre", 0, 5, language="py")]),
    ]
    assert markdown_of(joined(parts)) == "see \n```py\nx = 1\ny = 2\n```\n end"


def test_the_indentation_of_code_is_no_white_space_around_a_text() -> None:
    text = "  \n    if x:\n        y()\n "
    indented = read_written(text, [entity("pre", 3, 21, language="python")]).stripped()
    assert markdown_of(indented) == "```python\n    if x:\n        y()\n```"
    assert markdown_of(read_written("  a ", [entity("bold", 0, 4)]).stripped()) == "**a**"
    assert read_written("  \n ", [entity("pre", 0, 4)]).stripped() == Written()


def test_a_part_has_its_share_of_the_formats() -> None:
    whole = read_written("one two six", [entity("bold", 0, 7), entity("italic", 4, 7)])
    assert markdown_of(whole.part(2, 9)) == "**e _two_** _s_"


def test_no_character_is_lost_or_moved_whatever_the_entities_are() -> None:
    chance = random.Random(12)
    letters = "abcdefgh\U0001f389"
    for _ in range(3_000):
        size = chance.randint(1, 25)
        text = "".join(chance.choice(f"{letters} \n") for _ in range(size))
        entities = [
            entity(chance.choice(KINDS), chance.randint(-2, size + 3), chance.randint(-1, size + 5), url="1:2")
            for _ in range(chance.randint(0, 8))
        ]
        shown = re.sub("</?u>", "", markdown(text, *entities))
        assert [char for char in shown if char in letters] == [char for char in text if char in letters], entities


@pytest.mark.parametrize("kinds", [("bold", "italic"), ("text_link", "code", "spoiler"), ("blockquote", "pre", "bold")])
def test_the_result_grows_with_the_text_and_its_entities(kinds: tuple[str, ...]) -> None:
    def size(count: int) -> int:
        entities = [
            entity(kinds[number % len(kinds)], number, 3 * count - number, url=f"u:{number}") for number in range(count)
        ]
        return len(markdown("ab c\n" * count, *entities))

    assert size(800) < 10 * size(100)


def test_formats_that_cross_each_other_are_split_a_few_times_each() -> None:
    text = "abcdefghij" * 100
    entities = [entity(KINDS[number % 5], number, 7 + number % 3) for number in range(990)]
    assert markdown(text, *entities).count("**") < 2 * 990


def test_an_empty_text_stays_empty() -> None:
    assert markdown_of(Written()) == markdown("", entity("bold", 0, 1)) == markdown(" \n", entity("pre", 0, 2)) == ""
