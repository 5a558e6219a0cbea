"""The echo provider, as the host hands it out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from plugin_support import LoadHost
from tgllm.api import (
    ChatMessage,
    ChatRequest,
    FilePart,
    Finished,
    ModelNotFound,
    Provider,
    StreamEvent,
    TextDelta,
    TextPart,
    Unsupported,
)


class WaitingClock:
    """Notes waits and does not wait."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


class Source:
    def __init__(self, **values: object) -> None:
        self.values = values

    def for_plugin(self, plugin_id: str, env_names: Mapping[str, str]) -> Mapping[str, object]:
        return self.values if plugin_id == "echo" else {}


def asked(text: str) -> ChatRequest:
    return ChatRequest("echo", (ChatMessage("user", (TextPart(text),)),))


async def answered(provider: Provider, request: ChatRequest) -> list[StreamEvent]:
    return [event async for event in provider.generate(request)]


@pytest.fixture
async def provider(load_host: LoadHost) -> Provider:
    (owned,) = (await load_host()).providers
    return owned.spec.create(owned.context)


async def test_it_offers_one_model(provider: Provider) -> None:
    assert [model.id for model in await provider.list_models()] == ["echo"]


@pytest.mark.parametrize(
    "text",
    ["hello", "two words", "  both sides \n\n", "a\tb\r\nc  d", "\u3000wide\u00a0space", " ", "", "привет 👋🏽 мир"],
)
async def test_the_answer_is_what_was_said_to_the_last_space(provider: Provider, text: str) -> None:
    *deltas, last = await answered(provider, asked(text))

    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == text
    assert isinstance(last, Finished)


async def test_it_comes_word_by_word_and_words_count_as_tokens(provider: Provider) -> None:
    *deltas, last = await answered(provider, replace(asked("one two  three"), system="be brief"))

    assert deltas == [TextDelta("one "), TextDelta("two  "), TextDelta("three")]
    assert isinstance(last, Finished)
    assert (last.reason, last.usage.input_tokens, last.usage.output_tokens) == ("stop", 5, 3)


async def test_a_limit_of_tokens_ends_it_early(provider: Provider) -> None:
    *deltas, last = await answered(provider, replace(asked("one two three"), max_output_tokens=2))

    assert deltas == [TextDelta("one "), TextDelta("two ")]
    assert isinstance(last, Finished)
    assert (last.reason, last.usage.output_tokens) == ("length", 2)


async def test_it_has_no_other_model_and_reads_no_files(provider: Provider) -> None:
    with pytest.raises(ModelNotFound):
        await answered(provider, replace(asked("x"), model="parrot"))
    file = FilePart(Path("x.pdf"), "application/pdf", 1, "00")
    with pytest.raises(Unsupported):
        await answered(provider, ChatRequest("echo", (ChatMessage("user", (file,)),)))


async def test_it_waits_between_words_if_the_operator_says_so(load_host: LoadHost) -> None:
    clock = WaitingClock()
    (owned,) = (await load_host(clock=clock, settings=Source(delay="0.5"))).providers

    await answered(owned.spec.create(owned.context), asked("one two three"))

    assert clock.waits == [0.5, 0.5]
