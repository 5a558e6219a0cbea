"""Answers, requests, models and the balance, against a fake of the API."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    FilePart,
    Finished,
    ModelInfo,
    QuotaExceeded,
    ReasoningDelta,
    TextDelta,
    TextPart,
    Unsupported,
    Usage,
    Waiting,
)
from tgllm.testing.asking import hear, question
from tgllm.testing.fake_providers import FakeDipseek, Signal
from tgllm.testing.making import Make
from tgllm_dipseek.provider import DipseekProvider

SEEING = "deepseek-flash"
BLIND = "deepseek-v4-pro"


def ask(*parts: str | FilePart, model: str = SEEING, **settings: Any) -> ChatRequest:
    return question(model, *parts, **settings)


def picture(folder: Path, mime_type: str = "image/png", size: int | None = None) -> FilePart:
    path = folder / "file"
    path.write_bytes(b"content")
    return FilePart(path, mime_type, size or 7, "")


class TestAnswers:
    @pytest.mark.parametrize("trailing", [False, True])
    async def test_text_reasoning_and_usage(self, provider: DipseekProvider, fake: FakeDipseek, trailing: bool) -> None:
        usage = Usage(input_tokens=9, output_tokens=5, reasoning_tokens=3, cached_tokens=2)
        fake.answer(["Zażółć ", "gęślą 👩‍👩‍👧"], reasoning=["hm", "."], usage=usage, trailing_usage=trailing)

        heard = await hear(provider, ask("Hello"))

        assert heard.events[:3] == (Waiting("queue"), ReasoningDelta("hm"), ReasoningDelta("."))
        assert heard.text == "Zażółć gęślą 👩‍👩‍👧"
        assert heard.finished == Finished("stop", usage, {"reasoning_content": "hm."})

    async def test_keep_alives_say_that_it_waits(self, provider: DipseekProvider, fake: FakeDipseek) -> None:
        fake.answer([Signal.KEEP_ALIVE, Signal.KEEP_ALIVE, "a", Signal.KEEP_ALIVE, "b"])

        heard = await hear(provider, ask("Hello"))

        waiting = Waiting("queue")
        assert heard.events[:-1] == (waiting, waiting, waiting, TextDelta("a"), waiting, TextDelta("b"))

    @pytest.mark.parametrize(
        ("word", "reason"), [("stop", "stop"), ("length", "length"), ("content_filter", "filtered")]
    )
    async def test_why_it_ends(self, provider: DipseekProvider, fake: FakeDipseek, word: str, reason: str) -> None:
        fake.answer("a", finish=word)

        assert (await hear(provider, ask("Hello"))).finished.reason == reason


class TestReplay:
    async def test_reasoning_goes_back_with_its_answer(self, provider: DipseekProvider, fake: FakeDipseek) -> None:
        fake.answer("Four.", reasoning="two and two")
        data = (await hear(provider, ask("2 + 2?"))).finished.provider_data
        answer = ChatMessage("assistant", (TextPart("Four."),), data)

        await hear(provider, replace(ask("b"), messages=(*ask("2 + 2?").messages, answer, *ask("b").messages)))

        assert fake.requests[-1].body["messages"][1] == {
            "role": "assistant",
            "content": "Four.",
            "reasoning_content": "two and two",
        }

    @pytest.mark.parametrize("data", [None, {}, {"reasoning_content": 5}, {"other": [1]}])
    async def test_an_answer_without_usable_reasoning_goes_back_as_text(
        self, provider: DipseekProvider, fake: FakeDipseek, data: Any
    ) -> None:
        answer = ChatMessage("assistant", (TextPart("Four."),), data)

        await hear(provider, replace(ask("b"), messages=(*ask("a").messages, answer, *ask("b").messages)))

        assert fake.requests[-1].body["messages"][1] == {"role": "assistant", "content": "Four."}


class TestRequests:
    @pytest.mark.parametrize(
        ("effort", "fields"),
        [
            (None, {}),
            ("none", {"thinking": {"type": "disabled"}}),
            ("low", {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}),
            ("high", {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}),
        ],
    )
    async def test_what_is_sent(
        self, provider: DipseekProvider, fake: FakeDipseek, effort: Any, fields: dict[str, Any]
    ) -> None:
        settings = {"temperature": 0.5, "max_output_tokens": 99, "reasoning_effort": effort, "user_key": "abc"}

        await hear(provider, ask("Hello", system="Be brief.", **settings))

        assert fake.requests[-1].body == {
            "model": SEEING,
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.5,
            "max_tokens": 99,
            "user_id": "abc",
            **fields,
        }

    async def test_thinking_can_be_switched_off(self, provider: DipseekProvider, fake: FakeDipseek) -> None:
        fake.answer("Four.", reasoning="two and two")

        heard = await hear(provider, ask("2 + 2?", reasoning_effort="none"))

        assert heard.events[:-1] == (Waiting("queue"), TextDelta("Four."))
        assert heard.finished.provider_data is None

    async def test_a_picture_is_sent_to_a_model_that_sees(
        self, provider: DipseekProvider, fake: FakeDipseek, tmp_path: Path
    ) -> None:
        await hear(provider, ask("Look", picture(tmp_path)))

        url = f"data:image/png;base64,{base64.b64encode(b'content').decode()}"
        assert fake.requests[-1].body["messages"][0]["content"] == [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": {"url": url}},
        ]

    @pytest.mark.parametrize(
        ("model", "mime_type", "size"),
        [
            (BLIND, "image/png", 7),
            (SEEING, "application/pdf", 7),
            (SEEING, "image/png", 40_000_000),
            ("a-model-of-tomorrow", "application/pdf", 7),
        ],
    )
    async def test_a_file_that_can_not_be_taken_is_refused(
        self, provider: DipseekProvider, fake: FakeDipseek, tmp_path: Path, model: str, mime_type: str, size: int
    ) -> None:
        with pytest.raises(Unsupported):
            await hear(provider, ask("Look", picture(tmp_path, mime_type, size), model=model))
        assert fake.requests == []

    async def test_the_api_says_whether_an_unknown_model_sees(
        self, provider: DipseekProvider, fake: FakeDipseek, tmp_path: Path
    ) -> None:
        fake.add_model("blind-of-tomorrow", context_window=1)
        fake.add_model("seeing-of-tomorrow", context_window=1, vision=True)

        with pytest.raises(Unsupported):
            await hear(provider, ask("Look", picture(tmp_path), model="blind-of-tomorrow"))
        assert (await hear(provider, ask("Look", picture(tmp_path), model="seeing-of-tomorrow"))).text


class TestModels:
    async def test_what_models_can_do(self, provider: DipseekProvider, fake: FakeDipseek) -> None:
        fake.add_model("a-model-of-tomorrow", context_window=1)

        flash, pro, new = await provider.list_models()

        assert (flash.id, pro.id) == (SEEING, BLIND)
        assert (flash.context_window, flash.max_output_tokens) == (1_000_000, 393_216)
        assert flash.supports_files
        assert not pro.supports_files
        assert flash.reasoning
        assert flash.price is not None
        assert pro.price is not None
        assert (flash.price.input, flash.price.cached, flash.price.as_of) == (0.15, 0.003, "2026-11-22")
        assert (pro.price.input, pro.price.output) == (0.66, 1.98)
        assert new == ModelInfo("a-model-of-tomorrow")

    async def test_a_name_stands_for_one_model(self, provider: DipseekProvider, fake: FakeDipseek) -> None:
        fake.add_model("deepseek-v4-flash", context_window=1)

        models = {model.id: model for model in await provider.list_models()}

        assert models[SEEING].aliases == ("deepseek-v4-flash-vision-exp",)
        assert models["deepseek-v4-flash"].aliases == ()
        assert models["deepseek-v4-flash"].price == models[SEEING].price

    async def test_a_version_in_the_address_does_no_harm(self, make: Make, fake: FakeDipseek) -> None:
        provider = await make(base_url=f"{fake.base_url}/v1/")

        assert await provider.list_models()


class TestBalance:
    async def test_it_is_told(self, provider: DipseekProvider) -> None:
        balance = await provider.balance()

        assert balance.available
        assert balance.amounts == (("USD", "110.00"),)

    async def test_an_account_without_credit_is_told(self, provider: DipseekProvider, fake: FakeDipseek) -> None:
        fake.balance = "0.00"

        assert not (await provider.balance()).available
        with pytest.raises(QuotaExceeded, match="out of credit"):
            await hear(provider, ask("Hello"))

    async def test_the_doctor_hears_of_it(self, provider: DipseekProvider, fake: FakeDipseek) -> None:
        (good,) = await provider.doctor()
        fake.balance = "0.00"
        (bad,) = await provider.doctor()

        assert (good.state, "110.00 USD" in good.detail) == ("ok", True)
        assert (bad.state, "top up" in bad.detail) == ("failed", True)
