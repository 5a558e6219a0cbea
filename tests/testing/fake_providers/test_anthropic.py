"""The fake of Anthropic's API, judged by the Anthropic SDK."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tgllm.api.types import Usage
from tgllm.testing.fake_providers import FakeAnthropic, Signal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import anthropic
    from anthropic import AsyncAnthropic

MODEL = "claude-sonnet-5-5"
OLDER = "claude-sonnet-4-6"
HELLO: list[Any] = [{"role": "user", "content": "Hello there, fake"}]
SHOWN: dict[str, Any] = {"thinking": {"type": "adaptive", "display": "summarized"}}
OLD_VERSION = {"anthropic-version": "2023-06-01"}


@pytest.fixture
async def fake() -> AsyncIterator[FakeAnthropic]:
    async with FakeAnthropic() as server:
        yield server


@pytest.fixture
async def sdk(fake: FakeAnthropic) -> AsyncIterator[AsyncAnthropic]:
    import anthropic  # noqa: PLC0415  takes two seconds, which only the tests that need it shall spend

    async with anthropic.AsyncAnthropic(api_key=fake.key, base_url=fake.base_url, max_retries=0, timeout=10) as client:
        yield client


async def created(sdk: AsyncAnthropic, model: str = MODEL, messages: Any = HELLO, **more: Any) -> Any:
    fields: dict[str, Any] = {"max_tokens": 1024, **more}
    create: Any = sdk.messages.create  # overloaded for each kind of stream
    return await create(model=model, messages=messages, **fields)


async def streamed(sdk: AsyncAnthropic, **more: Any) -> tuple[Any, list[str]]:
    """Return the message as the SDK puts it together, and the types of its events."""
    async with sdk.messages.stream(model=MODEL, max_tokens=1024, messages=HELLO, **more) as stream:
        kinds = [event.type async for event in stream]
        return await stream.get_final_message(), kinds


async def refused(sdk: AsyncAnthropic, **more: Any) -> str:
    import anthropic  # noqa: PLC0415  takes two seconds, which only the tests that need it shall spend

    with pytest.raises(anthropic.BadRequestError) as caught:
        await created(sdk, **more)
    return str(caught.value)


class TestAnswers:
    async def test_the_sdk_puts_a_stream_together(self, fake: FakeAnthropic, sdk: AsyncAnthropic) -> None:
        fake.answer(
            ["It is ", Signal.KEEP_ALIVE, "four."], reasoning=["Two and ", "two."], usage=Usage(321, 45, 20, 300)
        )

        message, kinds = await streamed(sdk, **SHOWN)

        thought, text = message.content
        assert (thought.thinking, thought.signature, text.text) == ("Two and two.", fake.signatures.last, "It is four.")
        assert (message.stop_reason, message.model) == ("end_turn", MODEL)
        assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (21, 300)
        assert (message.usage.output_tokens, message.usage.output_tokens_details.thinking_tokens) == (45, 20)
        assert kinds[-1] == "message_stop"

    async def test_without_streaming_it_is_the_same(self, fake: FakeAnthropic, sdk: AsyncAnthropic) -> None:
        fake.answer("Four.", reasoning="Two and two.", usage=Usage(321, 45, 20, 300))

        message = await created(sdk, **SHOWN)

        assert [block.type for block in message.content] == ["thinking", "text"]
        assert message.usage.input_tokens == 21

    async def test_reasoning_is_hidden_unless_it_is_asked_for(self, fake: FakeAnthropic, sdk: AsyncAnthropic) -> None:
        fake.answer("Four.", reasoning="Two and two.")

        message, _ = await streamed(sdk)

        assert (message.content[0].thinking, message.content[0].signature) == ("", fake.signatures.last)

    async def test_a_refusal_has_its_details(self, fake: FakeAnthropic, sdk: AsyncAnthropic) -> None:
        fake.refuse()

        message, _ = await streamed(sdk)

        assert (message.stop_reason, message.stop_details.category, message.content) == ("refusal", "cyber", [])

    async def test_an_error_inside_a_stream(self, fake: FakeAnthropic, sdk: AsyncAnthropic) -> None:
        import anthropic  # noqa: PLC0415  takes two seconds, which only the tests that need it shall spend

        fake.answer(["Half of ", fake.errors.overloaded()])

        with pytest.raises(anthropic.APIStatusError) as caught:
            await streamed(sdk)
        assert "overloaded_error" in str(caught.value)

    async def test_a_long_beginning_comes_from_the_cache(self, sdk: AsyncAnthropic) -> None:
        cache: Any = {"type": "ephemeral"}
        long = [{"role": "user", "content": "word " * 2000}]
        more = [*long, {"role": "assistant", "content": "Yes"}, {"role": "user", "content": "And now?"}]

        short = await created(sdk, cache_control=cache)
        first, second = [await created(sdk, messages=each, cache_control=cache) for each in (long, more)]
        unmarked = await created(sdk, messages=long)

        assert (short.usage.cache_creation_input_tokens, unmarked.usage.cache_read_input_tokens) == (0, 0)
        assert (first.usage.cache_creation_input_tokens, first.usage.input_tokens) == (2500, 0)
        assert (second.usage.cache_read_input_tokens, second.usage.cache_creation_input_tokens) == (2500, 3)

    async def test_tokens_are_counted(self, sdk: AsyncAnthropic) -> None:
        counted = await sdk.messages.count_tokens(model=MODEL, messages=HELLO, system="Be kind.")

        assert counted.input_tokens == 7


class TestModels:
    async def test_the_list_has_pages(self, fake: FakeAnthropic, sdk: AsyncAnthropic) -> None:
        models = [model async for model in sdk.models.list(limit=2)]

        assert [model.id for model in models] == list(fake.models)
        assert len([request for request in fake.requests if request.path.endswith("/models")]) == 3

    async def test_a_model_says_what_it_accepts(self, sdk: AsyncAnthropic) -> None:
        model = await sdk.models.retrieve(MODEL)

        can = model.capabilities
        assert can is not None
        types = can.thinking.types
        assert [types.adaptive.supported, types.between_tools.supported, types.disabled.supported] == [
            True,
            True,
            False,
        ]
        assert (can.pdf_input.supported, can.effort.high.supported, model.max_tokens) == (True, True, 128_000)
        assert type(model).model_validate(model.model_dump()) == model

    async def test_an_unknown_one(self, sdk: AsyncAnthropic) -> None:
        import anthropic  # noqa: PLC0415  takes two seconds, which only the tests that need it shall spend

        with pytest.raises(anthropic.NotFoundError):
            await sdk.models.retrieve("claude-0")
        with pytest.raises(anthropic.NotFoundError):
            await created(sdk, model="claude-0")


class TestErrors:
    async def test_the_sdk_knows_them(self, fake: FakeAnthropic, sdk: AsyncAnthropic) -> None:
        import anthropic  # noqa: PLC0415  takes two seconds, which only the tests that need it shall spend

        kinds: list[tuple[Any, type[anthropic.APIStatusError], str]] = [
            (fake.errors.rate_limited(7), anthropic.RateLimitError, "rate_limit_error"),
            (fake.errors.overloaded(), anthropic.InternalServerError, "overloaded_error"),
            (fake.errors.internal(), anthropic.InternalServerError, "api_error"),
            (fake.errors.timed_out(), anthropic.InternalServerError, "timeout_error"),
            (fake.errors.forbidden(), anthropic.PermissionDeniedError, "permission_error"),
            (fake.errors.conflict(), anthropic.ConflictError, "conflict_error"),
            (fake.errors.too_long(10, 5), anthropic.BadRequestError, "invalid_request_error"),
            (fake.errors.unpaid(), anthropic.APIStatusError, "billing_error"),
            (fake.errors.too_large(), anthropic.APIStatusError, "request_too_large"),
        ]
        for error, expected, name in kinds:
            fake.answer(error=error)
            with pytest.raises(expected) as caught:
                await created(sdk)
            assert (caught.value.type, caught.value.request_id) == (name, "req_fake")

    async def test_a_wrong_key(self, fake: FakeAnthropic) -> None:
        import anthropic  # noqa: PLC0415  takes two seconds, which only the tests that need it shall spend

        async with anthropic.AsyncAnthropic(api_key="wrong", base_url=fake.base_url, max_retries=0) as client:
            with pytest.raises(anthropic.AuthenticationError):
                await created(client)

    async def test_the_version_is_required(self, fake: FakeAnthropic) -> None:
        async with httpx.AsyncClient(base_url=fake.base_url, headers={"x-api-key": fake.key}) as client:
            missing = await client.get("/v1/models")
            unknown = await client.get("/v1/models", headers={"anthropic-version": "2020-01-01"})

        assert (missing.status_code, unknown.status_code) == (400, 400)


class TestChecks:
    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"extra_body": {"seed": 1}}, "seed: Extra inputs are not permitted"),
            ({"max_tokens": 200_000}, "max_tokens: 200000 > 128000, which is the maximum allowed"),
            ({"thinking": {"type": "disabled"}}, "not supported by claude-sonnet-5-5"),
            ({"extra_body": {"temperature": 1.0}}, "temperature: Extra inputs are not permitted"),
            ({"messages": [{"role": "user", "content": " "}]}, "non-whitespace"),
            ({"messages": [*HELLO, {"role": "assistant", "content": "Once"}]}, "prefill"),
            ({"messages": [{"role": "system", "content": "Be kind"}]}, "messages.0.role"),
            ({"model": "claude-haiku-4-5-20251001", "output_config": {"effort": "low"}}, "effort"),
        ],
    )
    async def test_what_the_api_refuses(self, sdk: AsyncAnthropic, given: dict[str, Any], words: str) -> None:
        assert words in await refused(sdk, **given)

    @pytest.mark.parametrize("budget", [1023, 1024])
    async def test_a_budget_leaves_room_for_the_answer(self, sdk: AsyncAnthropic, budget: int) -> None:
        thinking = {"type": "enabled", "budget_tokens": budget}

        assert "budget_tokens" in await refused(sdk, model=OLDER, thinking=thinking)

    async def test_a_temperature_depends_on_version_model_and_reasoning(self, sdk: AsyncAnthropic) -> None:
        given: dict[str, Any] = {"model": OLDER, "extra_body": {"temperature": 0.5}}

        await created(sdk, extra_headers=OLD_VERSION, **given)
        assert "Extra inputs" in await refused(sdk, **given)
        assert "thinking is enabled" in await refused(sdk, **given, **SHOWN, extra_headers=OLD_VERSION)

    async def test_reasoning_comes_back_as_it_was(self, fake: FakeAnthropic, sdk: AsyncAnthropic) -> None:
        fake.answer("Four.", reasoning="Two and two.")
        answer = await created(sdk, **SHOWN)
        thought, text = [block.model_dump(exclude_none=True) for block in answer.content]

        def asked(block: Any) -> list[Any]:
            return [*HELLO, {"role": "assistant", "content": [block, text]}, {"role": "user", "content": "Why?"}]

        await created(sdk, messages=asked(thought))
        for wrong in ({**thought, "thinking": "Three"}, {**thought, "signature": "x"}):
            assert "Invalid `signature`" in await refused(sdk, messages=asked(wrong))
        assert "Invalid `signature`" in await refused(sdk, model="claude-opus-5-5", messages=asked(thought))

    @pytest.mark.parametrize(("kind", "media"), [("image", "image/tiff"), ("document", "text/plain")])
    async def test_types_of_files(self, sdk: AsyncAnthropic, kind: str, media: str) -> None:
        source = {"type": "base64", "media_type": media, "data": base64.b64encode(b"x").decode()}

        assert "media_type" in await refused(
            sdk, messages=[{"role": "user", "content": [{"type": kind, "source": source}]}]
        )

    async def test_files_are_accepted(self, sdk: AsyncAnthropic) -> None:
        def block(kind: str, media: str) -> dict[str, Any]:
            return {"type": kind, "source": {"type": "base64", "media_type": media, "data": "AAAA"}}

        content = [block("image", "image/png"), block("document", "application/pdf"), {"type": "text", "text": "?"}]

        assert (await created(sdk, messages=[{"role": "user", "content": content}])).content[0].text == "?"
