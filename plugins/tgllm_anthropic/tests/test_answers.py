"""What comes back: reasoning and its signatures, stop reasons, usage, errors in and beside the stream."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tgllm.api import (
    AuthFailed,
    ChatMessage,
    ChatRequest,
    ContextTooLong,
    JsonObject,
    ModelNotFound,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    ReasoningDelta,
    Refused,
    TextPart,
    Unavailable,
    Unsupported,
    Usage,
    Waiting,
)
from tgllm.testing.asking import failure, hear, question
from tgllm.testing.clock import HurriedClock
from tgllm.testing.fake_providers import Answer, FakeAnthropic, FakeError, Signal
from tgllm_anthropic.provider import AnthropicProvider

SONNET = "claude-sonnet-5-5"
HELLO = question(SONNET, "Hello")


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def later(data: JsonObject | None, *, first: str = "Hello", model: str = SONNET) -> ChatRequest:
    """Return a question after an answer with this ``provider_data``."""
    said = ChatMessage("assistant", (TextPart("Four."),), data)
    return replace(HELLO, model=model, messages=(*question(model, first).messages, said, *HELLO.messages))


class TestReasoning:
    async def test_it_is_replayed_unchanged(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        fake.answer("Four.", reasoning=["Two ", "and two."])
        data = (await hear(provider, HELLO)).finished.provider_data

        await hear(provider, later(data))

        block = {"type": "thinking", "thinking": "Two and two.", "signature": fake.signatures.last}
        assert fake.requests[-1].body["messages"][1]["content"] == [block, {"type": "text", "text": "Four."}]

    async def test_refused_reasoning_is_left_out(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        forged: JsonObject = {"thinking": [{"type": "thinking", "thinking": "Three", "signature": "forged"}]}

        heard = await hear(provider, later(forged))

        assert heard.text == "Hello"
        assert [request.status for request in fake.requests] == [400, 200]
        assert fake.requests[-1].body["messages"][1]["content"] == [{"type": "text", "text": "Four."}]

    async def test_reasoning_that_is_off_is_not_replayed(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        fake.answer("Four.", reasoning="Two and two.")
        data = (await hear(provider, HELLO)).finished.provider_data

        await hear(provider, replace(later(data), reasoning_effort="none"))

        assert len(fake.requests[-1].body["messages"][1]["content"]) == 1

    async def test_encrypted_reasoning_is_kept_in_its_order(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        secret = fake.signatures.sign(SONNET, "")
        block = {"type": "redacted_thinking", "data": secret}
        raw = event("content_block_start", index=7, content_block=block) + event("content_block_stop", index=7)
        fake.order(Answer((raw, "Four.")))
        data = (await hear(provider, HELLO)).finished.provider_data

        await hear(provider, later(data))

        assert fake.requests[-1].body["messages"][1]["content"][0] == block

    async def test_reasoning_after_text_is_shown_and_not_kept(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        fake.order(Answer((ReasoningDelta("One"), "Yes", ReasoningDelta("Two"), " and no")))

        heard = await hear(provider, HELLO)

        assert (heard.reasoning, heard.text, heard.finished.provider_data) == ("OneTwo", "Yes and no", None)

    async def test_unsigned_and_too_long_reasoning_is_not_kept(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        block = {"type": "thinking", "thinking": "Hm", "signature": ""}
        fake.order(Answer((event("content_block_start", index=7, content_block=block), "Four.")))
        fake.write_bytes = None
        fake.answer("Four.", reasoning="x" * 256 * 1024)

        first, second = await hear(provider, HELLO), await hear(provider, HELLO)

        assert (first.reasoning, first.finished.provider_data) == ("Hm", None)
        assert (len(second.reasoning), second.finished.provider_data) == (256 * 1024, None)


class TestEnds:
    @pytest.mark.parametrize(
        ("stop", "reason"),
        [
            ("end_turn", "stop"),
            ("stop_sequence", "stop"),
            ("max_tokens", "length"),
            ("model_context_window_exceeded", "length"),
            ("refusal", "filtered"),
            ("tool_use", "stop"),
            ("pause_turn", "length"),
            ("of_tomorrow", "other"),
        ],
    )
    async def test_stop_reasons(self, fake: FakeAnthropic, provider: AnthropicProvider, stop: str, reason: str) -> None:
        fake.answer("Half of it", finish=stop)

        assert (await hear(provider, HELLO)).finished.reason == reason

    async def test_a_refused_answer_is_not_replayed(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        fake.answer("Half of it", reasoning="Hm", finish="refusal")

        assert (await hear(provider, HELLO)).finished.provider_data is None

    async def test_a_refusal_before_the_first_word_has_its_reason(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        fake.refuse()

        error = await failure(provider, HELLO)

        assert isinstance(error, Refused)
        assert "could enable harm" in str(error)

    async def test_the_reason_is_short_and_has_no_key(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        details = {"explanation": f"the request of\n{fake.key} " + "is harmful " * 1000}
        end = event("message_delta", delta={"stop_reason": "refusal", "stop_details": details}, usage={})
        fake.order(Answer((end, Signal.CUT)))

        error = await failure(provider, HELLO)

        assert isinstance(error, Refused)
        assert "the request of" in str(error)
        assert fake.key not in str(error)
        assert "\n" not in str(error)
        assert len(str(error)) < 400

    async def test_no_room_for_an_answer(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        fake.order(Answer(finish="model_context_window_exceeded"))

        assert isinstance(await failure(provider, HELLO), ContextTooLong)

    async def test_a_stop_reason_is_enough(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        end = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3})
        fake.order(Answer(("Yes.", end, Signal.CUT)))

        finished = (await hear(provider, HELLO)).finished

        assert (finished.reason, finished.usage.output_tokens) == ("stop", 3)

    async def test_unknown_events_blocks_and_deltas_are_passed_over(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        strange = (
            event("of_tomorrow", message="hm"),
            event("content_block_start", index=5, content_block={"type": "server_tool_use", "name": "web_search"}),
            event("content_block_delta", index=5, delta={"type": "input_json_delta", "partial_json": "{"}),
            event("content_block_delta", index=5, delta={"type": "citations_delta", "citation": {}}),
        )
        fake.order(Answer((*strange, "Yes.")))

        assert (await hear(provider, HELLO)).text == "Yes."

    async def test_later_counts_replace_earlier_ones(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        fake.answer("Yes.", usage=Usage(321, 45, 20, 300))

        assert (await hear(provider, HELLO)).finished.usage == Usage(321, 45, 20, 300, 0)

    async def test_counts_below_zero_do_not_count(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        counts = {"input_tokens": 300, "cache_read_input_tokens": -200, "output_tokens": -1}
        end = event("message_delta", delta={"stop_reason": "end_turn"}, usage=counts)
        fake.order(Answer(("Yes.", end, Signal.CUT)))

        usage = (await hear(provider, HELLO)).finished.usage

        assert (usage.input_tokens, usage.cached_tokens or 0) == (300, 0)
        assert (usage.output_tokens or 0) >= 0


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("overloaded", Unavailable),
            ("internal", Unavailable),
            ("timed_out", Unavailable),
            ("conflict", Unavailable),
            ("rate_limited", RateLimited),
            ("out_of_quota", QuotaExceeded),
            ("unpaid", QuotaExceeded),
            ("forbidden", AuthFailed),
            ("too_large", Unsupported),
        ],
    )
    @pytest.mark.parametrize("is_inside", [False, True])
    async def test_errors_beside_and_inside_the_stream(
        self,
        fake: FakeAnthropic,
        provider: AnthropicProvider,
        name: str,
        kind: type[ProviderError],
        is_inside: bool,
    ) -> None:
        error: FakeError = getattr(fake.errors, name)()
        if is_inside:
            fake.answer(["Half of it", error])
        else:
            fake.fault("", error, times=None)

        found = await failure(provider, HELLO)

        assert type(found) is kind
        again = issubclass(kind, RateLimited | Unavailable) and not is_inside
        assert len(fake.requests) == (3 if again else 1)

    async def test_an_overloaded_service_is_asked_again(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        fake.order(Answer((fake.errors.overloaded(),)))
        fake.answer(error=fake.errors.overloaded())

        heard = await hear(provider, HELLO)

        assert (heard.text, len(fake.requests)) == ("Hello", 3)
        assert [each.reason for each in heard.events if isinstance(each, Waiting)] == ["retry", "retry"]

    async def test_retry_after_is_kept(
        self, fake: FakeAnthropic, provider: AnthropicProvider, clock: HurriedClock
    ) -> None:
        fake.answer(error=fake.errors.rate_limited(7))

        await hear(provider, HELLO)

        assert clock.waits[-1] == 7

    @pytest.mark.parametrize(
        ("words", "kind"),
        [
            ("prompt is too long: 210000 tokens > 200000 maximum", ContextTooLong),
            ("messages.0.content.0.image.source.base64: image exceeds 5 MB maximum: 6 bytes > 5 bytes", Unsupported),
            ("messages.0.content.0.document: A maximum of 100 PDF pages may be provided.", Unsupported),
            ("The PDF specified is password protected.", Unsupported),
            ("Could not process image", Unsupported),
            ("messages: roles must alternate", ProviderError),
        ],
    )
    async def test_invalid_requests_are_told_apart(
        self, fake: FakeAnthropic, provider: AnthropicProvider, words: str, kind: type[ProviderError]
    ) -> None:
        fake.fault("", fake.errors.invalid(words), times=None)

        found = await failure(provider, HELLO)

        assert type(found) is kind
        assert len(fake.requests) == 1

    async def test_an_unknown_model(self, provider: AnthropicProvider) -> None:
        assert isinstance(await failure(provider, replace(HELLO, model="claude-0")), ModelNotFound)

    async def test_fields_that_no_person_chose_are_left_out(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        for name in ("cache_control.ephemeral.ttl", "metadata", "thinking.adaptive.display"):
            fake.answer(error=fake.errors.invalid(f"{name}: Extra inputs are not permitted"))

        await hear(provider, replace(HELLO, user_key="ab12"))

        assert not {"cache_control", "metadata", "thinking"} & fake.requests[-1].body.keys()

    @pytest.mark.parametrize(
        ("field", "given"), [("thinking", "low"), ("output_config.effort", "low"), ("thinking", "none")]
    )
    async def test_chosen_fields_are_not(
        self, fake: FakeAnthropic, provider: AnthropicProvider, field: str, given: Any
    ) -> None:
        fake.answer(error=fake.errors.invalid(f"{field}: Extra inputs are not permitted"))

        error = await failure(provider, replace(HELLO, reasoning_effort=given))

        assert isinstance(error, Unsupported)
        assert len(fake.requests) == 1
