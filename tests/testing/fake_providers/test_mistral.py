"""The fake of the Mistral API, judged by the vendor's own SDK; what the SDK hides is asked over plain HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from mistralai.client import Mistral
from mistralai.client.errors import SDKError

from tgllm.api.types import Usage
from tgllm.testing.fake_providers import FakeMistral, Signal

MODEL = "mistral-small-2603"
HELLO: list[Any] = [{"role": "user", "content": "Hello there, fake"}]
RESULT = {"role": "tool", "tool_call_id": "call00001", "content": "1"}


def called(*ids: str) -> dict[str, Any]:
    function = {"name": "clock", "arguments": "{}"}
    return {"role": "assistant", "tool_calls": [{"id": each, "type": "function", "function": function} for each in ids]}


@pytest.fixture
async def fake() -> AsyncIterator[FakeMistral]:
    async with FakeMistral() as server:
        yield server


@pytest.fixture
async def sdk(fake: FakeMistral) -> AsyncIterator[Mistral]:
    async with Mistral(api_key=fake.key, server_url=fake.base_url, timeout_ms=10_000) as client:
        yield client


async def streamed(sdk: Mistral, **more: Any) -> list[Any]:
    stream = await sdk.chat.stream_async(model=MODEL, messages=HELLO, **more)
    return [event.data async for event in stream]


async def post(http: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await http.post("/v1/chat/completions", json={"model": MODEL, "messages": HELLO, **body})


class TestModels:
    async def test_the_sdk_reads_the_list(self, sdk: Mistral) -> None:
        models = {model.id: model for model in (await sdk.models.list_async()).data or []}

        assert models[MODEL].capabilities.vision
        assert models[MODEL].max_context_length == 262_144
        assert models[MODEL].aliases == ["mistral-small-latest"]
        assert "mistral-small-latest" in models
        assert not models["mistral-ocr-4-1"].capabilities.completion_chat

    async def test_one_model_by_its_id(self, sdk: Mistral) -> None:
        assert (await sdk.models.retrieve_async(model_id=MODEL)).id == MODEL

    async def test_models_come_and_go(self, fake: FakeMistral, sdk: Mistral) -> None:
        fake.add_model("mistral-next", context_window=1000)
        del fake.models["codestral-2508"]

        ids = {model.id for model in (await sdk.models.list_async()).data or []}

        assert "mistral-next" in ids
        assert "codestral-2508" not in ids


class TestAnswers:
    async def test_without_an_order_it_echoes(self, sdk: Mistral) -> None:
        answer = await sdk.chat.complete_async(model=MODEL, messages=HELLO)

        assert answer.choices[0].message.content == "Hello there, fake"
        assert answer.choices[0].finish_reason == "stop"

    async def test_an_answer_that_reasons_comes_as_a_list(self, fake: FakeMistral, sdk: Mistral) -> None:
        fake.answer("Twelve.", reasoning="Hm", usage=Usage(10, 5, 2, 4))

        answer = await sdk.chat.complete_async(model=MODEL, messages=HELLO)

        thinking, text = answer.choices[0].message.content  # type: ignore[misc] - a list here
        assert (thinking.type, thinking.thinking[0].text) == ("thinking", "Hm")
        assert text.text == "Twelve."
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (10, 5, 15)

    async def test_a_stream_in_odd_pieces(self, fake: FakeMistral, sdk: Mistral) -> None:
        fake.answer(["Привет, ", "мир 🌍"], usage=Usage(3, 4))

        chunks = await streamed(sdk)

        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Привет, мир 🌍"
        assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
        assert chunks[-1].choices[0].finish_reason == "stop"
        assert fake.open_streams == 0

    async def test_reasoning_is_closed_by_the_first_text(self, fake: FakeMistral, sdk: Mistral) -> None:
        fake.answer(["An", "swer"], reasoning=["hm", "."], finish="length")

        contents = [chunk.choices[0].delta.content for chunk in await streamed(sdk)]

        assert contents[0] == ""
        assert [content[0].thinking[0].text for content in contents[1:3]] == ["hm", "."]
        assert [part.type for part in contents[3]] == ["thinking", "text"]
        assert contents[3][1].text == "An"
        assert contents[4] == "swer"

    async def test_reasoning_can_be_switched_off(self, fake: FakeMistral, sdk: Mistral) -> None:
        fake.answer("Yes", reasoning="hm")

        answer = await sdk.chat.complete_async(model=MODEL, messages=HELLO, reasoning_effort="none")

        assert answer.choices[0].message.content == "Yes"

    async def test_images_and_documents_are_taken(self, sdk: Mistral) -> None:
        parts = [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": "data:image/png;base64,AAAA"},
            {"type": "document_url", "document_url": "data:application/pdf;base64,AAAA", "document_name": "a.pdf"},
        ]

        answer = await sdk.chat.complete_async(model=MODEL, messages=[{"role": "user", "content": parts}])  # type: ignore[list-item] - dicts are taken too

        assert answer.choices[0].message.content == "What is it?"

    async def test_the_stream_ends_with_done(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        response = await post(http, stream=True)

        assert response.headers["content-type"] == "text/event-stream"
        assert response.content.endswith(b"\n\ndata: [DONE]\n\n")


class TestStrictness:
    @pytest.mark.parametrize("field", ["stream_options", "seed", "user", "max_completion_tokens", "thinking"])
    async def test_an_unknown_field_is_named(self, http: httpx.AsyncClient, field: str) -> None:
        response = await post(http, **{field: 1})

        assert response.status_code == 422
        (detail,) = response.json()["detail"]
        assert (detail["type"], detail["loc"]) == ("extra_forbidden", ["body", field])

    async def test_an_unknown_field_of_a_message_is_named(self, http: httpx.AsyncClient) -> None:
        response = await post(http, messages=[{"role": "user", "content": "a", "reasoning_content": "b"}])

        assert response.status_code == 422
        assert response.json()["detail"][0]["loc"] == ["body", "messages", 0, "user", "reasoning_content"]

    @pytest.mark.parametrize("body", [{"temperature": 2}, {"max_tokens": 262_144}, {"messages": "no list"}])
    async def test_a_value_out_of_range(self, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
        assert (await post(http, **body)).status_code == 422

    async def test_the_sdk_tells_an_unknown_model(self, sdk: Mistral) -> None:
        with pytest.raises(SDKError, match="Invalid model: nope") as caught:
            await sdk.chat.complete_async(model="nope", messages=HELLO)

        assert caught.value.status_code == 400

    @pytest.mark.parametrize(
        ("messages", "code"),
        [
            ([{"role": "assistant", "content": "I"}], "3230"),
            ([{"role": "user", "content": "I"}, {"role": "tool", "tool_call_id": "call00001", "content": "1"}], "3230"),
            ([*HELLO, called("x_1"), {"role": "tool", "tool_call_id": "x_1", "content": "1"}], "3280"),
            ([*HELLO, called("call00001")], "3230"),
            ([*HELLO, called("call00001"), {"role": "user", "content": "and?"}], "3230"),
            ([*HELLO, called("call00001"), RESULT, {"role": "user", "content": "and?"}], "3230"),
            ([*HELLO, called("call00001"), RESULT, RESULT], "3230"),
            ([*HELLO, called("call00001", "call00002"), RESULT], "3230"),
        ],
    )
    async def test_messages_in_disorder(self, http: httpx.AsyncClient, messages: list[Any], code: str) -> None:
        response = await post(http, messages=messages)

        assert (response.status_code, response.json()["code"]) == (400, code)

    async def test_the_last_message_may_be_a_prefix(self, http: httpx.AsyncClient) -> None:
        response = await post(http, messages=[*HELLO, {"role": "assistant", "content": "I", "prefix": True}])

        assert response.status_code == 200

    async def test_a_conversation_that_is_too_long(self, fake: FakeMistral, sdk: Mistral) -> None:
        fake.context_window = 4

        with pytest.raises(SDKError, match=r"Prompt contains 5 tokens .* with 4 maximum context length"):
            await sdk.chat.complete_async(model=MODEL, messages=HELLO)

    async def test_a_wrong_key(self, fake: FakeMistral) -> None:
        async with Mistral(api_key="wrong", server_url=fake.base_url) as stranger:
            with pytest.raises(SDKError, match="Unauthorized") as caught:
                await stranger.models.list_async()

        assert caught.value.status_code == 401

    async def test_a_path_that_is_not_there(self, http: httpx.AsyncClient) -> None:
        assert (await http.get("/v2/models")).status_code == 404


class TestTroubles:
    async def test_an_error_instead_of_an_answer(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        fake.answer(error=fake.errors.rate_limited(2))

        response = await post(http)

        assert (response.status_code, response.headers["Retry-After"]) == (429, "2")
        assert response.json()["code"] == "1300"

    async def test_the_gateways_shape(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        fake.answer(error=fake.errors.rate_limited_by_gateway(1500))

        response = await post(http, stream=True)

        assert (response.json(), response.headers["retry-after-ms"]) == (
            {"message": "Requests rate limit exceeded"},
            "1500",
        )

    @pytest.mark.parametrize(
        ("kind", "status"), [("overloaded", 429), ("internal", 500), ("out_of_quota", 402), ("guarded", 403)]
    )
    async def test_other_errors(self, fake: FakeMistral, http: httpx.AsyncClient, kind: str, status: int) -> None:
        fake.answer(error=getattr(fake.errors, kind)())

        assert (await post(http)).status_code == status

    async def test_a_refused_question(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        fake.refuse()

        assert (await post(http)).status_code == 403

    async def test_an_error_inside_the_stream(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        fake.answer("Hel", error=fake.errors.internal())

        response = await post(http, stream=True)

        assert response.status_code == 200
        assert b"Internal server error" in response.content
        assert b"[DONE]" not in response.content

    async def test_the_same_error_without_a_stream_is_the_answer(
        self, fake: FakeMistral, http: httpx.AsyncClient
    ) -> None:
        fake.answer("Hel", error=fake.errors.internal())

        assert (await post(http)).status_code == 500

    async def test_a_cut_connection(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        fake.answer(["Hel", Signal.CUT, "lo"])

        with pytest.raises(httpx.RemoteProtocolError):
            await post(http, stream=True)
        assert fake.requests[-1].status == 0

    async def test_a_truncated_stream_ends_in_order(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        fake.answer(["Hel", Signal.EOF, "lo"])

        response = await post(http, stream=True)

        assert b"Hel" in response.content
        assert b'"finish_reason": "stop"' not in response.content

    async def test_a_stream_that_stalls_until_it_is_released(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        gate = asyncio.Event()
        fake.answer(["Hel", gate, "lo"])

        asking = asyncio.create_task(post(http, stream=True))
        await fake.wait_for(lambda: fake.open_streams == 1)
        gate.set()

        assert b"lo" in (await asking).content

    async def test_a_client_that_hangs_up_is_seen(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        fake.answer(["Hel", asyncio.Event()])

        body = {"model": MODEL, "messages": HELLO, "stream": True}
        async with http.stream("POST", "/v1/chat/completions", json=body) as response:
            assert await anext(aiter(response.aiter_raw()))
        await fake.wait_for(lambda: fake.requests[-1].done)

        assert fake.requests[-1].closed_by_client
        assert fake.open_streams == 0

    async def test_a_stream_without_end_ends_with_its_client(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        fake.answer("again ", endless=True)

        body = {"model": MODEL, "messages": HELLO, "stream": True}
        async with http.stream("POST", "/v1/chat/completions", json=body) as response:
            lines = (line async for line in response.aiter_lines() if "again" in line)
            for _ in range(20):
                await anext(lines)
        await fake.wait_for(lambda: fake.requests[-1].done)

        assert fake.requests[-1].closed_by_client

    async def test_a_fault_strikes_any_path_as_often_as_ordered(
        self, fake: FakeMistral, http: httpx.AsyncClient
    ) -> None:
        fault = fake.fault("/models", fake.errors.overloaded(), times=2)

        statuses = [(await http.get("/v1/models")).status_code for _ in range(3)]

        assert (statuses, fault.hits) == ([429, 429, 200], 2)

    async def test_a_fault_can_cut_or_hold(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        gate = asyncio.Event()
        fake.fault("/models", Signal.CUT)
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/v1/models")
        fake.fault("/models", gate)

        asking = asyncio.create_task(http.get("/v1/models"))
        await fake.wait_for(lambda: len(fake.requests) == 2)
        assert not asking.done()
        gate.set()

        assert (await asking).status_code == 200


class TestJournal:
    async def test_requests_are_kept_without_the_key(self, fake: FakeMistral, sdk: Mistral) -> None:
        await sdk.chat.complete_async(model=MODEL, messages=HELLO, random_seed=7)

        (request,) = fake.requests
        assert (request.method, request.path, request.status) == ("POST", "/v1/chat/completions", 200)
        assert request.body["random_seed"] == 7
        assert request.headers["authorization"] == "***"
        assert fake.key not in repr(request)

    async def test_waiting_in_vain_tells_what_was_asked(self, fake: FakeMistral, http: httpx.AsyncClient) -> None:
        await http.get("/v1/models")

        with pytest.raises(TimeoutError, match="GET /v1/models 200"):
            await fake.wait_for(lambda: None, timeout=0.01)


class TestFiles:
    async def test_the_sdk_uploads_looks_and_deletes(self, fake: FakeMistral, sdk: Mistral) -> None:
        uploaded = await sdk.files.upload_async(file={"file_name": "a.pdf", "content": b"%PDF"}, purpose="ocr")

        assert (uploaded.filename, uploaded.size_bytes, uploaded.purpose) == ("a.pdf", 4, "ocr")
        assert fake.uploads.files[uploaded.id].content == b"%PDF"
        assert (await sdk.files.retrieve_async(file_id=uploaded.id)).id == uploaded.id
        assert [file.id for file in (await sdk.files.list_async()).data] == [uploaded.id]
        assert (await sdk.files.get_signed_url_async(file_id=uploaded.id)).url.endswith(uploaded.id)
        assert (await sdk.files.delete_async(file_id=uploaded.id)).deleted
        with pytest.raises(SDKError) as caught:
            await sdk.files.retrieve_async(file_id=uploaded.id)
        assert caught.value.status_code == 404
