"""The fake of the Gemini API, judged by the vendor's own SDK; what the SDK hides is asked over plain HTTP."""

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import google.auth.credentials
import httpx
import pytest
from google import genai
from google.genai import errors, types

from tgllm.api.types import Usage
from tgllm.testing.clock import ManualClock
from tgllm.testing.fake_providers import FakeGemini, Signal

MODEL = "gemini-3.8-flash"
HELLO = {"contents": [{"role": "user", "parts": [{"text": "Hello there, fake"}]}]}
THINK = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(include_thoughts=True))


@pytest.fixture
async def fake(clock: ManualClock) -> AsyncIterator[FakeGemini]:
    async with FakeGemini(clock=clock) as server:
        yield server


@pytest.fixture
async def sdk(fake: FakeGemini) -> AsyncIterator[Any]:
    async with connected(fake, api_key=fake.key) as client:
        yield client


@pytest.fixture
async def http(fake: FakeGemini) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=fake.base_url, headers={"x-goog-api-key": fake.key}) as client:
        yield client


@asynccontextmanager
async def connected(fake: FakeGemini, **how: Any) -> AsyncIterator[Any]:
    """The SDK closes its own client, never one that it was given."""
    async with httpx.AsyncClient() as transport:
        options = types.HttpOptions(base_url=fake.base_url, timeout=10_000, httpx_async_client=transport)
        with genai.Client(**how, http_options=options) as client:
            async with client.aio as sdk:
                yield sdk


async def streamed(sdk: Any, contents: Any = "Hello there, fake", **more: Any) -> list[Any]:
    return [chunk async for chunk in await sdk.models.generate_content_stream(model=MODEL, contents=contents, **more)]


def parts_of(chunks: list[Any]) -> Iterator[Any]:
    for chunk in chunks:
        for candidate in chunk.candidates or ():
            yield from (candidate.content.parts if candidate.content else ()) or ()


async def post(http: httpx.AsyncClient, method: str = "generateContent", model: str = MODEL, **more: Any) -> Any:
    return await http.post(f"/v1/models/{model}:{method}", json={**HELLO, **more})


class TestModels:
    async def test_the_sdk_reads_all_pages(self, fake: FakeGemini, sdk: Any) -> None:
        names = [model.name async for model in await sdk.models.list(config={"page_size": 2})]

        assert names == [f"models/{name}" for name in fake.models]
        assert [request.query.get("pageSize") for request in fake.requests] == ["2"] * 4

    async def test_a_page_holds_fifty_unless_asked(self, fake: FakeGemini, http: httpx.AsyncClient) -> None:
        for number in range(60):
            fake.add_model(f"gemini-{number}", context_window=10)

        page = (await http.get("/v1beta/models")).json()

        assert len(page["models"]) == 50
        rest = (await http.get("/v1beta/models", params={"pageToken": page["nextPageToken"]})).json()
        assert len(rest["models"]) == 17
        assert "nextPageToken" not in rest
        assert (await http.get("/v1beta/models", params={"pageToken": "made-up"})).status_code == 400

    async def test_one_model(self, sdk: Any) -> None:
        model = await sdk.models.get(model=MODEL)

        assert (model.input_token_limit, model.thinking) == (1_048_576, True)
        assert "generateContent" in model.supported_actions


class TestAnswers:
    async def test_without_an_order_it_echoes(self, sdk: Any) -> None:
        answer = await sdk.models.generate_content(model=MODEL, contents="Hello there, fake")

        assert answer.text == "Hello there, fake"
        assert answer.candidates[0].finish_reason == types.FinishReason.STOP

    async def test_a_stream_in_odd_pieces(self, fake: FakeGemini, sdk: Any) -> None:
        fake.answer(["Привет, ", "мир 🌍"], reasoning="Hm", usage=Usage(16, 10, 5, 6))

        chunks = await streamed(sdk, config=THINK)

        said = list(parts_of(chunks))
        assert "".join(part.text for part in said if not part.thought) == "Привет, мир 🌍"
        assert "".join(part.text for part in said if part.thought) == "Hm"
        usage = chunks[-1].usage_metadata
        assert (usage.prompt_token_count, usage.cached_content_token_count) == (16, 6)
        assert (usage.candidates_token_count, usage.thoughts_token_count, usage.total_token_count) == (5, 5, 26)

    async def test_thoughts_are_shown_on_request_only(self, fake: FakeGemini, sdk: Any) -> None:
        fake.answer("Hi", reasoning="Hm")

        assert not any(part.thought for part in parts_of(await streamed(sdk)))

    async def test_events_end_with_cr_lf_and_nothing_marks_the_end(self, http: httpx.AsyncClient) -> None:
        response = await http.post(f"/v1/models/{MODEL}:streamGenerateContent?alt=sse", json=HELLO)

        assert response.content.startswith(b'data: {"candidates"')
        assert response.content.endswith(b"}\r\n\r\n")
        assert b"[DONE]" not in response.content

    async def test_a_stream_without_sse_is_an_array(self, http: httpx.AsyncClient) -> None:
        answer = (await post(http, "streamGenerateContent")).json()

        assert [part["text"] for part in answer[0]["candidates"][0]["content"]["parts"]] == ["Hello there, fake"]

    async def test_a_blocked_question_has_no_candidates(self, fake: FakeGemini, sdk: Any) -> None:
        fake.block("SAFETY")
        fake.refuse()

        whole = await sdk.models.generate_content(model=MODEL, contents="x")
        (chunk,) = await streamed(sdk)

        assert whole.text is None
        assert whole.prompt_feedback.block_reason == types.BlockedReason.SAFETY
        assert chunk.candidates is None
        assert chunk.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT

    async def test_a_blocked_answer_has_no_content(self, fake: FakeGemini, sdk: Any) -> None:
        fake.answer("Hel", finish="SAFETY")

        last = (await streamed(sdk))[-1].candidates[0]

        assert (last.finish_reason, last.content) == (types.FinishReason.SAFETY, None)

    async def test_tokens_are_counted(self, sdk: Any) -> None:
        image = types.Part.from_bytes(data=b"PNG", mime_type="image/png")

        counted = await sdk.models.count_tokens(model=MODEL, contents=["Hello there, fake", image])

        assert counted.total_tokens == 5 + 258


class TestSignatures:
    async def test_what_was_signed_comes_back_as_it_was(self, fake: FakeGemini, sdk: Any) -> None:
        fake.answer("Hi")
        said = list(parts_of(await streamed(sdk)))

        assert any(part.thought_signature for part in said)
        history = [
            types.Content(role="user", parts=[types.Part(text="Hello")]),
            types.Content(role="model", parts=said),
            types.Content(role="user", parts=[types.Part(text="Again")]),
        ]
        assert (await sdk.models.generate_content(model=MODEL, contents=history)).text == "Again"
        with pytest.raises(errors.ClientError, match="Corrupted thought signature"):
            await sdk.models.generate_content(model="gemini-4-argon", contents=history)

    @pytest.mark.parametrize(
        ("signature", "status"),
        [
            (base64.b64encode(b"made up").decode(), 400),
            ("no base64!", 400),
            ("skip_thought_signature_validator", 200),
        ],
    )
    async def test_a_foreign_signature(self, http: httpx.AsyncClient, signature: str, status: int) -> None:
        said = {"role": "model", "parts": [{"text": "Hi", "thoughtSignature": signature}]}

        assert (await post(http, contents=[said, *HELLO["contents"]])).status_code == status

    @pytest.mark.parametrize(("model", "status"), [(MODEL, 400), ("gemini-2.5-flash", 200)])
    async def test_a_call_without_a_signature(self, http: httpx.AsyncClient, model: str, status: int) -> None:
        called = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
        result = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "1"}}}]}
        response = await post(http, model=model, contents=[*HELLO["contents"], called, result])

        assert response.status_code == status

    async def test_a_model_that_does_not_think_signs_nothing(self, http: httpx.AsyncClient) -> None:
        response = await post(http, model="gemma-4-31b-it")

        assert "thoughtSignature" not in response.text


class TestStrictness:
    async def test_names_are_taken_in_both_spellings(self, fake: FakeGemini, sdk: Any) -> None:
        config = types.GenerateContentConfig(
            system_instruction="Be kind",
            temperature=0.5,
            max_output_tokens=10,
            thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW),
        )

        assert (await sdk.models.generate_content(model=MODEL, contents="x", config=config)).text == "x"
        assert "system" in str(fake.requests[-1].body).lower()

    async def test_an_unknown_field_is_named(self, http: httpx.AsyncClient) -> None:
        response = await post(http, generationConfig={"temprature": 1})

        assert response.status_code == 400
        assert response.json()["error"]["message"].endswith(
            "Unknown name \"temprature\" at 'generationConfig': Cannot find field."
        )

    @pytest.mark.parametrize(
        "body",
        [
            {"contents": []},
            {"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]},
            {"contents": [{"role": "user", "parts": []}]},
            {"contents": [{"role": "user", "parts": [{"thought": True}]}]},
            {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "a/b", "data": ""}}]}]},
            {"generationConfig": {"temperature": "hot"}},
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}},
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "XHIGH"}}},
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 1}}},
        ],
    )
    async def test_a_wrong_body(self, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
        response = await post(http, **body)

        assert (response.status_code, response.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")

    @pytest.mark.parametrize(("model", "status"), [("gemini-4-argon", 400), ("gemini-2.5-flash", 200)])
    async def test_budgets_are_for_older_models(self, http: httpx.AsyncClient, model: str, status: int) -> None:
        thinking = {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}

        assert (await post(http, model=model, **thinking)).status_code == status

    async def test_a_wrong_key_is_400(self, fake: FakeGemini) -> None:
        async with connected(fake, api_key="wrong") as stranger:
            with pytest.raises(errors.ClientError, match="API key not valid") as caught:
                await stranger.models.generate_content(model=MODEL, contents="x")

        assert caught.value.code == 400
        assert caught.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"

    async def test_the_key_may_stand_in_the_address(self, fake: FakeGemini) -> None:
        async with httpx.AsyncClient(base_url=fake.base_url) as http:
            assert (await http.get("/v1/models", params={"key": fake.key})).status_code == 200
            assert (await http.get("/v1/models")).status_code == 403
        assert fake.requests[0].query == {"key": "***"}

    @pytest.mark.parametrize("model", ["gemini-9", "gemini-embedding-001"])
    async def test_a_model_that_does_not_chat(self, sdk: Any, model: str) -> None:
        with pytest.raises(errors.ClientError, match="is not found for API version") as caught:
            await sdk.models.generate_content(model=model, contents="x")

        assert caught.value.code == 404

    async def test_a_conversation_that_is_too_long(self, fake: FakeGemini, sdk: Any) -> None:
        fake.context_window = 4

        with pytest.raises(errors.ClientError, match=r"token count \(5\) exceeds the maximum .* \(4\)"):
            await streamed(sdk)

    async def test_a_request_that_is_too_large(self, fake: FakeGemini, http: httpx.AsyncClient) -> None:
        fake.max_request_bytes = 10

        assert "payload size exceeds the limit: 10 bytes" in (await post(http)).text


class TestTroubles:
    async def test_a_wait_is_told_in_the_body(self, fake: FakeGemini, http: httpx.AsyncClient) -> None:
        fake.answer(error=fake.errors.rate_limited(2))

        response = await post(http)

        details = response.json()["error"]["details"]
        assert (response.status_code, "Retry-After" in response.headers) == (429, False)
        assert "PerMinute" in details[1]["violations"][0]["quotaId"]
        assert details[2]["retryDelay"] == "2s"

    async def test_a_quota_for_each_day(self, fake: FakeGemini, sdk: Any) -> None:
        fake.answer(error=fake.errors.out_of_quota())

        with pytest.raises(errors.ClientError, match="exceeded your current quota") as caught:
            await streamed(sdk)
        assert "PerDay" in str(caught.value.details)

    @pytest.mark.parametrize(("kind", "code"), [("overloaded", 503), ("internal", 500), ("wrong_place", 400)])
    async def test_other_errors(self, fake: FakeGemini, sdk: Any, kind: str, code: int) -> None:
        fake.answer(error=getattr(fake.errors, kind)())

        with pytest.raises(errors.APIError) as caught:
            await streamed(sdk)
        assert caught.value.code == code

    async def test_an_error_inside_the_stream(self, fake: FakeGemini, sdk: Any) -> None:
        fake.answer("Hel", error=fake.errors.overloaded())

        with pytest.raises(errors.ServerError, match="overloaded"):
            await streamed(sdk)

    async def test_a_cut_connection(self, fake: FakeGemini, sdk: Any) -> None:
        fake.answer(["Hel", Signal.CUT])

        with pytest.raises(httpx.RemoteProtocolError):
            await streamed(sdk)
        assert fake.open_streams == 0


class TestFiles:
    @pytest.fixture
    def paper(self, tmp_path: Path) -> Path:
        path = tmp_path / "a.txt"
        path.write_text("words")
        return path

    async def test_the_sdk_uploads_waits_asks_and_deletes(self, fake: FakeGemini, sdk: Any, paper: Path) -> None:
        fake.files.processing_polls = 2

        file = await sdk.files.upload(file=paper, config={"mime_type": "text/plain", "display_name": "Paper"})

        assert (file.state, file.display_name, file.size_bytes) == (types.FileState.PROCESSING, "Paper", 5)
        assert fake.files.files[file.name.removeprefix("files/")].content == b"words"
        with pytest.raises(errors.ClientError, match="not in an ACTIVE state"):
            await sdk.models.generate_content(model=MODEL, contents=[file, "Sum up"])
        states = [(await sdk.files.get(name=file.name)).state for _ in range(2)]
        assert states == [types.FileState.PROCESSING, types.FileState.ACTIVE]
        assert (await sdk.models.generate_content(model=MODEL, contents=[file, "Sum up"])).text == "Sum up"
        assert [found.name async for found in await sdk.files.list()] == [file.name]
        await sdk.files.delete(name=file.name)
        with pytest.raises(errors.ClientError, match="may not exist"):
            await sdk.files.get(name=file.name)

    async def test_a_large_file_comes_in_pieces(self, fake: FakeGemini, sdk: Any, tmp_path: Path) -> None:
        path = tmp_path / "large.pdf"
        path.write_bytes(b"x" * (9 * 1024 * 1024))

        file = await sdk.files.upload(file=path, config={"mime_type": "application/pdf"})

        assert file.size_bytes == 9 * 1024 * 1024
        commands = [request.headers.get("x-goog-upload-command") for request in fake.requests]
        assert commands == ["start", "upload", "upload, finalize"]

    async def test_processing_may_fail(self, fake: FakeGemini, sdk: Any, paper: Path) -> None:
        fake.files.fails = True

        file = await sdk.files.upload(file=paper)

        assert (await sdk.files.get(name=file.name)).state == types.FileState.FAILED

    async def test_files_live_two_days(self, fake: FakeGemini, sdk: Any, paper: Path, clock: ManualClock) -> None:
        fake.files.processing_polls = 0
        file = await sdk.files.upload(file=paper)

        await clock.advance(48 * 3600)

        with pytest.raises(errors.ClientError, match="permission to access") as caught:
            await sdk.models.generate_content(model=MODEL, contents=[file])
        assert caught.value.code == 403

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-Goog-Upload-Command": "start"},
            {"X-Goog-Upload-Command": "upload", "X-Goog-Upload-Offset": "0"},
            {
                "X-Goog-Upload-Command": "start",
                "X-Goog-Upload-Protocol": "resumable",
                "X-Goog-Upload-Header-Content-Length": "3000000000",
            },
        ],
    )
    async def test_an_upload_out_of_order(self, http: httpx.AsyncClient, headers: dict[str, str]) -> None:
        assert (await http.post("/upload/v1/files", headers=headers)).status_code == 400


class TestVertex:
    class Credentials(google.auth.credentials.Credentials):
        def __init__(self, token: str) -> None:
            super().__init__()
            self.token = token

        def refresh(self, request: Any) -> None:
            raise AssertionError("the token is still good")

    def connected(self, fake: FakeGemini, token: str) -> AbstractAsyncContextManager[Any]:
        where = {"project": "p", "location": "europe-west1"}
        return connected(fake, enterprise=True, credentials=self.Credentials(token), **where)

    async def test_it_is_reached_with_a_token(self, fake: FakeGemini) -> None:
        async with self.connected(fake, fake.key) as sdk:
            answer = await sdk.models.generate_content(model=MODEL, contents="Hello")
            names = [model.name async for model in await sdk.models.list(config={"page_size": 5})]

        assert answer.text == "Hello"
        assert fake.requests[0].path == (
            f"/v1beta1/projects/p/locations/europe-west1/publishers/google/models/{MODEL}:generateContent"
        )
        assert f"publishers/google/models/{MODEL}" in names

    async def test_a_wrong_token_is_401(self, fake: FakeGemini) -> None:
        async with self.connected(fake, "wrong") as sdk:
            with pytest.raises(errors.ClientError, match="invalid authentication credentials") as caught:
                await sdk.models.generate_content(model=MODEL, contents="Hello")

        assert caught.value.code == 401
