"""The words in which the outcome of a turn is told."""

from dataclasses import replace
from typing import Any

import pytest

from tgllm.api import ModelNotFound, ModelRef, RateLimited, Unavailable, Usage
from tgllm.bot.renderer.renderer import Renderer
from tgllm.bot.rendering.payloads import EntityText, Payload, RichMessage
from tgllm.bot.rendering.split import utf16_length
from tgllm.bot.streaming.outcomes import beginning_payloads, final_payloads
from tgllm.i18n import Catalogue
from tgllm.services.chats.settings import AnswerLook
from tgllm.services.conversations.turn import TurnOutcome

TEXTS = Catalogue(strict=True)
RENDERER = Renderer()
EMPTY = "turn.empty_answer"
EMPTY_TEXTS = {"turn.length": "turn.reasoning_length", "turn.too_long": "turn.only_reasoning"}
OK = TurnOutcome("ok", ModelRef("scripted", "model"), "Fine.")


async def final_text(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    (payload,) = await final_payloads(RENDERER, outcome, texts, language)
    assert isinstance(payload, EntityText)
    return payload.text


async def test_a_whole_answer_is_told_as_it_is() -> None:
    assert await final_text(replace(OK, text="  Fine.\n"), TEXTS, "en") == "Fine."


@pytest.mark.parametrize(
    ("outcome", "key"),
    [
        (replace(OK, reason="length"), "turn.length"),
        (replace(OK, reason="length", dropped=1), "turn.too_long"),
        (replace(OK, reason="filtered"), "turn.filtered"),
        (replace(OK, status="stopped"), "turn.stopped"),
        (replace(OK, status="interrupted"), "turn.interrupted"),
        (replace(OK, status="failed", error=Unavailable()), "error.unavailable"),
    ],
)
@pytest.mark.parametrize("language", ["en", "ru"])
async def test_what_is_not_whole_says_so(outcome: TurnOutcome, key: str, language: str) -> None:
    assert await final_text(outcome, TEXTS, language) == f"Fine.\n\n{TEXTS(key, language)}"
    assert (await final_text(replace(outcome, text=""), TEXTS, language)).endswith(
        TEXTS(key if outcome.status != "ok" else EMPTY_TEXTS.get(key, EMPTY), language)
    )


@pytest.mark.parametrize("found", [{"reasoning": "hm"}, {"usage": Usage(1, 9, reasoning_tokens=9)}])
async def test_an_answer_of_nothing_but_thoughts_says_so(found: Any) -> None:
    assert await final_text(replace(OK, text="", **found), TEXTS, "en") == TEXTS("turn.no_answer")


async def test_a_model_that_was_replaced_is_named_last() -> None:
    outcome = replace(OK, reason="length", retired=ModelRef("old", "one"))
    *_, length, retired = (await final_text(outcome, TEXTS, "en")).split("\n\n")
    assert length == TEXTS("turn.length")
    assert "old/one" in retired
    assert "scripted/model" in retired


@pytest.mark.parametrize("text", ["", " \n"])
async def test_an_empty_answer_is_told(text: str) -> None:
    assert await final_text(replace(OK, text=text), TEXTS, "en") == TEXTS("turn.empty_answer")


async def test_an_error_is_told_with_its_numbers() -> None:
    outcome = replace(OK, status="failed", error=RateLimited("busy", retry_after=6.5))
    assert "7 seconds" in await final_text(outcome, TEXTS, "en")


async def test_an_error_of_any_length_fits_one_message() -> None:
    error = ModelNotFound("x", code="model_ref", ref="y" * 1_000_000)
    outcome = replace(OK, status="failed", error=error)
    assert utf16_length(await final_text(outcome, TEXTS, "en")) < 4096


@pytest.mark.parametrize("status", ["ok", "stopped", "interrupted", "failed"])
async def test_there_is_always_something_to_say(status: str) -> None:
    outcome = replace(OK, status=status, text="")  # type: ignore[arg-type]  a parameter of the test
    assert await final_text(outcome, TEXTS, "en")


@pytest.mark.parametrize("display", ["folded", "shown"])
@pytest.mark.parametrize(
    ("rich", "answer", "thoughts", "kind"),
    [
        ("auto", "Plain.", "| a | b |\n|---|---|\n| 1 | 2 |", EntityText),
        ("auto", "- [x] done", "Plain.", RichMessage),
        ("always", "Plain.", "Plain.", RichMessage),
        ("never", "- [x] done", "Plain.", EntityText),
    ],
)
async def test_the_answer_alone_decides_whether_it_is_rich(
    display: Any, rich: Any, answer: str, thoughts: str, kind: type[Payload]
) -> None:
    outcome = replace(OK, text=answer, reasoning=thoughts, look=AnswerLook(display))
    (payload,) = await final_payloads(RENDERER, outcome, TEXTS, "en", rich)
    assert isinstance(payload, kind)


async def test_folded_thoughts_are_a_quote_that_unfolds() -> None:
    outcome = replace(OK, reasoning="First.\n\nThen.", look=AnswerLook("folded"))
    (payload,) = await final_payloads(RENDERER, outcome, TEXTS, "en")
    assert isinstance(payload, EntityText)
    assert payload.text == "Thoughts\nFirst.\n\nThen.\n\nFine."
    assert [(entity.type, entity.offset, entity.length) for entity in payload.entities] == [
        ("bold", 0, len("Thoughts")),
        ("expandable_blockquote", len("Thoughts\n"), len("First.\n\nThen.")),
    ]


async def test_in_a_rich_answer_they_are_details() -> None:
    outcome = replace(OK, text="$x$", reasoning="Hm.", look=AnswerLook("folded"))
    (payload,) = await final_payloads(RENDERER, outcome, TEXTS, "en")
    assert isinstance(payload, RichMessage)
    assert [block["type"] for block in payload.blocks] == ["details", "paragraph"]
    assert any(entity.type == "expandable_blockquote" for entity in payload.fallback[0].entities)


@pytest.mark.parametrize(("wish", "kind"), [("always", RichMessage), ("never", EntityText), (None, EntityText)])
async def test_the_wish_of_the_chat_goes_before_the_settings(wish: Any, kind: type[Payload]) -> None:
    outcome = replace(OK, look=AnswerLook(rich=wish))
    (payload,) = await final_payloads(RENDERER, outcome, TEXTS, "en", "never")
    assert isinstance(payload, kind)


async def test_the_beginning_says_where_the_rest_is() -> None:
    outcome = replace(OK, text="**A** word. " * 1000, reason="length")
    (payload,) = await beginning_payloads(RENDERER, outcome, TEXTS, "en")
    assert isinstance(payload, EntityText)
    begin, in_file, length = payload.text.rsplit("\n\n", 2)
    assert begin.startswith("A word. A word.")
    assert begin.endswith("word. …")
    assert utf16_length(begin) <= 1000
    assert (in_file, length) == (TEXTS("turn.in_file"), TEXTS("turn.length"))
    assert payload.entities[0].type == "bold"


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        (replace(OK, transcripts=("Buy *milk*.",)), "🎤 Buy *milk*.\n\nFine."),
        (replace(OK, transcripts=("One.", "", "Two.")), "🎤 One.\n\nTwo.\n\nFine."),
        (replace(OK, transcripts=("", " ")), "Fine."),
        (replace(OK, text="", transcripts=("Hi.",)), "🎤 Hi.\n\n" + TEXTS("turn.empty_answer", "en")),
    ],
)  # fmt: skip
async def test_what_was_heard_is_quoted_above(outcome: TurnOutcome, shown: str) -> None:
    assert await final_text(outcome, TEXTS, "en") == shown


async def test_what_was_heard_is_above_the_reasoning_and_above_a_file() -> None:
    outcome = replace(OK, reasoning="Hm.", look=AnswerLook("shown"), transcripts=("Buy milk.",))
    (payload,) = await final_payloads(RENDERER, outcome, TEXTS, "en")
    (beginning,) = await beginning_payloads(RENDERER, outcome, TEXTS, "en")

    assert isinstance(payload, EntityText)
    assert isinstance(beginning, EntityText)
    assert payload.text == "🎤 Buy milk.\n\nThoughts\n\nHm.\n\nFine."
    assert [entity.type for entity in payload.entities] == ["blockquote", "blockquote", "bold"]
    assert beginning.text.startswith("🎤 Buy milk.\n\nFine.")
