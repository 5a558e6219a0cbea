"""Places are given in turn, and none is lost."""

import asyncio
import random
from collections.abc import Callable

import pytest

from tgllm.services.reading.fair_queue import FairQueue


class Work:
    """Work of several people that holds a place until it is ended."""

    def __init__(self, places: int) -> None:
        self.queue = FairQueue(places)
        self.begun: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}

    def start(self, name: str) -> "asyncio.Task[None]":
        self.ends[name] = asyncio.Event()
        return asyncio.create_task(self._run(name))

    async def end(self, name: str) -> None:
        self.ends[name].set()
        await settle()

    async def _run(self, name: str) -> None:
        async with self.queue.place(name[0]):
            self.begun.append(name)
            await self.ends[name].wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_of_each_in_turn() -> None:
    work = Work(1)
    tasks = [work.start(name) for name in ("a1", "a2", "a3", "b1", "b2", "c1")]
    await settle()
    for _ in tasks:
        await work.end(work.begun[-1])
    assert work.begun == ["a1", "a2", "b1", "c1", "a3", "b2"]
    await asyncio.gather(*tasks)


async def test_fifty_files_of_one_delay_another_by_one() -> None:
    work = Work(2)
    tasks = [work.start(f"a{number}") for number in range(50)]
    await settle()
    tasks.append(work.start("b"))
    await settle()
    await work.end("a0")
    await work.end("a1")
    assert work.begun == ["a0", "a1", "a2", "b"]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert work.queue.waiting == 0


@pytest.mark.parametrize("when", ["before", "at once"])
async def test_a_cancelled_one_leaves_its_place_to_the_next(when: str) -> None:
    work = Work(1)
    first, second, third = (work.start(name) for name in ("a", "b", "c"))
    await settle()
    if when == "at once":
        # The place is given to the second one, which is cancelled before it runs.
        work.ends["a"].set()
        await asyncio.sleep(0)
    second.cancel()
    await settle()
    await work.end("a")
    assert work.begun == ["a", "c"]
    assert second.cancelled()
    await work.end("c")
    await asyncio.gather(first, third)
    assert work.queue.waiting == 0


async def test_no_place_is_lost_or_made(seeds: Callable[[], random.Random]) -> None:
    chance = seeds()
    work = Work(3)
    tasks: list[asyncio.Task[None]] = []
    for number in range(300):
        tasks.append(work.start(f"{chance.choice('abc')}{number}"))
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        if chance.random() < 0.3:
            chance.choice(tasks).cancel()
        chance.choice([*work.ends.values()]).set()
        running = [name for name in work.begun if not work.ends[name].is_set()]
        cancelled = sum(task.cancelling() > 0 for task in tasks)
        assert len(running) <= 3 + cancelled
    for each in work.ends.values():
        each.set()
    await asyncio.wait(tasks)
    assert work.queue.waiting == 0
    assert work.queue._free == 3


@pytest.fixture
def seeds() -> Callable[[], random.Random]:
    return lambda: random.Random(7)
