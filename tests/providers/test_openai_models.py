"""Lists of models as services send them."""

from typing import Any

import pytest
from aiohttp import web

from http_support import Serve
from tgllm.api import ChatMessage, ChatRequest, ContextTooLong, ProviderError, TextPart, Unavailable
from tgllm.providers.http import ProviderHttp
from tgllm.providers.openai_chat import OpenAIChatClient
from tgllm.providers.openai_models import context_window, entries_of, is_chat_model
from tgllm.testing.asking import failure, hear
from tgllm.testing.clock import HurriedClock


@pytest.mark.parametrize(
    ("fields", "window"),
    [
        ({"context_length": 5}, 5),
        ({"max_model_len": 5}, 5),
        ({"context_window": 5}, 5),
        ({"context_size": 5}, 5),
        ({"max_context_length": 5}, 5),
        ({"meta": {"n_ctx": 5, "n_ctx_train": 9}}, 5),
        ({"metadata": {"context_length": 5}}, 5),
        ({"context_length": None, "top_provider": {"context_length": 5}}, 5),
        ({"providers": [{"context_length": 3}, {"context_length": 5}, {}]}, 5),
        ({"context_length": 0, "meta": None, "providers": "x"}, None),
        ({"context_length": "5"}, None),
    ],
)
def test_the_window_has_many_names(fields: dict[str, Any], window: int | None) -> None:
    assert context_window({"id": "m", **fields}) == window


@pytest.mark.parametrize(
    ("entry", "chats"),
    [
        ({"id": "gpt-6-astra"}, True),
        ({"id": "meta/llama-4", "type": "chat"}, True),
        ({"id": "m", "type": "base"}, True),
        ({"id": "m", "type": ["odd"]}, True),
        ({"id": "m", "type": "embedding"}, False),
        ({"id": "m", "type": "Moderation"}, False),
        ({"id": "text-embedding-3-large"}, False),
        ({"id": "nomic-embed-text:v1.5"}, False),
        ({"id": "jina-reranker-v3"}, False),
        ({"id": "gpt-image-1"}, False),
        ({"id": "tts-1-hd"}, False),
        ({"id": "openai/whisper-large-v3"}, False),
        ({"id": "omni-moderation-latest"}, False),
        ({"id": "imagine-chat"}, True),
        ({"id": "m", "architecture": {"output_modalities": ["image"]}}, False),
        ({"id": "m", "architecture": {"output_modalities": ["text", "image"]}}, True),
        ({"id": "m", "supported_endpoints": ["/v1/embeddings"]}, False),
        ({"id": "m", "supported_endpoints": ["/v1/chat/completions"]}, True),
    ],
)
def test_entries_that_are_no_chat_models_are_known(entry: dict[str, Any], chats: bool) -> None:
    assert is_chat_model(entry) is chats


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ({"data": [{"id": "a"}]}, ["a"]),
        ([{"id": "a"}], ["a"]),
        ({"models": [{"id": "a"}]}, ["a"]),
        ({"object": "list", "data": None}, []),
        ([], []),
        ({"error": {"message": "x"}}, None),
        ("text", None),
    ],
)
def test_a_list_has_many_forms(page: Any, names: list[str] | None) -> None:
    entries = entries_of(page)

    assert (None if entries is None else [entry["id"] for entry in entries]) == names


async def serving(serve: Serve, *answers: web.Response) -> OpenAIChatClient:
    left = list(answers)

    async def handler(_: web.BaseRequest) -> web.Response:
        return left.pop(0)

    return OpenAIChatClient(ProviderHttp(await serve(handler)), HurriedClock())


async def test_an_error_in_place_of_a_list_is_told(serve: Serve) -> None:
    error = {"error": {"message": "no models today"}}
    provider = await serving(serve, *(web.json_response(error) for _ in range(3)))

    with pytest.raises(ProviderError, match="no models today") as caught:
        await provider.list_models()
    assert isinstance(caught.value, Unavailable)
    await provider.aclose()


@pytest.mark.parametrize(
    ("content", "finish", "sent", "is_too_long"),
    [
        ("", "stop", 150, True),
        ("", "model_context_window_exceeded", 5, True),
        ("Hi", "stop", 150, False),
        ("Hi", "model_context_window_exceeded", 150, False),
    ],
)
async def test_a_request_that_was_silently_too_long(
    serve: Serve, content: str, finish: str, sent: int, is_too_long: bool
) -> None:
    answer = {
        "choices": [{"message": {"content": content}, "finish_reason": finish}],
        "usage": {"prompt_tokens": sent, "completion_tokens": 0},
    }
    models = {"data": [{"id": "m", "context_length": 100}]}
    provider = await serving(serve, web.json_response(models), web.json_response(answer))
    request = ChatRequest("m", (ChatMessage("user", (TextPart("Hello"),)),))
    await provider.list_models()

    if is_too_long:
        assert isinstance(await failure(provider, request), ContextTooLong)
    else:
        assert (await hear(provider, request)).text == content
    await provider.aclose()
