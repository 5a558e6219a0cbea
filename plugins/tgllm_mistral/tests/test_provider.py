"""Answers, requests and models, against a fake that is as strict as the API."""

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
    ReasoningDelta,
    TextDelta,
    TextPart,
    Unsupported,
    Usage,
)
from tgllm.testing.asking import hear, question
from tgllm.testing.fake_providers import FakeMistral
from tgllm.testing.making import Make
from tgllm_mistral.provider import MistralProvider

MODEL = "mistral-small-2603"
TEXT_ONLY = "codestral-2508"


def ask(*parts: str | FilePart, model: str = MODEL, **settings: Any) -> ChatRequest:
    return question(model, *parts, **settings)


def file(folder: Path, mime_type: str, content: bytes = b"content", name: str | None = None) -> FilePart:
    path = folder / "file"
    path.write_bytes(content)
    return FilePart(path, mime_type, len(content), "", name)


class TestAnswers:
    async def test_text_and_usage(self, provider: MistralProvider, fake: FakeMistral) -> None:
        usage = Usage(input_tokens=9, output_tokens=5, cached_tokens=2)
        fake.answer(["Zażółć ", "gęślą 👩‍👩‍👧"], usage=usage)

        heard = await hear(provider, ask("Hello"))

        assert heard.text == "Zażółć gęślą 👩‍👩‍👧"
        assert heard.finished == Finished("stop", usage)

    async def test_reasoning_comes_before_text(self, provider: MistralProvider, fake: FakeMistral) -> None:
        fake.answer(["An", "swer"], reasoning=["hm", "."])

        heard = await hear(provider, ask("Hello"))

        assert [type(event) for event in heard.events] == [ReasoningDelta] * 2 + [TextDelta] * 2 + [Finished]
        assert (heard.reasoning, heard.text) == ("hm.", "Answer")

    async def test_a_chunk_with_both_keeps_their_order(self, provider: MistralProvider, fake: FakeMistral) -> None:
        both = (
            b'data: {"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text",'
            b'"text":"hm"}],"closed":true,"signature":"sig"},{"type":"reference","reference_ids":[1]},'
            b'{"type":"text","text":"An"}]}}]}\n\n'
        )
        fake.answer([both, "swer"])

        heard = await hear(provider, ask("Hello"))

        assert heard.events[:3] == (ReasoningDelta("hm"), TextDelta("An"), TextDelta("swer"))
        assert heard.finished.provider_data == {"thinking": "hm", "signature": "sig"}

    @pytest.mark.parametrize(("word", "reason"), [("stop", "stop"), ("length", "length"), ("model_length", "length")])
    async def test_why_it_ends(self, provider: MistralProvider, fake: FakeMistral, word: str, reason: str) -> None:
        fake.answer("a", finish=word)

        assert (await hear(provider, ask("Hello"))).finished.reason == reason


class TestReplay:
    async def test_reasoning_goes_back_with_its_answer(self, provider: MistralProvider, fake: FakeMistral) -> None:
        fake.answer("Four.", reasoning="two and two")
        data = (await hear(provider, ask("2 + 2?"))).finished.provider_data
        answer = ChatMessage("assistant", (TextPart("Four."),), data)
        request = replace(ask("And 3 + 3?"), messages=(*ask("2 + 2?").messages, answer, *ask("3 + 3?").messages))

        await hear(provider, request)

        thought = {"type": "thinking", "thinking": [{"type": "text", "text": "two and two"}], "closed": True}
        assert fake.requests[-1].body["messages"][1] == {
            "role": "assistant",
            "content": [thought, {"type": "text", "text": "Four."}],
        }

    @pytest.mark.parametrize("data", [None, {}, {"thinking": 5}, {"thinking": ""}, {"other": [1]}])
    async def test_an_answer_without_usable_reasoning_goes_back_as_text(
        self, provider: MistralProvider, fake: FakeMistral, data: Any
    ) -> None:
        answer = ChatMessage("assistant", (TextPart("Four."),), data)

        await hear(provider, replace(ask("b"), messages=(*ask("a").messages, answer, *ask("b").messages)))

        assert fake.requests[-1].body["messages"][1] == {"role": "assistant", "content": "Four."}


class TestRequests:
    async def test_no_unknown_field_is_sent(self, make: Make, fake: FakeMistral) -> None:
        provider = await make(random_seed=7, safe_prompt=True)
        settings = {"temperature": 0.5, "max_output_tokens": 99, "reasoning_effort": "high", "user_key": "abc"}

        await hear(provider, ask("Hello", system="Be brief.", **settings))

        assert fake.requests[-1].body == {
            "model": MODEL,
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
            "stream": True,
            "temperature": 0.5,
            "max_tokens": 99,
            "reasoning_effort": "high",
            "random_seed": 7,
            "safe_prompt": True,
        }

    async def test_nothing_is_sent_that_nobody_set(self, provider: MistralProvider, fake: FakeMistral) -> None:
        await hear(provider, ask("Hello"))

        assert set(fake.requests[-1].body) == {"model", "messages", "stream"}

    async def test_a_picture_and_a_document(self, provider: MistralProvider, fake: FakeMistral, tmp_path: Path) -> None:
        paper = file(tmp_path, "application/pdf", name="a.pdf")
        picture = replace(paper, mime_type="image/png", name=None)

        await hear(provider, ask("Look", picture, paper))

        packed = base64.b64encode(b"content").decode()
        assert fake.requests[-1].body["messages"][0]["content"] == [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": f"data:image/png;base64,{packed}"},
            {
                "type": "document_url",
                "document_url": f"data:application/pdf;base64,{packed}",
                "document_name": "a.pdf",
            },
        ]

    @pytest.mark.parametrize(
        ("mime_type", "size"),
        [("application/zip", 1), ("video/mp4", 1), ("image/png", 10_000_001), ("application/pdf", 50_000_001)],
    )
    async def test_a_file_that_can_not_be_taken_is_refused(
        self, provider: MistralProvider, fake: FakeMistral, tmp_path: Path, mime_type: str, size: int
    ) -> None:
        part = replace(file(tmp_path, mime_type), size=size)

        with pytest.raises(Unsupported):
            await hear(provider, ask("Look", part))
        assert fake.requests == []

    async def test_a_model_that_is_known_to_be_blind_gets_no_picture(
        self, provider: MistralProvider, fake: FakeMistral, tmp_path: Path
    ) -> None:
        await provider.list_models()

        with pytest.raises(Unsupported, match="image/png"):
            await hear(provider, ask("Look", file(tmp_path, "image/png"), model=TEXT_ONLY))

    async def test_a_temperature_that_is_too_high_is_refused(self, provider: MistralProvider) -> None:
        with pytest.raises(Unsupported, match=r"1\.5"):
            await hear(provider, ask("Hello", temperature=1.6))

    async def test_a_model_that_is_known_not_to_reason_is_not_told_to(
        self, provider: MistralProvider, fake: FakeMistral
    ) -> None:
        await provider.list_models()

        with pytest.raises(Unsupported, match="reason"):
            await hear(provider, ask("Hello", model=TEXT_ONLY, reasoning_effort="high"))
        await hear(provider, ask("Hello", model=TEXT_ONLY, reasoning_effort="none"))
        assert "reasoning_effort" not in fake.requests[-1].body


class TestModels:
    async def test_chat_models_are_listed_once(self, provider: MistralProvider) -> None:
        models = {model.id: model for model in await provider.list_models()}

        assert set(models) == {"mistral-medium-3-5", MODEL, TEXT_ONLY}
        small = models[MODEL]
        assert small.aliases == ("mistral-small-latest",)
        assert small.context_window == 262_144
        assert small.reasoning
        assert {"image/png", "application/pdf"} <= small.mime_types
        assert small.price is not None
        assert (small.price.input, small.price.output, small.price.as_of) == (0.15, 0.6, "2026-11-22")

    async def test_what_a_model_can_not_do(self, provider: MistralProvider) -> None:
        (coder,) = [model for model in await provider.list_models() if model.id == TEXT_ONLY]

        assert not coder.reasoning
        assert "image/png" not in coder.mime_types
        assert "application/pdf" in coder.mime_types

    async def test_names_that_lead_to_each_other_are_one_model(
        self, provider: MistralProvider, fake: FakeMistral
    ) -> None:
        fake.models.clear()
        for name in ("a-latest", "a", "a-2603", "b"):
            fake.add_model(name, context_window=5)
        fake.models["a-latest"] |= {"name": "a-2603", "aliases": []}
        fake.models["a"] |= {"name": "a-2603", "aliases": []}
        fake.models["a-2603"] |= {"aliases": ["a-latest"]}

        models = await provider.list_models()

        assert [(model.id, model.aliases) for model in models] == [("a-2603", ("a", "a-latest")), ("b", ())]
        assert models[0].price is None

    async def test_odd_entries_are_passed_over(self, provider: MistralProvider, fake: FakeMistral) -> None:
        fake.models = {"x": {"id": "x"}, "y": {"capabilities": {"completion_chat": True}}, "z": {}}

        assert list(await provider.list_models()) == []

    async def test_a_version_in_the_address_does_no_harm(self, make: Make, fake: FakeMistral) -> None:
        provider = await make(base_url=f"{fake.base_url}/v1/")

        assert await provider.list_models()
