"""Many answers at once under Telegram's rates: none of them is passed, and every ending arrives."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from shared_clock_support import SharedClock, calls_under_way
from tgllm.api import ChatRequest, Finished, StreamEvent, TextDelta
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator, RateLimits
from tgllm.testing.emulator.state.records import EmulatedChat
from tgllm.testing.scripted import ScriptedProvider

CHATS = 50
PIECES = 24
REAL_SECONDS = 300.0

pytestmark = pytest.mark.timeout(360)


class SlowProvider(ScriptedProvider):
    """Writes a long answer piece by piece to the first question of a chat, and a short one to the next."""

    def __init__(self, clock: SharedClock, seconds: float, together: int) -> None:
        """Take that many seconds for each piece, and begin once so many chats have asked."""
        super().__init__()
        self._together = asyncio.Barrier(together)
        self._clock = clock
        self._seconds = seconds
        self.most_open = 0

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        question = request.messages[-1].text
        self.open_streams += 1
        self.most_open = max(self.most_open, self.open_streams)
        try:
            if not question.startswith("again"):
                await self._together.wait()
            for piece in pieces(question):
                await self._clock.sleep(self._seconds)
                yield TextDelta(piece)
            yield Finished()
        finally:
            self.open_streams -= 1


def pieces(question: str) -> list[str]:
    if question.startswith("again"):
        return [f"short answer to {question}"]
    return [f"{question} {number} {'word ' * 40}" for number in range(PIECES)]


def calls(emu: Emulator, method: str) -> int:
    return sum(call.method == method for call in emu.journal)


@pytest.fixture
async def clock() -> SharedClock:
    return SharedClock()


@pytest.fixture
def under_way(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    return calls_under_way(monkeypatch)


@pytest.fixture
async def emu(clock: SharedClock, under_way: set[int]) -> AsyncIterator[Emulator]:
    async with Emulator(clock=clock, rate_limits=RateLimits()) as emulator, asyncio.TaskGroup() as group:
        running = group.create_task(clock.run(lambda: bool(under_way)))
        yield emulator
        running.cancel()


async def test_fifty_chats_stream_at_once(emu: Emulator, clock: SharedClock, tmp_path: Path) -> None:
    people = [emu.add_user(first_name=f"P{number}", language_code="en") for number in range(CHATS)]
    provider = SlowProvider(clock, 0.5, CHATS)
    async with running_bot(
        emu,
        tmp_path,
        admins=[person.id for person in people],
        provider=provider,
        clock=clock,
        sending__paced=True,
        turns__max_parallel=CHATS,
        streaming__draft_interval=0.5,
    ) as bot:
        for number, person in enumerate(people):
            await person.say(f"question {number}")
            await person.say(f"again {number}")
        await emu.wait_for(
            lambda: all(
                person.private_chat().bot_texts[-1:] == [f"short answer to again {n}"]
                for n, person in enumerate(people)
            ),
            timeout=REAL_SECONDS,
        )
        await bot.stop()
    assert provider.most_open == CHATS
    assert emu.rates.violations == 0
    for number, person in enumerate(people):
        *long, short = person.private_chat().bot_texts
        assert len(long) > 1
        assert " ".join(long).split() == "".join(pieces(f"question {number}")).split()
        assert short == f"short answer to again {number}"
    # Every chat saw its answer grow, as far as the rate of all chats together allows.
    assert calls(emu, "sendMessageDraft") > 2 * CHATS


async def test_groups_stream_at_once(emu: Emulator, clock: SharedClock, tmp_path: Path) -> None:
    ann = emu.add_user(first_name="Ann", language_code="en")
    groups = [emu.add_group(title=f"G{number}", members=[ann]) for number in range(CHATS // 2)]
    answers = ["".join(pieces(f"Ann: question {number}")).split() for number in range(len(groups))]

    def said(group: EmulatedChat) -> list[str]:
        return " ".join(group.bot_texts).split()

    provider = SlowProvider(clock, 2.0, len(groups))
    async with running_bot(emu, tmp_path, admins=[ann.id], provider=provider, clock=clock, sending__paced=True) as bot:
        for number, group in enumerate(groups):
            await ann.say(f"@demo_bot question {number}", chat=group)
        await emu.wait_for(lambda: [said(group) for group in groups] == answers, timeout=REAL_SECONDS)
        await bot.stop()
    assert emu.rates.violations == 0
    # An edit each three seconds at most, of which the last is the beginning of the answer.
    assert calls(emu, "editMessageText") > 2 * len(groups)
