"""Models that make pictures."""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tgllm.api import ChatMessage, ChatRequest, FileDelta, FilePart, ProviderError, Refused, TextPart
from tgllm.testing.asking import Heard, hear
from tgllm.testing.fake_providers import FakeGemini
from tgllm_gemini.provider import GeminiProvider

MODEL = "gemini-3.1-flash-image"
CAT = FileDelta(b"\x89PNG cat", "image/png")


def made(heard: Heard) -> list[FileDelta]:
    return [event for event in heard.events if isinstance(event, FileDelta)]


def ask(*messages: ChatMessage | str, model: str = MODEL, **settings: Any) -> ChatRequest:
    said = (ChatMessage("user", (TextPart(one),)) if isinstance(one, str) else one for one in messages)
    return ChatRequest(model, tuple(said), **settings)


def stored(content: bytes, path: Path) -> FilePart:
    path.write_bytes(content)
    return FilePart(path, "image/png", len(content), hashlib.sha256(content).hexdigest(), "picture.png")


def sent_parts(fake: FakeGemini) -> list[dict[str, Any]]:
    """The parts of the model's earlier answer in the last request."""
    return next(content["parts"] for content in fake.requests[-1].body["contents"] if content["role"] == "model")


async def test_text_and_pictures_in_their_order(fake: FakeGemini, provider: GeminiProvider) -> None:
    fake.answer(["Here is ", CAT, "and ", FileDelta(b"dog", "image/jpeg"), "."])

    heard = await hear(provider, ask("Draw a cat and a dog"))

    assert heard.text == "Here is and ."
    assert made(heard) == [CAT, FileDelta(b"dog", "image/jpeg")]
    assert fake.requests[-1].body["generationConfig"]["responseModalities"] == ["TEXT", "IMAGE"]


async def test_other_models_are_asked_for_no_pictures(fake: FakeGemini, provider: GeminiProvider) -> None:
    await hear(provider, ask("Hello", model="gemini-3.8-flash"))

    assert "responseModalities" not in fake.requests[-1].body["generationConfig"]


async def test_an_interim_picture_is_not_shown(fake: FakeGemini, provider: GeminiProvider) -> None:
    data = base64.b64encode(b"sketch").decode()
    part = {"thought": True, "inlineData": {"mimeType": "image/png", "data": data}}
    event = json.dumps({"candidates": [{"content": {"role": "model", "parts": [part]}}]})
    fake.answer([f"data: {event}\r\n\r\n".encode(), CAT])

    assert made(await hear(provider, ask("Draw"))) == [CAT]


async def test_a_picture_of_megabytes_in_one_line(fake: FakeGemini, provider: GeminiProvider) -> None:
    fake.write_bytes = None
    large = FileDelta(os.urandom(20 * 2**20), "image/png")
    fake.answer([large])

    (picture,) = made(await hear(provider, ask("Draw")))

    assert hashlib.sha256(picture.content).digest() == hashlib.sha256(large.content).digest()


@pytest.mark.parametrize("thinks", [True, False])
async def test_a_picture_is_sent_back_to_be_changed(
    fake: FakeGemini, provider: GeminiProvider, tmp_path: Path, thinks: bool
) -> None:
    fake.models[MODEL]["thinking"] = thinks
    fake.answer(["A cat: ", CAT])
    heard = await hear(provider, ask("Draw a cat"))
    data = heard.finished.provider_data
    assert (data is not None) == thinks
    assert len(str(data)) < 2000

    picture = stored(CAT.content, tmp_path / "x")
    answer = ChatMessage("assistant", (TextPart(heard.text), picture), data)
    await hear(provider, ask("Draw a cat", answer, "In blue"))

    text, image, *rest = sent_parts(fake)
    assert text["text"] == "A cat: "
    assert base64.b64decode(image["inlineData"]["data"]) == CAT.content
    assert ("thoughtSignature" in image) == thinks
    assert not [part for part in rest if "inlineData" in part]


async def test_without_the_picture_the_text_is_sent(fake: FakeGemini, provider: GeminiProvider) -> None:
    fake.models[MODEL]["thinking"] = True
    fake.answer(["A cat: ", CAT])
    heard = await hear(provider, ask("Draw a cat"))

    answer = ChatMessage("assistant", (TextPart("A cat: [picture.png]"),), heard.finished.provider_data)
    await hear(provider, ask("Draw a cat", answer, "In blue"))

    assert sent_parts(fake) == [{"text": "A cat: [picture.png]"}]


@pytest.mark.parametrize("finish", ["IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"])
async def test_a_refused_picture(fake: FakeGemini, provider: GeminiProvider, finish: str) -> None:
    fake.answer("Well, ", finish=finish)

    with pytest.raises(Refused, match=r"blocked the answer: .*image") as caught:
        await hear(provider, ask("Draw"))
    assert caught.value.params["reason"] == finish


@pytest.mark.parametrize("finish", ["NO_IMAGE", "IMAGE_OTHER"])
async def test_no_picture(fake: FakeGemini, provider: GeminiProvider, finish: str) -> None:
    fake.answer("Well, ", finish=finish)

    with pytest.raises(ProviderError) as caught:
        await hear(provider, ask("Draw"))
    assert caught.value.code == "no_picture"

    fake.answer([CAT], finish=finish)
    assert made(await hear(provider, ask("Draw"))) == [CAT]


async def test_models_of_pictures_are_listed(provider: GeminiProvider) -> None:
    models = {model.id: model for model in await provider.list_models()}

    model = models[MODEL]
    assert "image/png" in model.mime_types
    assert not model.reasoning
    assert model.price is not None
    assert model.price.output == 60
