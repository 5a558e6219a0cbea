"""Attempts at one answer: which are repeated, and which are not."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from tgllm.api.errors import ProviderError, Unsupported
from tgllm.api.events import StreamEvent, TextDelta, Waiting
from tgllm.providers.http import ProviderHttp
from tgllm.providers.openai_reader import ChatReader
from tgllm.providers.openai_stream import AnswerStream
from tgllm.providers.streams import answering
from tgllm.providers.streams.answering import read_answer, until_accepted

ENDLESS = 100_000
"""Signs of life, for a test that would otherwise not end."""
REFUSED = Unsupported("no such field")
WAITING, TEXT = Waiting("queue"), TextDelta("a")


class Attempts:
    """Plays one list of events and errors for each attempt."""

    def __init__(self, *attempts: list[StreamEvent | ProviderError], mendable: bool = True) -> None:
        self.left = deque(attempts)
        self.mendable = mendable
        self.mended: list[ProviderError] = []

    async def attempt(self) -> AsyncGenerator[StreamEvent, None]:
        for event in self.left.popleft():
            if isinstance(event, ProviderError):
                raise event
            yield event

    async def mend(self, error: ProviderError) -> bool:
        self.mended.append(error)
        return self.mendable

    async def hear(self) -> list[StreamEvent]:
        return [event async for event in until_accepted(self.attempt, self.mend)]


async def test_a_refused_request_is_sent_again_after_it_is_mended() -> None:
    attempts = Attempts([REFUSED], [WAITING, REFUSED], [TEXT])

    assert await attempts.hear() == [WAITING, TEXT]
    assert attempts.mended == [REFUSED, REFUSED]


@pytest.mark.parametrize(
    ("attempts", "asked"), [(Attempts([REFUSED], mendable=False), 1), (Attempts([TEXT, REFUSED]), 0)]
)
async def test_an_error_that_cannot_be_mended_or_comes_later_is_raised(attempts: Attempts, asked: int) -> None:
    with pytest.raises(Unsupported):
        await attempts.hear()

    assert len(attempts.mended) == asked
    assert not attempts.left


async def test_signs_of_life_after_the_end_do_not_keep_an_answer_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "LAST_EVENT_SECONDS", 0.01)
    left = ENDLESS

    async def stream(path: str, body: bytes) -> AsyncGenerator[bytes, None]:
        nonlocal left
        yield b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'
        while left:
            left -= 1
            yield b'data: {"choices":[]}\n\n'
            # A sign of life needs the network.
            await asyncio.sleep(0)

    async with aclosing(ProviderHttp("http://127.0.0.1:1")) as http:
        monkeypatch.setattr(http, "stream", stream)
        answer = AnswerStream(ChatReader(), http.failure)
        assert [event async for event in read_answer(http, "/", b"", answer)] == [TEXT]
    assert left
