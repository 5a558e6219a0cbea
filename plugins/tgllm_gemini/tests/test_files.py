"""Small files travel inside the request, large ones through the Files API."""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tgllm.api import ChatRequest, FilePart, ProviderError, TextDelta, Unsupported, Waiting
from tgllm.testing.asking import hear, question
from tgllm.testing.fake_providers import FakeGemini
from tgllm_gemini.provider import GeminiProvider
from tgllm_gemini.uploads import INLINE_BYTES

MODEL = "gemini-3.8-flash"
Filed = Callable[..., FilePart]


@pytest.fixture
def filed(tmp_path: Path) -> Filed:
    """Makes files; a large one takes no room on the disk."""

    def file(mime_type: str, content: bytes = b"content", size: int | None = None) -> FilePart:
        path = tmp_path / str(len(list(tmp_path.iterdir())))
        path.write_bytes(content)
        if size is not None:
            with path.open("r+b") as stream:
                stream.truncate(size)
        return FilePart(path, mime_type, size or len(content), hashlib.sha256(content).hexdigest())

    return file


def ask(*parts: str | FilePart, model: str = MODEL) -> ChatRequest:
    return question(model, *parts)


async def answered(provider: GeminiProvider, request: ChatRequest) -> str:
    return (await hear(provider, request)).text


def uploads(fake: FakeGemini) -> int:
    return sum(request.headers.get("x-goog-upload-command") == "start" for request in fake.requests)


async def test_a_small_file_is_in_the_request(fake: FakeGemini, provider: GeminiProvider, filed: Filed) -> None:
    assert await answered(provider, ask("What is it?", filed("image/png", b"PNG"))) == "What is it?"

    (request,) = fake.requests
    data = request.body["contents"][0]["parts"][1]["inlineData"]
    assert (data["data"], data["mime_type"]) == (base64.b64encode(b"PNG").decode(), "image/png")


async def test_a_large_file_is_uploaded_once(
    fake: FakeGemini, provider: GeminiProvider, filed: Filed, clock: Any
) -> None:
    fake.files.processing_polls = 3
    video, picture = filed("video/mp4", b"MP4", INLINE_BYTES), filed("image/png", b"PNG")

    for _ in range(2):
        assert await answered(provider, ask("What is it?", video, picture)) == "What is it?"

    assert uploads(fake) == 1
    parts = fake.requests[-1].body["contents"][0]["parts"]
    assert parts[1]["fileData"]["file_uri"].endswith("/files/fake1")
    assert parts[2]["inlineData"]
    assert len(clock.waits) == 3


async def test_the_chat_hears_that_an_upload_goes_on(fake: FakeGemini, provider: GeminiProvider, filed: Filed) -> None:
    fake.files.processing_polls = 3

    heard = await hear(provider, ask("One", filed("video/mp4", b"MP4", INLINE_BYTES + 1)))

    assert heard.events[:5] == (*[Waiting("queue")] * 4, TextDelta("One"))


async def test_two_chats_with_the_same_file_upload_it_once(
    fake: FakeGemini, provider: GeminiProvider, filed: Filed
) -> None:
    video = filed("video/mp4", b"MP4", INLINE_BYTES + 1)

    heard = await asyncio.gather(answered(provider, ask("One", video)), answered(provider, ask("Two", video)))

    assert heard == ["One", "Two"]
    assert uploads(fake) == 1


async def test_a_file_that_the_api_forgot_is_uploaded_again(
    fake: FakeGemini, provider: GeminiProvider, filed: Filed
) -> None:
    video = filed("video/mp4", b"MP4", INLINE_BYTES + 1)
    await answered(provider, ask("One", video))
    fake.files.files.clear()

    assert await answered(provider, ask("Two", video)) == "Two"
    assert uploads(fake) == 2


async def test_a_file_is_uploaded_again_before_it_expires(
    fake: FakeGemini, provider: GeminiProvider, filed: Filed, clock: Any
) -> None:
    video = filed("video/mp4", b"MP4", INLINE_BYTES + 1)
    await answered(provider, ask("One", video))

    await clock.sleep(47 * 3600)
    await answered(provider, ask("Two", video))

    assert uploads(fake) == 2
    assert [request.status for request in fake.requests if ":stream" in request.path] == [200, 200]


async def test_files_are_deleted_at_the_end(fake: FakeGemini, provider: GeminiProvider, filed: Filed) -> None:
    await answered(provider, ask("One", filed("video/mp4", b"MP4", INLINE_BYTES + 1)))
    assert fake.files.files

    await provider.aclose()

    assert not fake.files.files


async def test_a_file_that_can_t_be_processed(fake: FakeGemini, provider: GeminiProvider, filed: Filed) -> None:
    fake.files.fails = True

    with pytest.raises(Unsupported, match="could not process"):
        await answered(provider, ask("One", filed("video/mp4", b"MP4", INLINE_BYTES + 1)))


async def test_processing_that_does_not_end(
    fake: FakeGemini, provider: GeminiProvider, filed: Filed, clock: Any
) -> None:
    fake.files.processing_polls = 10_000

    with pytest.raises(Unsupported, match="did not process a file in 300 seconds"):
        await answered(provider, ask("One", filed("video/mp4", b"MP4", INLINE_BYTES + 1)))


async def test_a_failed_upload_is_tried_again(fake: FakeGemini, provider: GeminiProvider, filed: Filed) -> None:
    fake.fault("/upload/", fake.errors.overloaded())

    assert await answered(provider, ask("One", filed("video/mp4", b"MP4", INLINE_BYTES + 1))) == "One"


@pytest.mark.parametrize(("mime_type", "model"), [("application/zip", MODEL), ("video/mp4", "gemma-4-31b-it")])
async def test_a_kind_that_the_model_does_not_take(
    fake: FakeGemini, provider: GeminiProvider, filed: Filed, mime_type: str, model: str
) -> None:
    with pytest.raises(Unsupported, match=f"{model} does not accept files of type {mime_type}"):
        await answered(provider, ask("One", filed(mime_type), model=model))
    assert not fake.requests


@pytest.mark.parametrize("size", [None, INLINE_BYTES + 1])
async def test_a_file_that_is_gone(provider: GeminiProvider, filed: Filed, size: int | None) -> None:
    file = filed("image/png", b"PNG", size)
    file.path.unlink()

    with pytest.raises(ProviderError, match="no longer exists"):
        await answered(provider, ask("One", file))


async def test_tokens_of_files(provider: GeminiProvider, filed: Filed) -> None:
    assert await provider.count_tokens(ask("Four", filed("image/png"))) == 1 + 258
    assert await provider.count_tokens(ask("Four", filed("video/mp4", b"MP4", INLINE_BYTES + 1))) is None
