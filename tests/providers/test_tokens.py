"""The estimate of tokens, and how it learns."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    FilePart,
    ModelRef,
    TextPart,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
)
from tgllm.providers.tokens import Calibration, estimate_message, estimate_request, estimate_text, estimate_tools

REF = ModelRef("p", "m")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 33, 10),
        ("ж" * 33, 10),
        ("世" * 10, 9),
        ("한" * 10, 9),
        ("ひ" * 10, 9),
        ("世" * 10 + "a" * 33, 19),
    ],
)
def test_letters_weigh_by_their_script(text: str, tokens: int) -> None:
    assert estimate_text(text) == tokens


def test_a_request_is_the_sum_of_its_parts() -> None:
    picture = FilePart(Path("a"), "image/png", 5_000_000, "")
    paper = FilePart(Path("b"), "application/pdf", 400, "")
    message = ChatMessage("user", (TextPart("a" * 33), picture, paper))

    assert estimate_message(message) == 4 + 10 + 1000 + 100
    assert estimate_request(ChatRequest("m", (message, message))) == 2 * 1114
    assert estimate_request(ChatRequest("m", (message,), system="a" * 33)) == 1114 + 14


@pytest.mark.parametrize(
    ("mime", "size", "facts", "tokens"),
    [
        ("application/pdf", 4_000_000, {"pages": 4}, 6000),
        ("application/pdf", 4_000_000, {}, 100_000),
        ("application/pdf", 40_000_000, {"pages": 400}, 600_000),
        ("application/pdf", 4_000, {"pages": 4}, 1000),
        ("audio/ogg", 2_000_000, {"seconds": 600.0}, 19_200),
        ("audio/wav", 19_200_000, {"seconds": 1.0}, 3200),
        ("audio/ogg", 2_000_000, {}, 100_000),
        ("video/mp4", 8_000_000, {"seconds": 10.0}, 3000),
        ("image/png", 9_000_000, {"pixels": 750 * 500}, 500),
        ("image/png", 9_000_000, {"pixels": 2048 * 2048}, 1600),
        ("image/png", 900, {"pixels": 1}, 85),
    ],
)
def test_a_file_weighs_by_its_pages_seconds_or_pixels(mime: str, size: int, facts: dict[str, Any], tokens: int) -> None:
    part = FilePart(Path("a"), mime, size, "", **facts)
    assert estimate_message(ChatMessage("user", (part,))) == 4 + tokens


class TestCalibration:
    def test_a_model_that_has_not_answered_is_taken_as_estimated(self) -> None:
        assert Calibration().estimate(REF, 123) == 123

    def test_the_first_answer_sets_the_factor_and_others_move_it(self) -> None:
        calibration = Calibration()

        calibration.learn(REF, 1000, 800)
        assert calibration.estimate(REF, 100) == 80
        calibration.learn(REF, 1000, 1300)
        assert calibration.factor(REF) == pytest.approx(0.9)
        assert calibration.factor(ModelRef("p", "other")) == 1.0

    @pytest.mark.parametrize(("estimated", "reported"), [(1000, None), (49, 100), (100, 49), (0, 0)])
    def test_what_says_little_is_passed_over(self, estimated: int, reported: int | None) -> None:
        calibration = Calibration()

        calibration.learn(REF, estimated, reported)

        assert calibration.factors == {}

    @pytest.mark.parametrize(("reported", "factor"), [(100_000, 4.0), (50, 0.25)])
    def test_a_factor_stays_possible(self, reported: int, factor: float) -> None:
        calibration = Calibration()

        calibration.learn(REF, 1000, reported)

        assert calibration.factor(REF) == factor

    def test_factors_can_be_kept(self) -> None:
        first = Calibration()
        first.learn(REF, 1000, 800)

        assert Calibration(first.factors).factor(REF) == 0.8


class TestTools:
    def test_tools_calls_and_results_count(self) -> None:
        schema = {"type": "object", "properties": {"zone": {"type": "string", "description": "word " * 100}}}
        plain = ChatRequest("m", (ChatMessage("user", (TextPart("Hello"),)),))
        called = ChatMessage("assistant", (ToolCallPart("1", "clock", {"zone": "word " * 100}),))
        answered = ChatMessage("user", (ToolResultPart("1", "clock", "word " * 100), TextPart("word " * 100)))

        offered = estimate_request(replace(plain, tools=(ToolDefinition("clock", "Tells the time.", schema),)))

        assert offered - estimate_request(plain) == estimate_tools(
            (ToolDefinition("clock", "Tells the time.", schema),)
        )
        assert offered - estimate_request(plain) > 150
        assert estimate_message(called) > 150
        assert estimate_message(answered) > 300

    def test_no_tools_cost_nothing(self) -> None:
        assert estimate_tools(()) == 0
