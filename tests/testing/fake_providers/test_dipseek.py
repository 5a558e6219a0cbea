"""The fake of the DeepSeek API, judged by the OpenAI SDK, which the vendor tells its users to take."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from tgllm.api.types import Usage
from tgllm.testing.fake_providers import FakeDipseek, Signal

MODEL = "deepseek-flash"
HELLO: list[Any] = [{"role": "user", "content": "Hello there, fake"}]
IMAGE: dict[str, Any] = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.fixture
async def fake() -> AsyncIterator[FakeDipseek]:
    async with FakeDipseek() as server:
        yield server


@pytest.fixture
async def sdk(fake: FakeDipseek) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=fake.key, base_url=fake.base_url, max_retries=0, timeout=10) as client:
        yield client


async def streamed(sdk: AsyncOpenAI, **more: Any) -> list[Any]:
    stream = await sdk.chat.completions.create(model=MODEL, messages=HELLO, stream=True, **more)
    return [chunk async for chunk in stream]


async def post(http: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await http.post("/chat/completions", json={"model": MODEL, "messages": HELLO, **body})


class TestModels:
    async def test_the_list_tells_ids_only(self, sdk: AsyncOpenAI) -> None:
        models = [model async for model in sdk.models.list()]

        assert [model.id for model in models] == ["deepseek-flash", "deepseek-v4-pro"]
        assert models[0].owned_by == "deepseek"

    async def test_the_version_may_stand_in_the_path(self, fake: FakeDipseek, http: httpx.AsyncClient) -> None:
        fake.add_model("deepseek-next", context_window=1000)

        listed = (await http.get("/v1/models")).json()

        assert [model["id"] for model in listed["data"]][-1] == "deepseek-next"

    async def test_the_balance(self, fake: FakeDipseek, http: httpx.AsyncClient) -> None:
        fake.balance = "0.00"

        balance = (await http.get("/user/balance")).json()

        assert (balance["is_available"], balance["balance_infos"][0]["total_balance"]) == (False, "0.00")
        assert (await post(http)).status_code == 402


class TestAnswers:
    async def test_without_an_order_it_echoes(self, sdk: AsyncOpenAI) -> None:
        answer = await sdk.chat.completions.create(model=MODEL, messages=HELLO)

        assert answer.choices[0].message.content == "Hello there, fake"

    async def test_reasoning_and_usage(self, fake: FakeDipseek, sdk: AsyncOpenAI) -> None:
        fake.answer("Hi", reasoning="Hm", usage=Usage(16, 10, 5, 6))

        answer = await sdk.chat.completions.create(model=MODEL, messages=HELLO)

        message = answer.choices[0].message.model_dump()
        assert (message["content"], message["reasoning_content"]) == ("Hi", "Hm")
        assert answer.usage is not None
        usage = answer.usage.model_dump()
        assert (usage["prompt_tokens"], usage["completion_tokens"]) == (16, 10)
        assert (usage["prompt_cache_hit_tokens"], usage["prompt_cache_miss_tokens"]) == (6, 10)
        assert usage["completion_tokens_details"]["reasoning_tokens"] == 5

    async def test_a_stream_with_keep_alives_in_odd_pieces(self, fake: FakeDipseek, sdk: AsyncOpenAI) -> None:
        fake.answer(["Привет, ", Signal.KEEP_ALIVE, "мир 🌍"], reasoning=["h", "m"])

        chunks = await streamed(sdk)

        deltas = [chunk.choices[0].delta.model_dump() for chunk in chunks]
        assert "".join(delta["content"] or "" for delta in deltas) == "Привет, мир 🌍"
        assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == "hm"
        assert chunks[-1].usage is not None
        assert chunks[-1].choices[0].finish_reason == "stop"

    async def test_usage_in_a_chunk_of_its_own(self, fake: FakeDipseek, sdk: AsyncOpenAI) -> None:
        fake.answer("Hi", trailing_usage=True, finish="length")

        chunks = await streamed(sdk, stream_options={"include_usage": True})

        assert chunks[-1].choices == []
        assert chunks[-1].usage is not None
        assert (chunks[-2].choices[0].finish_reason, chunks[-2].usage) == ("length", None)

    async def test_thinking_can_be_disabled(self, fake: FakeDipseek, sdk: AsyncOpenAI) -> None:
        fake.answer("Hi", reasoning="Hm")

        chunks = await streamed(sdk, extra_body={"thinking": {"type": "disabled"}})

        assert not any(chunk.choices[0].delta.model_dump().get("reasoning_content") for chunk in chunks)

    async def test_the_stream_begins_with_a_comment_and_ends_with_done(self, http: httpx.AsyncClient) -> None:
        response = await post(http, stream=True)

        assert response.content.startswith(b": keep-alive\n\ndata: {")
        assert response.content.endswith(b"\n\ndata: [DONE]\n\n")

    async def test_blank_lines_before_a_whole_answer(self, fake: FakeDipseek, http: httpx.AsyncClient) -> None:
        fake.answer([Signal.KEEP_ALIVE, Signal.KEEP_ALIVE, "Hi"])

        response = await post(http)

        assert response.content.startswith(b"\n\n{")
        assert response.json()["choices"][0]["message"]["content"] == "Hi"


class TestStrictness:
    async def test_unknown_fields_are_ignored(self, http: httpx.AsyncClient) -> None:
        assert (await post(http, seed=1)).status_code == 200

    async def test_a_wrong_key(self, fake: FakeDipseek) -> None:
        async with AsyncOpenAI(api_key="sk-wrongcd15", base_url=fake.base_url, max_retries=0) as stranger:
            with pytest.raises(openai.AuthenticationError, match=r"\*\*\*\*cd15 is invalid") as caught:
                await stranger.models.list()

        assert caught.value.response.headers["content-type"] == "application/octet-stream"
        assert json.loads(caught.value.response.content)["error"]["type"] == "authentication_error"

    async def test_an_unknown_model(self, sdk: AsyncOpenAI) -> None:
        with pytest.raises(openai.BadRequestError, match="Model Not Exist"):
            await sdk.chat.completions.create(model="nope", messages=HELLO)

    @pytest.mark.parametrize("body", [{"max_tokens": 0}, {"messages": []}, {"user_id": "x" * 513}, {"stream": "so"}])
    async def test_a_value_out_of_range(self, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
        assert (await post(http, **body)).status_code == 422

    async def test_an_image_is_for_models_that_see(self, sdk: AsyncOpenAI) -> None:
        messages: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "What?"}, IMAGE]}]

        seen = await sdk.chat.completions.create(model=MODEL, messages=messages)

        assert seen.choices[0].message.content == "What?"
        with pytest.raises(openai.BadRequestError, match="unknown variant `image_url`"):
            await sdk.chat.completions.create(model="deepseek-v4-pro", messages=messages)

    @pytest.mark.parametrize(("reasoning", "status"), [({}, 400), ({"reasoning_content": "hm"}, 200)])
    async def test_reasoning_before_a_tool_call_must_come_back(
        self, http: httpx.AsyncClient, reasoning: dict[str, str], status: int
    ) -> None:
        call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        messages = [
            *HELLO,
            {"role": "assistant", "content": "", "tool_calls": [call], **reasoning},
            {"role": "tool", "tool_call_id": "1", "content": "2"},
        ]

        response = await post(http, messages=messages)

        assert response.status_code == status
        assert ("must be passed back" in response.text) == (status == 400)

    async def test_a_conversation_that_is_too_long(self, fake: FakeDipseek, sdk: AsyncOpenAI) -> None:
        fake.context_window = 4

        with pytest.raises(openai.BadRequestError, match=r"length is 4 tokens\. However, you requested 5"):
            await sdk.chat.completions.create(model=MODEL, messages=HELLO)


class TestTroubles:
    @pytest.mark.parametrize(
        ("kind", "error"),
        [
            ("rate_limited", openai.RateLimitError),
            ("internal", openai.InternalServerError),
            ("overloaded", openai.InternalServerError),
            ("risky", openai.BadRequestError),
        ],
    )
    async def test_an_error_instead_of_an_answer(
        self, fake: FakeDipseek, sdk: AsyncOpenAI, kind: str, error: type[openai.APIStatusError]
    ) -> None:
        fake.answer(error=getattr(fake.errors, kind)())

        with pytest.raises(error):
            await streamed(sdk)

    async def test_out_of_credit(self, fake: FakeDipseek, sdk: AsyncOpenAI) -> None:
        fake.answer(error=fake.errors.out_of_quota())

        with pytest.raises(openai.APIStatusError, match="Insufficient Balance") as caught:
            await streamed(sdk)
        assert caught.value.status_code == 402

    async def test_a_refused_question(self, fake: FakeDipseek, sdk: AsyncOpenAI) -> None:
        fake.refuse()

        with pytest.raises(openai.BadRequestError, match="Content Exists Risk"):
            await streamed(sdk)

    async def test_an_error_inside_the_stream(self, fake: FakeDipseek, sdk: AsyncOpenAI) -> None:
        fake.answer("Hel", error=fake.errors.overloaded())

        with pytest.raises(openai.APIError, match="too busy"):
            await streamed(sdk)

    async def test_a_cut_connection(self, fake: FakeDipseek, sdk: AsyncOpenAI) -> None:
        fake.answer(["Hel", Signal.CUT])

        with pytest.raises(openai.APIError):
            await streamed(sdk)
        assert fake.open_streams == 0


class TestFiles:
    async def test_the_purpose_comes_before_the_file(self, http: httpx.AsyncClient) -> None:
        picture = ("a.jpg", b"JPEG", "image/jpeg")
        ordered = {"purpose": (None, "user_data"), "file": picture}
        turned = {"file": picture, "purpose": (None, "user_data")}

        assert (await http.post("/files", files=ordered)).status_code == 200
        assert (await http.post("/files", files=turned)).status_code == 400

    async def test_an_upload_can_be_shown_and_deleted(
        self, fake: FakeDipseek, sdk: AsyncOpenAI, http: httpx.AsyncClient
    ) -> None:
        made = await http.post(
            "/files",
            files={
                "purpose": (None, "user_data"),
                "expires_after[seconds]": (None, "3600"),
                "file": ("a.jpg", b"JPEG", "image/jpeg"),
            },
        )
        identifier = made.json()["id"]

        file = await sdk.files.retrieve(identifier)
        assert (file.id, file.bytes, file.filename) == (identifier, 4, "a.jpg")
        assert file.expires_at == file.created_at + 3600
        assert [found.id async for found in sdk.files.list()] == [identifier]
        content = [{"type": "text", "text": "See"}, {"type": "file", "file_id": identifier}]
        assert (await post(http, messages=[{"role": "user", "content": content}])).status_code == 200
        assert (await sdk.files.delete(identifier)).deleted
        assert (await post(http, messages=[{"role": "user", "content": content}])).status_code == 404
        assert fake.requests[0].body["file"] == {"name": "a.jpg", "mime_type": "image/jpeg", "size": 4}
