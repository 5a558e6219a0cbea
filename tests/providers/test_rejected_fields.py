"""A field that a service rejects is changed, and the request is sent again, once for each field."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from http_support import Serve
from tgllm.api import (
    ChatMessage,
    ChatRequest,
    Finished,
    ProviderError,
    TextDelta,
    TextPart,
    ToolDefinition,
    Unsupported,
)
from tgllm.providers.http import ProviderHttp
from tgllm.providers.openai_chat import OpenAIChatClient
from tgllm.testing.asking import hear
from tgllm.testing.clock import HurriedClock

REQUEST = ChatRequest(
    "m", (ChatMessage("user", (TextPart("Hello"),)),), temperature=0.5, max_output_tokens=90_000, reasoning_effort="low"
)


class Picky:
    """Refuses requests by the rules that a test sets, and answers the others."""

    def __init__(self) -> None:
        self.errors: list[dict[str, Any]] = []
        self.status = 400
        self.bodies: list[dict[str, Any]] = []

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.bodies.append(await request.json())
        if self.errors:
            return web.json_response(self.errors.pop(0), status=self.status)
        answer = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
        if self.bodies[-1]["stream"]:
            return web.Response(text=f"data: {json.dumps(answer)}\n\ndata: [DONE]\n\n")
        return web.json_response(answer)


@pytest.fixture
def picky() -> Picky:
    return Picky()


@pytest.fixture
async def provider(picky: Picky, serve: Serve) -> AsyncIterator[OpenAIChatClient]:
    client = OpenAIChatClient(ProviderHttp(await serve(picky.handle)), HurriedClock())
    yield client
    await client.aclose()


def unsupported(field: str, words: str = "is not supported") -> dict[str, Any]:
    message = f"Unsupported parameter: '{field}' {words}"
    return {"error": {"message": message, "param": field, "code": "unsupported_parameter"}}


def said(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"}}


@pytest.mark.parametrize(
    ("error", "gone", "changed"),
    [
        (unsupported("max_tokens", "... Use 'max_completion_tokens' instead."), "max_tokens", "max_completion_tokens"),
        (unsupported("temperature"), "temperature", None),
        (unsupported("reasoning.effort"), "reasoning_effort", None),
        (unsupported("stream_options.include_usage"), "stream_options", None),
        (said('"m" does not support thinking'), "reasoning_effort", None),
        (said("Unrecognized request argument supplied: stream_options"), "stream_options", None),
        ({"detail": [{"loc": ["body", "temperature"], "msg": "Extra inputs are not permitted"}]}, "temperature", None),
    ],
)
async def test_a_field_is_left_out_or_renamed(
    provider: OpenAIChatClient, picky: Picky, error: dict[str, Any], gone: str, changed: str | None
) -> None:
    picky.errors.append(error)

    assert (await hear(provider, REQUEST)).text == "Hi"
    first, second = picky.bodies
    assert first.keys() - second.keys() == {gone}
    assert second.keys() - first.keys() == ({changed} if changed else set())
    assert second["messages"] == first["messages"]


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ("max_tokens: 90000 > 64000, which is the maximum allowed number of output tokens for m", 64_000),
        ("max_tokens is too large: 90000. This model supports at most 16384 completion tokens", 16_384),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
        ("'max_tokens' is too large: 90000. The maximum context length is 4096 tokens (90000 > 4096 - 100).", 3996),
        ("input length and `max_tokens` exceed context limit: 190000 + 90000 > 200000, decrease either", 10_000),
    ],
)
async def test_a_limit_that_is_too_high_becomes_the_highest(
    provider: OpenAIChatClient, picky: Picky, words: str, limit: int
) -> None:
    picky.errors.append(said(words))

    await hear(provider, REQUEST)
    assert [body["max_tokens"] for body in picky.bodies] == [90_000, limit]


async def test_a_service_without_streams_is_asked_for_a_whole_answer(provider: OpenAIChatClient, picky: Picky) -> None:
    picky.errors.append(unsupported("stream"))

    heard = await hear(provider, REQUEST)
    assert heard.events == (TextDelta("Hi"), Finished())
    assert (picky.bodies[1]["stream"], "stream_options" in picky.bodies[1]) == (False, False)


async def test_several_fields_are_changed_one_by_one(provider: OpenAIChatClient, picky: Picky) -> None:
    picky.errors += [unsupported("max_tokens"), unsupported("temperature")]

    assert (await hear(provider, REQUEST)).text == "Hi"
    assert picky.bodies[2].keys() >= {"max_completion_tokens"}
    assert picky.bodies[2].keys().isdisjoint({"max_tokens", "temperature"})


@pytest.mark.parametrize("field", ["max_tokens", "temperature", "messages", "something"])
async def test_a_field_is_changed_once(provider: OpenAIChatClient, picky: Picky, field: str) -> None:
    picky.errors += [unsupported(field), unsupported(field), unsupported("max_completion_tokens")]

    with pytest.raises(ProviderError) as caught:
        await hear(provider, REQUEST)
    assert len(picky.bodies) == (2 if field in {"max_tokens", "temperature"} else 1)
    assert isinstance(caught.value, Unsupported) is (field != "messages")


async def test_the_changed_request_is_kept_for_a_retry(provider: OpenAIChatClient, picky: Picky) -> None:
    picky.errors += [unsupported("temperature"), {"error": {"message": "x", "code": "overloaded"}}]

    assert (await hear(provider, REQUEST)).text == "Hi"
    assert ["temperature" in body for body in picky.bodies] == [True, False, False]


BESIDE_TOOLS = {
    "error": {
        "message": "Function tools with reasoning_effort are not supported for m in /v1/chat/completions. To use "
        "function tools, use /v1/responses or set reasoning_effort to 'none'.",
        "type": "invalid_request_error",
        "param": "reasoning_effort",
        "code": None,
    }
}
TOOL = ToolDefinition("clock", "Tells the time.", {})


class Calling(OpenAIChatClient):
    supports_tools = True


class TestTools:
    @pytest.fixture
    async def provider(self, picky: Picky, serve: Serve) -> AsyncIterator[OpenAIChatClient]:
        client = Calling(ProviderHttp(await serve(picky.handle)), HurriedClock())
        yield client
        await client.aclose()

    @pytest.mark.parametrize("effort", [None, "low"])
    async def test_reasoning_is_turned_off_beside_tools_and_that_is_remembered(
        self, provider: OpenAIChatClient, picky: Picky, effort: Any
    ) -> None:
        request = replace(REQUEST, tools=(TOOL,), reasoning_effort=effort)
        picky.errors.append(BESIDE_TOOLS)

        for each in (request, request, replace(request, tools=()), replace(request, model="n")):
            await hear(provider, each)

        assert [body.get("reasoning_effort") for body in picky.bodies] == [effort, "none", "none", effort, effort]

    async def test_the_same_complaint_again_is_told(self, provider: OpenAIChatClient, picky: Picky) -> None:
        picky.errors += [BESIDE_TOOLS, BESIDE_TOOLS]

        with pytest.raises(Unsupported, match="Function tools"):
            await hear(provider, replace(REQUEST, tools=(TOOL,)))

        assert len(picky.bodies) == 2

    async def test_no_tool_is_called_without_tools(self, provider: OpenAIChatClient, picky: Picky) -> None:
        picky.errors.append(unsupported("tool_choice"))

        await hear(provider, replace(REQUEST, tools=(TOOL,), tool_choice="none"))

        assert not picky.bodies[-1].keys() & {"tools", "tool_choice", "parallel_tool_calls"}

    async def test_a_forced_call_is_not_given_up_silently(self, provider: OpenAIChatClient, picky: Picky) -> None:
        picky.errors.append(unsupported("tool_choice"))

        with pytest.raises(Unsupported):
            await hear(provider, replace(REQUEST, tools=(TOOL,), tool_choice="required"))

    async def test_several_calls_at_once_may_be_forbidden_in_vain(
        self, provider: OpenAIChatClient, picky: Picky
    ) -> None:
        picky.errors.append(unsupported("parallel_tool_calls"))

        await hear(provider, replace(REQUEST, tools=(TOOL,), parallel_tools=False))

        assert "parallel_tool_calls" not in picky.bodies[-1]
        assert picky.bodies[-1]["tools"]

    @pytest.mark.parametrize("field", ["tools", "functions"])
    async def test_tools_are_not_dropped_silently(self, provider: OpenAIChatClient, picky: Picky, field: str) -> None:
        picky.errors.append(unsupported(field))

        with pytest.raises(Unsupported) as caught:
            await hear(provider, replace(REQUEST, tools=(TOOL,)))

        assert caught.value.code == "tools_unsupported"
        assert len(picky.bodies) == 1
