"""The words in which the outcome of a turn is told."""

from dataclasses import replace

import pytest

from tgllm.api import ModelRef, RateLimited, Unavailable
from tgllm.bot.outcomes import final_payloads
from tgllm.bot.rendering.payloads import EntityText
from tgllm.i18n import Catalogue
from tgllm.services.turn import TurnOutcome

TEXTS = Catalogue(strict=True)
OK = TurnOutcome("ok", ModelRef("scripted", "model"), "Fine.")


def final_text(outcome: TurnOutcome, texts: Catalogue, language: str) -> str:
    (payload,) = final_payloads(outcome, texts, language)
    assert isinstance(payload, EntityText)
    return payload.text


def test_a_whole_answer_is_told_as_it_is() -> None:
    assert final_text(replace(OK, text="  Fine.\n"), TEXTS, "en") == "Fine."


@pytest.mark.parametrize(
    ("outcome", "key"),
    [
        (replace(OK, reason="length"), "turn.length"),
        (replace(OK, reason="filtered"), "turn.filtered"),
        (replace(OK, status="stopped"), "turn.stopped"),
        (replace(OK, status="interrupted"), "turn.interrupted"),
        (replace(OK, status="failed", error=Unavailable()), "error.unavailable"),
    ],
)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_is_not_whole_says_so(outcome: TurnOutcome, key: str, language: str) -> None:
    assert final_text(outcome, TEXTS, language) == f"Fine.\n\n{TEXTS(key, language)}"
    assert final_text(replace(outcome, text=""), TEXTS, language).endswith(
        TEXTS("turn.empty_answer" if outcome.status == "ok" else key, language)
    )


def test_a_model_that_was_replaced_is_named_last() -> None:
    outcome = replace(OK, reason="length", retired=ModelRef("old", "one"))
    *_, length, retired = final_text(outcome, TEXTS, "en").split("\n\n")
    assert length == TEXTS("turn.length")
    assert "old/one" in retired
    assert "scripted/model" in retired


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_answer_is_told(text: str) -> None:
    assert final_text(replace(OK, text=text), TEXTS, "en") == TEXTS("turn.empty_answer")


def test_an_error_is_told_with_its_numbers() -> None:
    outcome = replace(OK, status="failed", error=RateLimited("busy", retry_after=6.5))
    assert "7 seconds" in final_text(outcome, TEXTS, "en")


@pytest.mark.parametrize("status", ["ok", "stopped", "interrupted", "failed"])
def test_there_is_always_something_to_say(status: str) -> None:
    outcome = replace(OK, status=status, text="")  # type: ignore[arg-type]  a parameter of the test
    assert final_text(outcome, TEXTS, "en")
