"""Answers, requests and models, against a fake that is as strict as the API."""

import asyncio
from typing import Any

import pytest

from tgllm.api import (
    BadResponse,
    ChatMessage,
    ChatRequest,
    Refused,
    TextPart,
    Unavailable,
    Unsupported,
    Usage,
    Waiting,
)
from tgllm.testing.asking import hear
from tgllm.testing.fake_providers import FakeGemini
from tgllm.testing.making import Make
from tgllm_gemini.provider import GeminiProvider

MODEL = "gemini-3.8-flash"


def said(text: str, role: Any = "user", data: Any = None) -> ChatMessage:
    return ChatMessage(role, (TextPart(text),), data)


def ask(*messages: str | ChatMessage, model: str = MODEL, **settings: Any) -> ChatRequest:
    return ChatRequest(model, tuple(said(one) if isinstance(one, str) else one for one in messages), **settings)


class TestAnswers:
    async def test_text_thoughts_and_usage(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        fake.answer(["Привет, ", "мир 🌍"], reasoning=["h", "m"], usage=Usage(16, 10, 4, 6))

        heard = await hear(provider, ask("Hello"))

        assert heard.text == "Привет, мир 🌍"
        assert heard.reasoning == "hm"
        assert (heard.finished.reason, heard.finished.usage) == ("stop", Usage(16, 10, 4, 6))

    @pytest.mark.parametrize(
        ("finish", "reason"), [("MAX_TOKENS", "length"), ("CONTINUATION", "length"), ("OTHER", "other")]
    )
    async def test_why_it_ended(self, fake: FakeGemini, provider: GeminiProvider, finish: str, reason: str) -> None:
        fake.answer("Hi", finish=finish)

        assert (await hear(provider, ask("Hello"))).finished.reason == reason

    @pytest.mark.parametrize(
        ("block", "words"), [("SAFETY", "may be harmful"), ("PROHIBITED_CONTENT", "prohibited"), ("OTHER", "no reason")]
    )
    async def test_a_blocked_question(self, fake: FakeGemini, provider: GeminiProvider, block: str, words: str) -> None:
        fake.block(block)

        with pytest.raises(Refused, match=f"blocked the question: .*{words}") as caught:
            await hear(provider, ask("Hello"))
        assert caught.value.params["reason"] == block

    @pytest.mark.parametrize("finish", ["SAFETY", "RECITATION", "IMAGE_SAFETY"])
    async def test_a_blocked_answer(self, fake: FakeGemini, provider: GeminiProvider, finish: str) -> None:
        fake.answer("Hel", finish=finish)

        with pytest.raises(Refused, match="blocked the answer"):
            await hear(provider, ask("Hello"))

    async def test_no_proper_answer(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        fake.answer("Hel", finish="MALFORMED_RESPONSE")

        with pytest.raises(BadResponse, match="MALFORMED_RESPONSE"):
            await hear(provider, ask("Hello"))

    async def test_an_empty_answer_is_asked_for_once_more(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        fake.answer("")
        fake.answer("Hi")

        assert (await hear(provider, ask("Hello"))).text == "Hi"

    @pytest.mark.parametrize("event", [b'{"candidates": 5}', b'{"candidates": [{"content": {"parts": 1}}]}'])
    async def test_what_the_api_would_not_send(self, fake: FakeGemini, provider: GeminiProvider, event: bytes) -> None:
        fake.answer(["Hel", b"data: " + event + b"\r\n\r\n"])

        with pytest.raises(BadResponse):
            await hear(provider, ask("Hello"))

    async def test_silence_is_bounded_by_the_settings(self, fake: FakeGemini, make: Make) -> None:
        fake.answer(["Hel", asyncio.Event()])

        with pytest.raises(Unavailable, match=r"sent nothing for 1 seconds"):
            await hear(await make(timeout_seconds=1), ask("Hello"))

    async def test_the_server_is_given_no_limit_for_the_whole_answer(
        self, fake: FakeGemini, provider: GeminiProvider
    ) -> None:
        await hear(provider, ask("Hello"))

        assert "x-server-timeout" not in fake.requests[-1].headers

    async def test_cancelling_closes_the_connection(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        fake.answer([asyncio.Event()])
        hearing = asyncio.create_task(hear(provider, ask("Hello")))
        await fake.wait_for(lambda: fake.open_streams)

        hearing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hearing
        await fake.wait_for(lambda: fake.requests[-1].done)

        assert fake.open_streams == 0


class TestRequests:
    async def test_messages_and_settings(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        await hear(
            provider,
            ask(
                "Hello",
                said("Hi", "assistant"),
                said("", "assistant"),
                "And?",
                system="Be kind",
                temperature=0.5,
                max_output_tokens=9,
                reasoning_effort="low",
            ),
        )

        request = fake.requests[-1]
        assert request.path == f"/v1/models/{MODEL}:streamGenerateContent"
        assert [(one["role"], one["parts"]) for one in request.body["contents"]] == [
            ("user", [{"text": "Hello"}]),
            ("model", [{"text": "Hi"}]),
            ("user", [{"text": "And?"}]),
        ]
        assert request.body["systemInstruction"]["parts"] == [{"text": "Be kind"}]
        config = request.body["generationConfig"]
        assert (config["temperature"], config["maxOutputTokens"]) == (0.5, 9)
        assert config["thinkingConfig"] == {"include_thoughts": True, "thinking_level": "LOW"}

    @pytest.mark.parametrize(
        ("effort", "thinking"),
        [
            (None, {"include_thoughts": True}),
            ("none", {"include_thoughts": False, "thinking_budget": 0}),
            ("high", {"include_thoughts": True, "thinking_budget": 24_576}),
        ],
    )
    async def test_older_models_think_by_budget(
        self, fake: FakeGemini, provider: GeminiProvider, effort: Any, thinking: dict[str, Any]
    ) -> None:
        await hear(provider, ask("Hello", model="gemini-2.5-flash", reasoning_effort=effort))

        assert fake.requests[-1].body["generationConfig"]["thinkingConfig"] == thinking

    @pytest.mark.parametrize(("model", "effort"), [("gemma-4-31b-it", "low"), (MODEL, "none")])
    async def test_an_effort_that_a_model_does_not_have(
        self, fake: FakeGemini, provider: GeminiProvider, model: str, effort: Any
    ) -> None:
        with pytest.raises(Unsupported, match=model):
            await hear(provider, ask("Hello", model=model, reasoning_effort=effort))
        assert not fake.requests

    async def test_a_model_that_does_not_think_is_not_asked_to(
        self, fake: FakeGemini, provider: GeminiProvider
    ) -> None:
        fake.add_model("gemini-3.9-plain", context_window=10_000)
        await provider.list_models()

        assert (await hear(provider, ask("Hello", model="gemini-3.9-plain"))).text == "Hello"
        assert "thinkingConfig" not in fake.requests[-1].body.get("generationConfig", {})


class TestSignatures:
    async def test_an_answer_goes_back_as_it_came(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        fake.answer(["Hel", "lo"], reasoning="hm")
        data = (await hear(provider, ask("1"))).finished.provider_data
        assert data is not None
        assert [part.get("text") for part in data["parts"]] == ["Hello", ""]  # type: ignore[index,union-attr]  JSON

        assert (await hear(provider, ask("1", said("Hello", "assistant", data), "2"))).text == "2"

        parts = fake.requests[-1].body["contents"][1]["parts"]
        assert parts[0] == {"text": "Hello"}
        assert parts[1]["thoughtSignature"]
        assert len(fake.requests) == 2

    async def test_a_signature_that_is_not_taken_any_more_is_left_out(
        self, fake: FakeGemini, provider: GeminiProvider
    ) -> None:
        data = (await hear(provider, ask("1", model="gemini-4-argon"))).finished.provider_data

        heard = await hear(provider, ask("1", said("Hello", "assistant", data), "2"))

        assert heard.text == "2"
        assert [request.status for request in fake.requests] == [200, 400, 200]
        assert fake.requests[-1].body["contents"][1]["parts"] == [{"text": "Hello"}]

    @pytest.mark.parametrize("data", [{}, {"parts": [{"wrong": 1}]}, {"parts": "none"}])
    async def test_data_of_another_shape_is_passed_over(
        self, fake: FakeGemini, provider: GeminiProvider, data: dict[str, Any]
    ) -> None:
        await hear(provider, ask("1", said("Hello", "assistant", data), "2"))

        assert fake.requests[-1].body["contents"][1]["parts"] == [{"text": "Hello"}]

    async def test_without_a_signature_nothing_is_kept(self, provider: GeminiProvider) -> None:
        assert (await hear(provider, ask("Hello", model="gemma-4-31b-it"))).finished.provider_data is None


class TestRetries:
    async def test_the_wait_of_the_api_is_kept_and_told(
        self, fake: FakeGemini, provider: GeminiProvider, clock: Any
    ) -> None:
        fake.answer(error=fake.errors.rate_limited(7.5))

        heard = await hear(provider, ask("Hello"))

        assert heard.events[0] == Waiting("rate_limit", 7.5)
        assert heard.text == "Hello"
        assert clock.waits == [7.5]

    async def test_an_overloaded_model_is_asked_three_times(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        fake.fault(":stream", fake.errors.overloaded(), times=None)

        with pytest.raises(Unavailable, match="overloaded"):
            await hear(provider, ask("Hello"))
        assert len(fake.requests) == 3


class TestTokens:
    async def test_the_api_counts(self, provider: GeminiProvider) -> None:
        assert await provider.count_tokens(ask("Hello there, fake")) == 5
        assert await provider.count_tokens(ask("Hello there, fake", system="Be kind.")) == 7


class TestModels:
    async def test_chat_models_of_all_pages(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        for number in range(1100):
            fake.add_model(f"gemini-9.{number}", context_window=10)

        models = {model.id: model for model in await provider.list_models()}

        assert len(models) == 1105
        assert not {"gemini-embedding-001", "gemini-2.5-flash-preview-tts"} & models.keys()
        flash = models[MODEL]
        assert (flash.title, flash.context_window, flash.max_output_tokens) == ("Gemini 3.8 Flash", 1_048_576, 65_536)
        assert flash.reasoning
        assert {"application/pdf", "video/mp4"} <= flash.mime_types
        assert models["gemma-4-31b-it"].mime_types >= {"image/png"}
        assert "video/mp4" not in models["gemma-4-31b-it"].mime_types

    async def test_prices_are_told_where_they_are_known(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        models = {model.id: model.price for model in await provider.list_models()}

        price = models["gemini-4-argon"]
        assert price is not None
        assert (price.input, price.output, price.cached) == (2, 10, 0.1)
        assert models["gemini-2.5-flash"] is None

    async def test_a_list_that_can_t_be_had_is_tried_again(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        fake.fault("/models", fake.errors.internal(), times=2)

        assert len(await provider.list_models()) == 5

    async def test_another_version_of_the_api(self, fake: FakeGemini, make: Make) -> None:
        await (await make(api_version="v1beta")).list_models()

        assert fake.requests[-1].path == "/v1beta/models"
