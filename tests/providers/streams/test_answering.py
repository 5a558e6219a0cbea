"""Attempts at one answer: which are repeated, and which are not."""

from collections import deque
from collections.abc import AsyncGenerator

import pytest

from tgllm.api.errors import ProviderError, Unsupported
from tgllm.api.events import StreamEvent, TextDelta, Waiting
from tgllm.providers.streams.answering import until_accepted

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
