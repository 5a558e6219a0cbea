"""Every deviation of gateways from the format, and every form of an error in place of an answer, for each client."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from tgllm.api import BadResponse, ProviderError, TextDelta, Unavailable
from tgllm.api.provider import Provider
from tgllm.providers import openai_chat
from tgllm.providers.http import ProviderHttp
from tgllm.providers.openai_chat import OpenAIChatClient
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
    monkeypatch.setattr(openai_chat, "LAST_EVENT_SECONDS", 0.05)
    last = b'data: {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}\n\n'
    client.fake.order(Answer((last, Signal.KEEP_ALIVE, asyncio.Event())))

    assert await client.hear() == ("a", "stop")
