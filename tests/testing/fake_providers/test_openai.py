"""The fake of OpenAI's API and of its dialects, judged by the OpenAI SDK."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from tgllm.api.types import Usage
from tgllm.testing.fake_providers import FakeOpenAI, Signal
from tgllm.testing.fake_providers.openai_api.dialects import DIALECTS

MODEL = "gpt-6-luna"
HELLO: list[Any] = [{"role": "user", "content": "Hello there, fake"}]
IMAGE: dict[str, Any] = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.fixture
def dialect() -> str:
    return "openai"


@pytest.fixture
async def fake(dialect: str) -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(dialect) as server:
        yield server


@pytest.fixture
async def sdk(fake: FakeOpenAI) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=fake.key, base_url=fake.base_url, max_retries=0, timeout=10) as client:
        yield client


async def streamed(sdk: AsyncOpenAI, model: str = MODEL, **more: Any) -> list[Any]:
    stream = await sdk.chat.completions.create(model=model, messages=HELLO, stream=True, **more)
    return [chunk async for chunk in stream]


class TestOpenAI:
    async def test_the_list_tells_ids_only(self, sdk: AsyncOpenAI) -> None:
        models = [model async for model in sdk.models.list()]

        assert [model.id for model in models] == ["gpt-4.1", MODEL, "text-embedding-3-small"]
        assert set(models[0].model_dump(exclude_none=True)) == {"id", "object", "created", "owned_by"}

    async def test_usage_comes_last_and_only_if_it_is_asked_for(self, fake: FakeOpenAI, sdk: AsyncOpenAI) -> None:
        fake.answer("Hi", usage=Usage(16, 10, 5, 6))
        fake.answer("Hi")

        asked = await streamed(sdk, stream_options={"include_usage": True})
        unasked = await streamed(sdk)

        assert asked[-1].choices == []
        usage = asked[-1].usage.model_dump()
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (16, 10, 26)
        assert usage["prompt_tokens_details"]["cached_tokens"] == 6
        assert not any(chunk.usage for chunk in [*asked[:-1], *unasked])
        assert asked[-2].choices[0].finish_reason == "stop"

    async def test_there_is_no_reasoning_text(self, fake: FakeOpenAI, sdk: AsyncOpenAI) -> None:
        fake.answer("Hi", reasoning="Hm")

        chunks = await streamed(sdk)

        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hi"
        assert not any("Hm" in chunk.model_dump_json() for chunk in chunks)

    @pytest.mark.parametrize(
        ("field", "value", "param"),
        [
            ("max_tokens", 5, "max_tokens"),
            ("temperature", 0.5, "temperature"),
            ("extra_body", {"enable_thinking": True}, "enable_thinking"),
        ],
    )
    async def test_a_field_that_the_model_refuses(
        self, sdk: AsyncOpenAI, field: str, value: object, param: str
    ) -> None:
        with pytest.raises(openai.BadRequestError) as caught:
            await streamed(sdk, **{field: value})
        assert caught.value.param == param

    async def test_older_models_take_those_fields(self, sdk: AsyncOpenAI) -> None:
        assert await streamed(sdk, model="gpt-4.1", max_tokens=5, temperature=0.5)

    async def test_without_effort_the_temperature_is_free(self, sdk: AsyncOpenAI) -> None:
        assert await streamed(sdk, temperature=0.5, reasoning_effort="none")

    @pytest.mark.parametrize("body", [{"temperature": 3}, {"max_completion_tokens": 0}, {"reasoning_effort": "much"}])
    async def test_a_value_out_of_range(self, sdk: AsyncOpenAI, body: dict[str, Any]) -> None:
        with pytest.raises(openai.BadRequestError):
            await streamed(sdk, **body)

    async def test_a_wrong_key(self, fake: FakeOpenAI) -> None:
        async with AsyncOpenAI(api_key="sk-wrongcd15", base_url=fake.base_url, max_retries=0) as stranger:
            with pytest.raises(openai.AuthenticationError, match=r"sk\*\*\*cd15"):
                await stranger.models.list()

    @pytest.mark.parametrize(
        ("kind", "error"),
        [
            ("rate_limited", openai.RateLimitError),
            ("out_of_quota", openai.RateLimitError),
            ("internal", openai.InternalServerError),
            ("overloaded", openai.InternalServerError),
            ("filtered", openai.BadRequestError),
        ],
    )
    async def test_an_error_instead_of_an_answer(
        self, fake: FakeOpenAI, sdk: AsyncOpenAI, kind: str, error: type[openai.APIStatusError]
    ) -> None:
        fake.answer(error=getattr(fake.errors, kind)())

        with pytest.raises(error):
            await streamed(sdk)

    async def test_an_unknown_model(self, sdk: AsyncOpenAI) -> None:
        with pytest.raises(openai.NotFoundError) as caught:
            await streamed(sdk, model="nope")
        assert caught.value.code == "model_not_found"

    async def test_a_conversation_that_is_too_long(self, fake: FakeOpenAI, sdk: AsyncOpenAI) -> None:
        fake.context_window = 4

        with pytest.raises(openai.BadRequestError) as caught:
            await streamed(sdk)
        assert caught.value.code == "context_length_exceeded"

    async def test_a_refused_question(self, fake: FakeOpenAI, sdk: AsyncOpenAI) -> None:
        fake.refuse()

        with pytest.raises(openai.BadRequestError, match="flagged"):
            await streamed(sdk)

    async def test_an_error_inside_the_stream(self, fake: FakeOpenAI, sdk: AsyncOpenAI) -> None:
        fake.answer("Hel", error=fake.errors.overloaded())

        with pytest.raises(openai.APIError, match="overloaded"):
            await streamed(sdk)


class TestDialects:
    @pytest.mark.parametrize("dialect", [name for name in DIALECTS if name not in {"openai", "xai", "together"}])
    async def test_every_one_streams_to_the_sdk(self, fake: FakeOpenAI, sdk: AsyncOpenAI) -> None:
        fake.answer(["Привет, ", Signal.KEEP_ALIVE, "мир 🌍"], reasoning=["h", "m"])

        chunks = await streamed(sdk, model="large", stream_options={"include_usage": True})

        deltas = [chunk.choices[0].delta.model_dump() for chunk in chunks if chunk.choices]
        text = "".join(delta["content"] or "" for delta in deltas)
        assert text.removeprefix("<think>\nhm\n</think>\n\n") == "Привет, мир 🌍"
        field = fake.dialect.reasoning
        assert field == "tags" or "".join(delta.get(field) or "" for delta in deltas) == "hm"
        assert chunks[-1].usage is not None
        assert "large" in [model.id async for model in sdk.models.list()]

    @pytest.mark.parametrize("dialect", ["groq"])
    async def test_groq_refuses_unknown_fields(self, sdk: AsyncOpenAI) -> None:
        with pytest.raises(openai.BadRequestError, match="property 'safety_identifier' is unsupported"):
            await streamed(sdk, model="large", extra_body={"safety_identifier": "x"})

    @pytest.mark.parametrize("dialect", ["xai"])
    async def test_xai_counts_reasoning_apart(self, fake: FakeOpenAI, sdk: AsyncOpenAI) -> None:
        fake.answer("Hi", usage=Usage(16, 10, 4))

        usage = (await streamed(sdk, model="large"))[-1].usage.model_dump()

        assert (usage["completion_tokens"], usage["total_tokens"]) == (6, 26)

    @pytest.mark.parametrize("dialect", ["together"])
    async def test_together_sends_a_bare_list(self, fake: FakeOpenAI) -> None:
        async with httpx.AsyncClient(base_url=fake.base_url, headers={"Authorization": f"Bearer {fake.key}"}) as http:
            listed = (await http.get("/models")).json()

        assert [entry["id"] for entry in listed][:2] == ["small", "large"]

    @pytest.mark.parametrize(
        ("dialect", "method", "path"),
        [
            ("llama_cpp", "GET", "/props"),
            ("ollama", "GET", "/api/ps"),
            ("ollama", "POST", "/api/show"),
            ("lm_studio", "GET", "/api/v1/models"),
        ],
    )
    async def test_local_servers_have_their_own_api_and_need_no_key(
        self, fake: FakeOpenAI, method: str, path: str
    ) -> None:
        async with httpx.AsyncClient(base_url=fake.base_url.removesuffix("/v1")) as http:
            answer = await http.request(method, path, json={"model": "large"})
            missing = await http.get("/api/nothing")

        assert answer.status_code == 200
        assert missing.status_code == 404

    @pytest.mark.parametrize("dialect", ["llama_cpp"])
    async def test_a_model_may_be_loading(self, fake: FakeOpenAI, sdk: AsyncOpenAI) -> None:
        fake.loading = 1

        with pytest.raises(openai.InternalServerError, match="Loading model"):
            await streamed(sdk, model="large")
        assert await streamed(sdk, model="large")

    @pytest.mark.parametrize(
        ("dialect", "error"), [("plain", openai.BadRequestError), ("llama_cpp", openai.InternalServerError)]
    )
    async def test_an_image_is_for_models_that_see(self, sdk: AsyncOpenAI, error: type[openai.APIStatusError]) -> None:
        messages: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "What?"}, IMAGE]}]

        seen = await sdk.chat.completions.create(model="large", messages=messages)

        assert seen.choices[0].message.content == "What?"
        with pytest.raises(error, match="image"):
            await sdk.chat.completions.create(model="small", messages=messages)
