"""A provider for services that speak OpenAI's chat completions, against a server that does."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from http_support import Serve
from tgllm.api import (
    BadResponse,
    ChatMessage,
    ChatRequest,
    ContextTooLong,
    FileDelta,
    FilePart,
    Finished,
    ModelInfo,
    ProviderError,
    RateLimited,
    ReasoningDelta,
    Refused,
    StreamEvent,
    TextDelta,
    TextPart,
    Unavailable,
    Unsupported,
    Usage,
    Waiting,
)
from tgllm.providers.http import ProviderHttp
from tgllm.providers.openai_chat import Body, OpenAIChatClient
from tgllm.providers.openai_reader import ChatReader
from tgllm.providers.retry import Retry
from tgllm.testing.clock import HurriedClock

QUESTION = ChatRequest("small", (ChatMessage("user", (TextPart("Hello"),)),))
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def delta(finish: str | None = None, **fields: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}], "usage": None}


class Service:
    """Plays one script of chunks for each request; ``bytes`` are sent as they are."""

    def __init__(self) -> None:
        self.scripts: list[list[dict[str, Any] | bytes] | web.Response] = []
        self.bodies: list[dict[str, Any]] = []
        self.ports: list[int] = []
        self.hang = False
        self.gone = asyncio.Event()

    def answers(self, *chunks: dict[str, Any] | bytes, done: bool = True) -> None:
        self.scripts.append([*chunks, *([b"data: [DONE]\n\n"] if done else [])])

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        self.ports.append(request.transport.get_extra_info("peername")[1])
        if request.method == "POST":
            self.bodies.append(await request.json())
        script = self.scripts.pop(0)
        if isinstance(script, web.Response):
            return script
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for chunk in script:
            await response.write(chunk if isinstance(chunk, bytes) else b"data: %s\n\n" % json.dumps(chunk).encode())
        try:
            while self.hang:
                await response.write(b": wait\n")
                await asyncio.sleep(0.001)
        finally:
            self.gone.set()
        return response


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def provider(service: Service, serve: Serve) -> AsyncIterator[OpenAIChatClient]:
    client = OpenAIChatClient(ProviderHttp(await serve(service.handle)), HurriedClock())
    yield client
    await client.aclose()


async def hear(provider: OpenAIChatClient, request: ChatRequest = QUESTION) -> list[StreamEvent]:
    async with aclosing(provider.generate(request)) as events:
        return [event async for event in events]


def picture(folder: Path, mime_type: str = "image/png") -> FilePart:
    path = folder / "a.png"
    path.write_bytes(b"\x89PNG")
    return FilePart(path, mime_type, 4, hashlib.sha256(b"\x89PNG").hexdigest())


class TestAnswers:
    async def test_text_reasoning_and_usage(self, provider: OpenAIChatClient, service: Service) -> None:
        usage = {
            "prompt_tokens": 9,
            "completion_tokens": 5,
            "completion_tokens_details": {"reasoning_tokens": 3},
            "prompt_tokens_details": {"cached_tokens": 2},
        }
        service.answers(
            delta(role="assistant", content=""),
            delta(reasoning_content="hm", content=None),
            delta(content="Hel"),
            b": keep-alive\n\n",
            delta(content=[{"type": "text", "text": "lo"}]),
            delta("stop", content="") | {"usage": usage},
        )

        assert await hear(provider) == [
            ReasoningDelta("hm"),
            TextDelta("Hel"),
            Waiting("queue"),
            TextDelta("lo"),
            Finished("stop", Usage(9, 5, 3, 2)),
        ]

    async def test_usage_may_come_behind_the_end(self, provider: OpenAIChatClient, service: Service) -> None:
        service.answers(delta("stop", content="a"), {"choices": [], "usage": {"prompt_tokens": 1}})

        assert (await hear(provider))[-1] == Finished("stop", Usage(input_tokens=1))

    @pytest.mark.parametrize(
        ("chunk", "usage"),
        [
            (
                # xAI: the reasoning is not part of the completion.
                {
                    "usage": {
                        "prompt_tokens": 10,
                        "completion_tokens": 5,
                        "total_tokens": 22,
                        "completion_tokens_details": {"reasoning_tokens": 7},
                    }
                },
                Usage(10, 12, 7),
            ),
            (
                {
                    "usage": {
                        "prompt_tokens": 10,
                        "completion_tokens": 12,
                        "total_tokens": 22,
                        "completion_tokens_details": {"reasoning_tokens": 7},
                    }
                },
                Usage(10, 12, 7),
            ),
            ({"usage": {"prompt_tokens": 10, "cached_tokens": 4}}, Usage(10, cached_tokens=4)),
            ({"usage": {"prompt_tokens": 10, "prompt_cache_hit_tokens": 4}}, Usage(10, cached_tokens=4)),
            ({"usage": {"input_tokens": 10, "output_tokens": 4}}, Usage(10, 4)),
            ({"x_groq": {"usage": {"prompt_tokens": 10}}}, Usage(10)),
            ({"choices": [{"usage": {"prompt_tokens": 10}}]}, Usage(10)),
        ],
    )
    async def test_usage_has_many_forms(
        self, provider: OpenAIChatClient, service: Service, chunk: dict[str, Any], usage: Usage
    ) -> None:
        service.answers(delta("stop", content="a"), chunk, {"choices": [], "usage": {"prompt_tokens": 0}})

        assert (await hear(provider))[-1] == Finished("stop", usage)

    async def test_usage_in_two_parts_is_joined(self, provider: OpenAIChatClient, service: Service) -> None:
        first, last = {"usage": {"prompt_tokens": 3, "completion_tokens": 1}}, {"usage": {"completion_tokens": 9}}
        service.answers(first, delta("stop", content="a"), last)

        assert (await hear(provider))[-1] == Finished("stop", Usage(3, 9))

    async def test_a_refusal_in_words_is_the_answer(self, provider: OpenAIChatClient, service: Service) -> None:
        service.answers(delta(refusal="I can't ", content=None), delta("stop", refusal="say that."))

        assert (await hear(provider))[:2] == [TextDelta("I can't "), TextDelta("say that.")]

    async def test_reasoning_among_the_parts_of_the_content(self, provider: OpenAIChatClient, service: Service) -> None:
        thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
        service.answers(delta("stop", content=[thought, "a", {"text": "b"}, {"type": "image"}, {"type": ["x"]}]))

        assert (await hear(provider))[:3] == [ReasoningDelta("hm"), TextDelta("a"), TextDelta("b")]

    async def test_a_finish_reason_in_each_chunk_cuts_nothing(
        self, provider: OpenAIChatClient, service: Service
    ) -> None:
        service.answers(*(delta("stop", content=text) for text in "abc"))

        assert (await hear(provider))[:3] == [TextDelta("a"), TextDelta("b"), TextDelta("c")]

    async def test_done_is_not_needed(self, provider: OpenAIChatClient, service: Service) -> None:
        service.answers(delta("stop", content="a"), done=False)

        assert await hear(provider) == [TextDelta("a"), Finished()]

    async def test_unless_the_service_promises_it(self, provider: OpenAIChatClient, service: Service) -> None:
        class Strict(ChatReader):
            needs_done = True

        provider.reader = Strict  # type: ignore[misc]  for this object only
        service.answers(delta("stop", content="a"), done=False)

        with pytest.raises(Unavailable, match=r"127\.0\.0\.1 .*is incomplete"):
            await hear(provider)

    @pytest.mark.parametrize("kind", ["text/event-stream", "application/json", ""])
    @pytest.mark.parametrize("body", [b"", b"\n\n", b": ping\n\n"])
    async def test_an_empty_answer_names_the_service(
        self, provider: OpenAIChatClient, service: Service, kind: str, body: bytes
    ) -> None:
        headers = {"Content-Type": kind} if kind else {}
        service.scripts.append(web.Response(body=body, headers=headers))

        with pytest.raises((Unavailable, BadResponse), match=r"127\.0\.0\.1"):
            await hear(provider)

    async def test_an_aborted_answer_names_the_service(self, provider: OpenAIChatClient, service: Service) -> None:
        service.answers(delta("network_error", content="a"))

        with pytest.raises(Unavailable, match=r"127\.0\.0\.1 aborted"):
            await hear(provider)

    @pytest.mark.parametrize(
        ("word", "reason"),
        [
            ("stop", "stop"),
            ("length", "length"),
            ("content_filter", "filtered"),
            ("tool_calls", "other"),
            ("function_call", "other"),
            ("eos", "stop"),
            ("END_TURN", "stop"),
            ("MAX_TOKENS", "length"),
            ("sensitive", "filtered"),
        ],
    )
    async def test_why_it_ends(self, provider: OpenAIChatClient, service: Service, word: str, reason: str) -> None:
        service.answers(delta(word, content="a"))

        (*_, finished) = await hear(provider)
        assert isinstance(finished, Finished)
        assert finished.reason == reason

    async def test_strange_chunks_are_passed_over(self, provider: OpenAIChatClient, service: Service) -> None:
        service.answers({}, b"data: [1]\n\n", {"choices": "x"}, {"choices": [7]}, delta(content={"a": 1}), STOP)
        service.answers(delta("stop", content="a"))

        assert (await hear(provider))[-2:] == [TextDelta("a"), Finished()]

    async def test_a_connection_is_used_for_the_next_answer(self, provider: OpenAIChatClient, service: Service) -> None:
        for _ in range(2):
            service.answers(delta("stop", content="a"))
            await hear(provider)

        assert service.ports[0] == service.ports[1]

    async def test_a_server_that_hangs_after_the_end_does_not_hold_it_up(
        self, provider: OpenAIChatClient, service: Service
    ) -> None:
        service.hang = True
        service.answers(delta("stop", content="a"))

        assert await hear(provider) == [TextDelta("a"), Finished()]

    async def test_closing_it_closes_the_connection(self, provider: OpenAIChatClient, service: Service) -> None:
        service.hang = True
        service.answers(delta(content="a"), done=False)
        events = provider.generate(QUESTION)
        assert await anext(events) == TextDelta("a")

        await events.aclose()

        await service.gone.wait()

    async def test_cancelling_it_closes_the_connection(self, provider: OpenAIChatClient, service: Service) -> None:
        begun = asyncio.Event()

        async def read() -> None:
            async with aclosing(provider.generate(QUESTION)) as events:
                async for _ in events:
                    begun.set()

        service.hang = True
        service.answers(delta(content="a"), done=False)
        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        await service.gone.wait()


class TestErrors:
    @pytest.mark.parametrize(
        ("chunk", "kind"),
        [
            ({"error": {"message": "overloaded", "code": 503}}, Unavailable),
            ({"error": {"message": "slow", "status_code": 429}}, RateLimited),
            ({"error": {"message": "maximum context length is 5"}}, ContextTooLong),
            ({"error": "anything"}, Unavailable),
            ({"object": "error", "message": "bad", "raw_status_code": 400}, ProviderError),
            (b'event: error\ndata: {"message": "x"}\n\n', Unavailable),
            (b"data: {not json\n\n", BadResponse),
        ],
    )
    async def test_in_the_middle_of_an_answer(
        self, provider: OpenAIChatClient, service: Service, chunk: Any, kind: type[ProviderError]
    ) -> None:
        service.answers(delta(content="a"), chunk, STOP)

        with pytest.raises(ProviderError) as caught:
            await hear(provider)
        assert type(caught.value) is kind

    async def test_an_answer_without_an_end_is_cut_off(self, provider: OpenAIChatClient, service: Service) -> None:
        service.answers(delta(content="a"), done=False)

        with pytest.raises(Unavailable):
            await hear(provider)

    @pytest.mark.parametrize(
        "page",
        [web.Response(text="<html>Welcome</html>", content_type="text/html"), web.json_response({"choices": []})],
    )
    async def test_a_page_in_place_of_an_answer_is_told_at_once(
        self, provider: OpenAIChatClient, service: Service, page: web.Response
    ) -> None:
        service.scripts.append(page)

        with pytest.raises(BadResponse, match="is base_url right"):
            await hear(provider)

    async def test_a_blocked_answer_is_refused(self, provider: OpenAIChatClient, service: Service) -> None:
        service.answers(delta("content_filter"))

        with pytest.raises(Refused):
            await hear(provider)

    @pytest.mark.parametrize("word", ["insufficient_system_resource", "error", "load", "network_error"])
    async def test_an_answer_that_the_service_aborted_is_none(
        self, provider: OpenAIChatClient, service: Service, word: str
    ) -> None:
        service.answers(delta(word, content="a"))

        with pytest.raises(Unavailable, match=word):
            await hear(provider)

    async def test_the_words_behind_an_aborted_answer_are_told(
        self, provider: OpenAIChatClient, service: Service
    ) -> None:
        service.answers(delta("error", content="a"), {"error": {"message": "the upstream has gone"}})

        with pytest.raises(Unavailable, match="the upstream has gone"):
            await hear(provider)

    async def test_a_service_that_gives_up_is_unavailable(self, provider: OpenAIChatClient, service: Service) -> None:
        class Weak(ChatReader):
            interruptions = frozenset({"no_room"})

        provider.reader = Weak  # type: ignore[misc]  for this object only
        service.answers(delta("no_room", content="a"))

        with pytest.raises(Unavailable, match="no_room"):
            await hear(provider)

    async def test_a_failure_before_the_first_piece_is_tried_again(
        self, provider: OpenAIChatClient, service: Service
    ) -> None:
        service.scripts.append(web.json_response({}, status=503, headers={"Retry-After": "2"}))
        service.answers(b": nothing\n\n", done=False)
        service.answers(delta("stop", content="a"))

        waiting, queued, again, *rest = await hear(provider)
        assert (waiting, queued) == (Waiting("retry", 2.0), Waiting("queue"))
        assert isinstance(again, Waiting)
        assert rest == [TextDelta("a"), Finished()]

    async def test_a_list_that_fails_is_tried_again(self, provider: OpenAIChatClient, service: Service) -> None:
        service.scripts += [web.Response(status=500), web.json_response({"data": [{"id": "a"}]})]

        assert await provider.list_models() == [ModelInfo("a")]


class TestRequests:
    async def test_what_is_sent(self, provider: OpenAIChatClient, service: Service, tmp_path: Path) -> None:
        request = ChatRequest(
            "small",
            (
                ChatMessage("user", (TextPart("Hi"),)),
                ChatMessage("assistant", (TextPart("Hello"),)),
                ChatMessage("user", (TextPart("Look"), picture(tmp_path))),
            ),
            system="Be brief.",
            temperature=0.5,
            max_output_tokens=10,
            reasoning_effort="low",
            user_key="abc",
        )
        service.answers(delta("stop", content="a"))
        await hear(provider, request)

        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
        assert service.bodies == [
            {
                "model": "small",
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": "Hello"},
                    {"role": "user", "content": [{"type": "text", "text": "Look"}, image]},
                ],
                "stream": True,
                "stream_options": {"include_usage": True},
                "temperature": 0.5,
                "max_tokens": 10,
                "reasoning_effort": "low",
                "user": "abc",
            }
        ]

    async def test_messages_that_are_sent_again_are_encoded_once(
        self, provider: OpenAIChatClient, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        encoded: list[str] = []
        encode = OpenAIChatClient.message

        def message(self: OpenAIChatClient, message: ChatMessage, model: str) -> Body:
            encoded.append(message.text)
            return encode(self, message, model)

        monkeypatch.setattr(OpenAIChatClient, "message", message)
        talk = tuple(
            ChatMessage(role, (TextPart(text),)) for role, text in (("user", 'a "b" \ud83d'), ("assistant", "ü"))
        )
        for text in ("c", "d"):
            service.answers(delta("stop", content="a"))
            await hear(
                provider, ChatRequest("small", (*talk, ChatMessage("user", (TextPart(text),))), system="Be\nbrief.")
            )
        assert encoded == ['a "b" \ud83d', "ü", "c", "d"]
        assert service.bodies[1] == {
            "model": "small",
            "messages": [
                {"role": "system", "content": "Be\nbrief."},
                {"role": "user", "content": 'a "b" ?'},
                {"role": "assistant", "content": "ü"},
                {"role": "user", "content": "d"},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    async def test_subclasses_may_encode_messages_and_set_any_field(self, service: Service, serve: Serve) -> None:
        class Named(OpenAIChatClient):
            def settings(self, request: ChatRequest) -> Body:
                return {"model": request.model.upper()}

        class Numbered(OpenAIChatClient):
            count = 0

            def message(self, message: ChatMessage, model: str) -> Body:
                self.count += 1
                return {"role": message.role, "number": self.count}

        url = await serve(service.handle)
        for kind in (Named, Numbered, Numbered):
            client = kind(ProviderHttp(url), HurriedClock())
            service.answers(delta("stop", content="a"))
            service.answers(delta("stop", content="a"))
            await hear(client)
            await hear(client)
            await client.aclose()
        assert [body["model"] for body in service.bodies[:2]] == ["SMALL", "SMALL"]
        assert [body["messages"][0].get("number") for body in service.bodies] == [None, None, 1, 2, 1, 2]

    async def test_settings_that_nobody_made_are_not_sent(self, provider: OpenAIChatClient, service: Service) -> None:
        service.answers(delta("stop", content="a"))
        await hear(provider)

        assert set(service.bodies[0]) == {"model", "messages", "stream", "stream_options"}

    async def test_a_file_of_a_kind_that_is_not_taken_is_refused(
        self, provider: OpenAIChatClient, service: Service, tmp_path: Path
    ) -> None:
        request = ChatRequest("small", (ChatMessage("user", (picture(tmp_path, "application/zip"),)),))

        with pytest.raises(Unsupported, match="application/zip"):
            await hear(provider, request)
        assert service.bodies == []

    async def test_a_file_that_is_gone_is_told(self, provider: OpenAIChatClient, tmp_path: Path) -> None:
        part = picture(tmp_path)
        part.path.unlink()

        with pytest.raises(Unsupported, match="no longer exists"):
            await hear(provider, ChatRequest("small", (ChatMessage("user", (part,)),)))


class TestPictures:
    PNG = "data:image/png;base64,iVBORw=="

    @pytest.mark.parametrize("place", ["delta", "message", "content"])
    async def test_a_picture_in_an_answer(self, provider: OpenAIChatClient, service: Service, place: str) -> None:
        image = {"type": "image_url", "image_url": {"url": self.PNG}}
        fields = {"content": [image]} if place == "content" else {"content": "Look:", "images": [image]}
        end = delta("stop", content="")
        chunk = {"choices": [{"message": fields}]} if place == "message" else delta(**fields)
        service.answers(chunk, end)

        picture = FileDelta(b"\x89PNG", "image/png")
        assert (await hear(provider))[:-1] == [*([] if place == "content" else [TextDelta("Look:")]), picture]

    @pytest.mark.parametrize(
        "url",
        ["https://example.org/a.png", "data:image/png,plain", "data:image/png;base64,!", "data:image/png;base64,", 5],
    )
    async def test_a_link_is_not_followed_and_a_broken_picture_left_out(
        self, provider: OpenAIChatClient, service: Service, url: object
    ) -> None:
        service.answers(delta(content="Look:", images=[{"image_url": {"url": url}}, 7]), delta("stop", content=""))

        assert (await hear(provider))[:-1] == [TextDelta("Look:")]

    @pytest.mark.parametrize(("said", "sent"), [("A cat:", "A cat:"), ("", "[image/png]")])
    async def test_a_picture_of_an_answer_is_sent_with_the_next_question(
        self, provider: OpenAIChatClient, service: Service, tmp_path: Path, said: str, sent: str
    ) -> None:
        answer = ChatMessage("assistant", (TextPart(said), picture(tmp_path)))
        asked = (ChatMessage("user", (TextPart("Draw"),)), answer, ChatMessage("user", (TextPart("In blue"),)))
        service.answers(delta("stop", content="a"))
        await hear(provider, ChatRequest("small", asked))

        assert service.bodies[0]["messages"][1:] == [
            {"role": "assistant", "content": sent},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": self.PNG}},
                    {"type": "text", "text": "In blue"},
                ],
            },
        ]


async def test_models_are_listed(provider: OpenAIChatClient, service: Service) -> None:
    entries = [{"id": "a"}, {"id": "b", "context_length": 5}, {"id": "c", "max_model_len": 6}, {}, 7]
    service.scripts.append(web.json_response({"data": entries}))

    models = await provider.list_models()

    assert models == [ModelInfo("a"), ModelInfo("b", context_window=5), ModelInfo("c", context_window=6)]


async def test_the_last_answer_that_is_no_json_is_a_bad_response(serve: Serve) -> None:
    async def handler(_: web.BaseRequest) -> web.Response:
        return web.Response(text="<html>")

    provider = OpenAIChatClient(
        ProviderHttp(await serve(handler)), HurriedClock(), retry=Retry(HurriedClock(), attempts=1)
    )

    with pytest.raises(BadResponse):
        await provider.list_models()
    await provider.aclose()


class TestProviderData:
    @pytest.mark.parametrize(("size", "kept"), [(1000, True), (300_000, False)])
    async def test_it_is_dropped_when_it_is_too_large(
        self, provider: OpenAIChatClient, service: Service, size: int, kept: bool
    ) -> None:
        class Keeper(ChatReader):
            def provider_data(self) -> dict[str, str]:
                return {"kept": "x" * size}

        provider.reader = Keeper  # type: ignore[misc]  for this object only
        service.answers(delta("stop", content="a"))

        (*_, finished) = await hear(provider)
        assert isinstance(finished, Finished)
        assert (finished.provider_data is not None) is kept
