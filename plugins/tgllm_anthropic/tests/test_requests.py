"""What is sent: reasoning, temperature, limits, the cache, files, headers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tgllm.api import ChatMessage, ChatRequest, FilePart, ReasoningEffort, TextPart, Unsupported
from tgllm.testing.asking import failure, hear, question
from tgllm.testing.fake_providers import FakeAnthropic
from tgllm.testing.making import Make
from tgllm_anthropic.models import PDF
from tgllm_anthropic.provider import AnthropicProvider

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
ADAPTIVE, BUDGET = "claude-sonnet-4-6", "claude-haiku-4-5-20251001"
SHOWN = {"type": "adaptive", "display": "summarized"}


def asked(model: str = SONNET, **fields: Any) -> ChatRequest:
    return replace(question(model, "Hello"), **fields)


async def sent(fake: FakeAnthropic, provider: AnthropicProvider, request: ChatRequest) -> dict[str, Any]:
    await hear(provider, request)
    body = fake.requests[-1].body
    assert isinstance(body, dict)
    return body


class TestReasoning:
    @pytest.mark.parametrize(
        ("model", "effort", "thinking", "config"),
        [
            (OPUS, None, SHOWN, None),
            (OPUS, "low", SHOWN, {"effort": "low"}),
            (SONNET, "none", {"type": "between_tools"}, None),
            (SONNET, "high", SHOWN, {"effort": "high"}),
            (HAIKU, "none", {"type": "disabled"}, None),
            (ADAPTIVE, None, None, None),
            (ADAPTIVE, "none", {"type": "disabled"}, None),
            (ADAPTIVE, "medium", SHOWN, {"effort": "medium"}),
            (BUDGET, None, None, None),
            (BUDGET, "none", {"type": "disabled"}, None),
            (BUDGET, "low", {"type": "enabled", "budget_tokens": 1024}, None),
            (BUDGET, "high", {"type": "enabled", "budget_tokens": 24_576}, None),
        ],
    )
    @pytest.mark.parametrize("is_listed", [False, True])
    async def test_effort_is_mapped_by_the_model(
        self,
        fake: FakeAnthropic,
        provider: AnthropicProvider,
        model: str,
        effort: ReasoningEffort | None,
        thinking: object,
        config: object,
        is_listed: bool,
    ) -> None:
        if is_listed:
            await provider.list_models()

        body = await sent(fake, provider, asked(model, reasoning_effort=effort))

        assert (body.get("thinking"), body.get("output_config")) == (thinking, config)

    async def test_a_model_that_always_reasons_says_so(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        error = await failure(provider, asked(OPUS, reasoning_effort="none"))

        assert isinstance(error, Unsupported)
        assert "without reasoning" in str(error)
        assert fake.requests == []

    async def test_a_model_without_reasoning_says_so(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        fake.add_model("claude-plain", context_window=10_000)
        await provider.list_models()

        assert isinstance(await failure(provider, asked("claude-plain", reasoning_effort="low")), Unsupported)
        assert "thinking" not in await sent(fake, provider, asked("claude-plain"))

    @pytest.mark.parametrize(("limit", "budget"), [(2048, 1024), (4000, 2976), (50_000, 24_576)])
    async def test_a_budget_leaves_room_for_the_answer(
        self, fake: FakeAnthropic, provider: AnthropicProvider, limit: int, budget: int
    ) -> None:
        body = await sent(fake, provider, asked(BUDGET, reasoning_effort="high", max_output_tokens=limit))

        assert (body["thinking"]["budget_tokens"], body["max_tokens"]) == (budget, limit)

    async def test_a_limit_too_small_for_reasoning_is_told(self, provider: AnthropicProvider) -> None:
        error = await failure(provider, asked(BUDGET, reasoning_effort="low", max_output_tokens=2047))

        assert "2048" in str(error)


class TestTemperature:
    @pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
    async def test_it_is_sent_to_models_that_take_one(
        self, fake: FakeAnthropic, provider: AnthropicProvider, value: float
    ) -> None:
        assert (await sent(fake, provider, asked(ADAPTIVE, temperature=value)))["temperature"] == value

    @pytest.mark.parametrize(
        "fields",
        [
            {"model": SONNET, "temperature": 1.0},
            {"model": ADAPTIVE, "temperature": 1.5},
            {"model": ADAPTIVE, "temperature": 0.0, "reasoning_effort": "low"},
            {"model": BUDGET, "temperature": 0.5, "reasoning_effort": "high"},
        ],
    )
    async def test_it_is_refused_before_anything_is_sent(
        self, fake: FakeAnthropic, provider: AnthropicProvider, fields: dict[str, Any]
    ) -> None:
        assert isinstance(await failure(provider, asked(**fields)), Unsupported)
        assert fake.requests == []

    async def test_one_goes_with_reasoning(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        body = await sent(fake, provider, asked(ADAPTIVE, temperature=1.0, reasoning_effort="low"))

        assert body["temperature"] == 1.0

    async def test_the_newer_version_takes_none(self, make: Make) -> None:
        provider = await make(api_version="2026-10-21")

        assert isinstance(await failure(provider, asked(ADAPTIVE, temperature=0.5)), Unsupported)
        await hear(provider, asked(ADAPTIVE))


class TestLimit:
    @pytest.mark.parametrize(("setting", "given", "limit"), [(None, None, 32_000), (99_000, None, 64_000), (9, 7, 7)])
    async def test_every_request_has_one(
        self, fake: FakeAnthropic, make: Make, setting: int | None, given: int | None, limit: int
    ) -> None:
        provider = await make(**({"max_output_tokens": setting} if setting else {}))

        assert (await sent(fake, provider, asked(BUDGET, max_output_tokens=given)))["max_tokens"] == limit

    async def test_one_above_the_models_is_lowered(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        heard = await hear(provider, asked(BUDGET, max_output_tokens=100_000))

        assert heard.text == "Hello"
        assert [request.status for request in fake.requests] == [400, 200]
        assert fake.requests[-1].body["max_tokens"] == 64_000


class TestCache:
    @pytest.mark.parametrize(
        ("cache", "mark"),
        [("5m", {"type": "ephemeral"}), ("1h", {"type": "ephemeral", "ttl": "1h"}), ("off", None)],
    )
    async def test_system_and_conversation_are_marked(
        self, fake: FakeAnthropic, make: Make, cache: str, mark: object
    ) -> None:
        body = await sent(fake, await make(cache=cache), asked(system="Be kind."))

        marked = [{"type": "text", "text": "Be kind.", "cache_control": mark}]
        assert body["system"] == (marked if mark else "Be kind.")
        assert body.get("cache_control") == mark

    async def test_what_is_written_and_read_counts_as_input(self, provider: AnthropicProvider) -> None:
        long = question(SONNET, "word " * 2000)
        more = replace(long, messages=(*long.messages, ChatMessage("assistant", (TextPart("Yes"),)), *asked().messages))

        first, second = [(await hear(provider, each)).finished.usage for each in (long, more)]

        assert (first.input_tokens, first.cached_tokens, first.cache_write_tokens) == (2500, 0, 2500)
        assert (second.input_tokens, second.cached_tokens, second.cache_write_tokens) == (2502, 2500, 2)


class TestMessages:
    async def test_texts_without_words_are_left_out(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        said = [ChatMessage("assistant", (TextPart(" \n"),)), ChatMessage("user", (TextPart(""), TextPart("So?")))]

        body = await sent(fake, provider, replace(asked(), messages=(*asked().messages, *said)))

        texts = [[block["text"] for block in message["content"]] for message in body["messages"]]
        assert texts == [["Hello"], ["So?"]]

    async def test_a_file_of_an_answer_goes_with_the_next_question(
        self, fake: FakeAnthropic, provider: AnthropicProvider, tmp_path: Path
    ) -> None:
        said = (
            *asked().messages,
            ChatMessage("assistant", (TextPart("Here"), a_file(tmp_path, PDF))),
            *asked().messages,
        )

        body = await sent(fake, provider, replace(asked(), messages=said))

        assert [[block["type"] for block in message["content"]] for message in body["messages"]] == [
            ["text"],
            ["text"],
            ["document", "text"],
        ]

    @pytest.mark.parametrize(
        ("model", "changes"),
        [
            (SONNET, {"mime_type": "image/tiff"}),
            (SONNET, {"mime_type": "image/png", "size": 3_750_001}),
            (SONNET, {"size": 24_000_001}),
            (SONNET, {"pages": 601}),
            (BUDGET, {"pages": 101}),
        ],
    )
    async def test_what_the_api_would_refuse_is_not_sent(
        self, fake: FakeAnthropic, provider: AnthropicProvider, tmp_path: Path, model: str, changes: dict[str, Any]
    ) -> None:
        file = replace(a_file(tmp_path, PDF), **changes)

        error = await failure(provider, question(model, "What is this?", file))

        assert isinstance(error, Unsupported)
        assert fake.requests == []

    async def test_a_model_that_takes_no_files(
        self, fake: FakeAnthropic, provider: AnthropicProvider, tmp_path: Path
    ) -> None:
        fake.add_model("claude-plain", context_window=10_000)
        await provider.list_models()
        fake.requests.clear()

        error = await failure(provider, question("claude-plain", "What is this?", a_file(tmp_path, "image/png")))

        assert isinstance(error, Unsupported)
        assert fake.requests == []

    async def test_a_file_goes_to_a_model_of_which_nothing_is_known(
        self, fake: FakeAnthropic, provider: AnthropicProvider, tmp_path: Path
    ) -> None:
        fake.add_model("qwen3-vl", context_window=10_000, vision=True)

        body = await sent(fake, provider, question("qwen3-vl", "What is this?", a_file(tmp_path, "image/png")))

        assert {block["type"] for block in body["messages"][0]["content"]} == {"image", "text"}


class TestHeaders:
    async def test_version_key_and_betas(self, fake: FakeAnthropic, make: Make) -> None:
        await hear(await make(betas=["one", "two"], api_version="2026-10-21"), asked())
        await hear(await make(), asked())

        first, second = [request.headers for request in fake.requests]
        assert (first["anthropic-version"], first["anthropic-beta"]) == ("2026-10-21", "one,two")
        assert (second["anthropic-version"], "anthropic-beta" in second) == ("2023-06-01", False)

    async def test_the_person_is_a_hash(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        assert (await sent(fake, provider, asked(user_key="ab12")))["metadata"] == {"user_id": "ab12"}
        assert "metadata" not in await sent(fake, provider, asked())

    async def test_the_address_may_have_the_version(self, fake: FakeAnthropic, make: Make) -> None:
        provider = await make(base_url=f"{fake.base_url}/v1/")

        assert (await hear(provider, asked())).text == "Hello"

    async def test_tokens_are_counted_by_the_service(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        assert await provider.count_tokens(asked(system="Be kind.", max_output_tokens=5)) == 4
        assert fake.requests[-1].body.keys() == {"model", "messages", "system", "thinking"}


def a_file(folder: Path, kind: str) -> FilePart:
    path = folder / "stored"
    path.write_bytes(b"a file")
    return FilePart(path, kind, 6, "0" * 64, "a.pdf")
