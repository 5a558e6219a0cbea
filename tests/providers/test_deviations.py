"""Every deviation of gateways from the format, and every form of an error in place of an answer, for each client."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tgllm.api import BadResponse, ProviderError, TextDelta, Unavailable
from tgllm.api.provider import Provider
from tgllm.providers.http import ProviderHttp
from tgllm.providers.openai_chat import OpenAIChatClient
from tgllm.providers.streams import answering
from tgllm.testing.asking import hear, question
from tgllm.testing.clock import HurriedClock
from tgllm.testing.fake_providers import (
    DEVIATIONS,
    ERROR_FORMS,
    Answer,
    FakeDipseek,
    FakeGemini,
    FakeMistral,
    FakeServer,
    Signal,
)
from tgllm.testing.fake_providers.base.deviations import is_possible
from tgllm.testing.making import provider_maker

TEXT = ("Zażółć ", "gęślą\n\n", " jaźń\u2028, ", "世界")
WORDS = "The upstream of the gateway is on strike"
MODELS = {"shared": "m", "dipseek": "deepseek-flash", "mistral": "mistral-medium-3-5", "gemini": "gemini-3.8-flash"}
FAKES: dict[str, Callable[[], FakeServer]] = {
    "shared": FakeDipseek,
    "dipseek": FakeDipseek,
    "mistral": FakeMistral,
    "gemini": FakeGemini,
}


class Client:
    def __init__(self, name: str, fake: FakeServer, provider: Provider) -> None:
        self.fake, self._provider, self._model = fake, provider, MODELS[name]

    async def hear(self) -> tuple[str, str]:
        heard = await hear(self._provider, question(self._model, "Hello"))
        return heard.text, heard.finished.reason

    async def fails(self) -> tuple[str, ProviderError]:
        said: list[str] = []

        async def listen() -> None:
            async for event in self._provider.generate(question(self._model, "Hello")):
                said.extend([event.text] if isinstance(event, TextDelta) else [])

        with pytest.raises(ProviderError) as caught:
            await listen()
        return "".join(said), caught.value


@pytest.fixture(params=MODELS)
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    name: str = request.param
    async with FAKES[name]() as fake:
        fake.add_model("m", context_window=1000)
        if name == "shared":
            http = ProviderHttp(fake.base_url, headers={"Authorization": f"Bearer {fake.key}"})
            provider = OpenAIChatClient(http, HurriedClock())
            yield Client(name, fake, provider)
            await provider.aclose()
        else:
            async with provider_maker(f"tgllm_{name}.plugin", api_key=fake.key, base_url=fake.base_url) as make:
                yield Client(name, fake, await make())


@pytest.mark.parametrize("name", DEVIATIONS)
async def test_a_complete_answer_is_kept(client: Client, name: str) -> None:
    if not is_possible(name, has_done=client.fake.has_done):
        with pytest.raises(NotImplementedError):
            client.fake.deviate(name, TEXT)
        return
    client.fake.deviate(name, TEXT)

    assert await client.hear() == ("".join(TEXT), "stop")
    assert len(client.fake.requests) == 1


@pytest.mark.parametrize("form", ERROR_FORMS)
async def test_an_error_in_place_of_an_answer_has_the_words_of_the_service(client: Client, form: str) -> None:
    client.fake.fail_in_place(form, f"{WORDS} ({client.fake.key})")

    said, error = await client.fails()
    assert said == ""
    assert WORDS in str(error)
    assert client.fake.key not in f"{error!r} {error} {error.params}"


@pytest.mark.parametrize("end", [Signal.CUT, Signal.EOF, b'data: {"choices": [{"delta": {"content": "c'])
async def test_an_answer_that_breaks_off_before_its_end_is_an_error_with_its_text(client: Client, end: object) -> None:
    client.fake.order(Answer(("a", "b", end, Signal.EOF)))  # type: ignore[arg-type]  a step of any kind

    said, error = await client.fails()
    assert said == "ab"
    assert isinstance(error, Unavailable | BadResponse)


async def test_a_service_that_neither_ends_nor_closes_its_stream_does_not_hold_the_answer_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not client.fake.has_done:
        pytest.skip("Google's library reads to the end of the stream")
    monkeypatch.setattr(answering, "LAST_EVENT_SECONDS", 0.05)
    last = b'data: {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}\n\n'
    client.fake.order(Answer((last, Signal.KEEP_ALIVE, asyncio.Event())))

    assert await client.hear() == ("a", "stop")


SECRET = "nobody else may read this"
WRONG_TYPES: dict[str, list[tuple[dict[str, Any], str]]] = {
    "openai": [
        ({"choices": [{"delta": {"content": 5}}]}, "choices[0].delta.content: expected text, got a number"),
        ({"choices": [{"delta": {"content": True}}]}, "choices[0].delta.content: expected text, got true or false"),
        (
            {"choices": [{"delta": {"content": [SECRET, 5]}}]},
            "choices[0].delta.content[1]: expected text, got a number",
        ),
        (
            {"choices": [{"delta": {"content": [{"type": "text", "text": [SECRET]}]}}]},
            "choices[0].delta.content[0].text: expected text, got a list",
        ),
        ({"choices": [{"delta": SECRET}]}, "choices[0].delta: expected an object, got text"),
        ({"choices": [{"message": [SECRET]}]}, "choices[0].message: expected an object, got a list"),
        ({"choices": [SECRET]}, "choices[0]: expected an object, got text"),
        ({"choices": {"0": SECRET}}, "choices: expected a list, got an object"),
        ({"choices": [{"delta": {}, "finish_reason": 1}]}, "choices[0].finish_reason: expected text, got a number"),
    ],
    "gemini": [
        (
            {"candidates": [{"content": {"parts": [{"text": 5}]}}]},
            "candidates[0].content.parts[0].text: expected text, got a number",
        ),
        ({"candidates": [{"content": {"parts": SECRET}}]}, "candidates[0].content.parts: expected a list, got text"),
        ({"candidates": [{"content": SECRET}]}, "candidates[0].content: expected an object, got text"),
        (
            {"candidates": [{"content": {"parts": [SECRET]}}]},
            "candidates[0].content.parts[0]: expected an object, got text",
        ),
        ({"candidates": [{"finishReason": 5}]}, "candidates[0].finishReason: expected text, got a number"),
        (
            {"usageMetadata": {"promptTokenCount": SECRET}},
            "usageMetadata.promptTokenCount: expected a number, got text",
        ),
    ],
}
"""Chunks whose content has the wrong type, and the words about them, by format."""


@pytest.mark.parametrize("index", range(len(WRONG_TYPES["openai"])))
async def test_an_answer_that_cant_be_read_names_the_field_and_never_the_text(client: Client, index: int) -> None:
    samples = WRONG_TYPES["openai" if client.fake.has_done else "gemini"]
    chunk, expected = samples[index % len(samples)]
    event = f"data: {json.dumps(chunk)}\r\n\r\n".encode()
    for _ in range(3):
        client.fake.order(Answer((event, Signal.EOF)))

    said, error = await client.fails()
    assert said == ""
    assert expected in str(error)
    assert SECRET not in f"{error!r} {error} {error.params} {error.__cause__!r} {error.__context__!r}"
