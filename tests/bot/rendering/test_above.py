"""A quote above an answer, in its message if it fits."""

import pytest

from tgllm.bot.rendering.above import UNFOLDED, with_quote_above
from tgllm.bot.rendering.payloads import ENTITIES_LIMIT, Entity, EntityText, RichMessage
from tgllm.bot.rendering.render import render
from tgllm.bot.rendering.split import MESSAGE_LIMIT, utf16_length

QUOTE = "🎤 *Buy* milk"
UNITS = 13


def test_it_is_above_in_the_same_message_and_the_formats_move() -> None:
    (shown,) = with_quote_above(render("**Done.**"), QUOTE)

    assert shown == EntityText(
        "🎤 *Buy* milk\n\nDone.", (Entity("blockquote", 0, UNITS), Entity("bold", UNITS + 2, len("Done.")))
    )


def test_a_long_one_is_folded() -> None:
    (shown,) = with_quote_above([EntityText("Done.")], "x" * (UNFOLDED + 1))

    assert isinstance(shown, EntityText)
    assert [entity.type for entity in shown.entities] == ["expandable_blockquote"]


def test_without_one_nothing_changes() -> None:
    assert with_quote_above([EntityText("Done.")], "") == [EntityText("Done.")]


def test_without_an_answer_it_stands_alone() -> None:
    assert with_quote_above([], QUOTE) == [EntityText(QUOTE, (Entity("blockquote", 0, UNITS),))]


@pytest.mark.parametrize(
    "answer",
    [
        EntityText("x" * (MESSAGE_LIMIT - UNITS - 1)),
        EntityText("x" * 200, tuple(Entity("bold", place, 1) for place in range(ENTITIES_LIMIT))),
    ],
)
def test_what_does_not_fit_is_a_message_of_its_own(answer: EntityText) -> None:
    assert with_quote_above([answer, EntityText("More.")], QUOTE) == [
        EntityText(QUOTE, (Entity("blockquote", 0, UNITS),)),
        answer,
        EntityText("More."),
    ]


def test_what_just_fits_is_one_message() -> None:
    (shown,) = with_quote_above([EntityText("x" * (MESSAGE_LIMIT - UNITS - 2))], QUOTE)

    assert isinstance(shown, EntityText)
    assert utf16_length(shown.text) == MESSAGE_LIMIT


def test_in_a_rich_message_it_is_a_block_and_in_its_fallback_too() -> None:
    (shown,) = with_quote_above(render("$x$", rich="always"), QUOTE)

    assert isinstance(shown, RichMessage)
    assert shown.blocks[0] == {"type": "blockquote", "blocks": [{"type": "paragraph", "text": QUOTE}]}
    assert shown.fallback[0].text.startswith(f"{QUOTE}\n\n")
