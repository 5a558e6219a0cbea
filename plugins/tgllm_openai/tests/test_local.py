"""Local servers: no key, windows that are asked for, and models that are loaded first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from tgllm.api import ModelInfo, TextDelta, Unavailable, Waiting
from tgllm.providers.http import ProviderHttp
from tgllm.testing.asking import failure, hear, question
from tgllm.testing.clock import HurriedClock
from tgllm.testing.fake_providers import FakeError, FakeOpenAI
from tgllm.testing.making import Make, provider_maker
from tgllm_openai.local import LocalServer

ASK = question("large", "Hello")
LOCAL = ["llama_cpp", "ollama", "lm_studio", "vllm"]


@pytest.fixture
async def clock() -> HurriedClock:
    return HurriedClock()


@pytest.fixture
async def make(fake: FakeOpenAI, clock: HurriedClock) -> AsyncIterator[Make]:
    async with provider_maker("tgllm_openai.plugin", clock=clock) as make_plugin:

        async def make_service(**changes: object) -> object:
            return await make_plugin(services={"s": {"base_url": fake.base_url, **changes}})

        yield make_service


@pytest.mark.parametrize("named", [True, False], ids=["with a preset", "by its address alone"])
@pytest.mark.parametrize("dialect", LOCAL)
async def test_it_answers_without_a_key_and_tells_its_windows(
    make: Make, fake: FakeOpenAI, dialect: str, named: bool
) -> None:
    if dialect == "llama_cpp":
        # It serves one model.
        del fake.models["small"], fake.details["small"]
    provider = await make(**({"preset": dialect} if named else {}))

    models = {model.id: model for model in await provider.list_models()}

    assert models["large"].context_window == 131_072
    assert models["large"].supports_files == (dialect != "vllm")
    assert set(models) == ({"large"} if dialect == "llama_cpp" else {"small", "large"})
    assert (await hear(provider, ASK)).text == "Hello"
    assert not any("authorization" in request.headers for request in fake.requests)


async def test_a_window_that_is_no_number_does_not_cost_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    async def get_json(url: str) -> object:
        return {"models": []}

    async def post_json(url: str, body: object) -> object:
        return {"parameters": f"num_ctx {'9' * 5000}", "capabilities": ["completion"], "model_info": {"x": []}}

    async with aclosing(ProviderHttp("http://127.0.0.1:1")) as http:
        monkeypatch.setattr(http, "get_json", get_json)
        monkeypatch.setattr(http, "post_json", post_json)
        found = await LocalServer(http, "http://127.0.0.1:1/v1", "ollama").complete([ModelInfo("large")])

    assert [(model.id, model.context_window) for model in found] == [("large", None)]


@pytest.mark.parametrize("dialect", ["ollama", "lm_studio"])
async def test_the_window_that_is_really_allocated_counts(make: Make, fake: FakeOpenAI, dialect: str) -> None:
    fake.loaded["large"] = 4096

    models = {model.id: model for model in await (await make(preset=dialect)).list_models()}

    assert (models["small"].context_window, models["large"].context_window) == (8192, 4096)


@pytest.mark.parametrize("dialect", ["ollama"])
async def test_ollama_tells_which_models_think(make: Make) -> None:
    models = {model.id: model for model in await (await make(preset="ollama")).list_models()}

    assert [models[name].reasoning for name in ("small", "large")] == [False, True]


@pytest.mark.parametrize("dialect", LOCAL)
@pytest.mark.parametrize("status", [404, 500, 200])
async def test_a_list_without_windows_is_better_than_none(
    make: Make, fake: FakeOpenAI, dialect: str, status: int
) -> None:
    for path in ("/props", "/api/"):
        fake.fault(path, FakeError(status, "<html>no</html>", content_type="text/html"), times=None)

    assert {model.id for model in await (await make(preset=dialect)).list_models()} == {"small", "large"}


@pytest.mark.parametrize("dialect", ["llama_cpp"])
async def test_a_model_that_is_loading_is_waited_for(make: Make, fake: FakeOpenAI, clock: HurriedClock) -> None:
    fake.loading = 40
    provider = await make(preset="llama_cpp")

    heard = await hear(provider, ASK)

    assert heard.text == "Hello"
    assert Waiting("queue", 2.0) in heard.events
    assert sum(clock.waits) < 600


@pytest.mark.parametrize("dialect", ["llama_cpp"])
async def test_it_is_not_waited_for_without_end(make: Make, fake: FakeOpenAI) -> None:
    fake.loading = 10_000
    provider = await make(preset="llama_cpp", timeout_seconds=30)

    found = await failure(provider, ASK)

    assert isinstance(found, Unavailable)
    assert "Loading model" in str(found)
    assert len(fake.requests) < 100


@pytest.mark.parametrize("dialect", ["ollama"])
async def test_a_server_that_loads_silently_shows_that_it_is_waited_for(
    make: Make, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.providers.streams.waiting.with_news.__defaults__", (0.001,))
    loaded = asyncio.Event()
    fake.fault("/chat", loaded)
    events = (await make(preset="ollama")).generate(ASK)

    first = [await anext(events) for _ in range(2)]
    loaded.set()
    rest = [event async for event in events]

    assert first == [Waiting("queue")] * 2
    assert [event for event in rest if isinstance(event, TextDelta)] == [TextDelta("Hello")]


@pytest.mark.parametrize("dialect", ["llama_cpp"])
async def test_a_server_that_is_not_there_is_not_waited_for(make: Make, fake: FakeOpenAI, clock: HurriedClock) -> None:
    provider = await make(preset="llama_cpp")
    await fake.stop()

    found = await failure(provider, ASK)

    assert isinstance(found, Unavailable)
    assert "127.0.0.1" in str(found)
    assert sum(clock.waits) < 60
    await fake.start()
