"""``python -m benchmarks.telegram``: the emulator and the users of the bot, in one process.

Prints one line of JSON (base_url, token, user_ids). Then each line of standard input is a JSON object: ``turns`` is
the number of messages that the users send, ``answer`` the expected answer to each, ``rate`` the messages a second, if
they are sent at regular intervals and not after an answer. The response is one line of JSON: the durations and the
bot's calls. With ``first_poll``, it is the time until the first getUpdates; with ``quiet``, the line comes when the bot
has made no other calls for so many seconds. The end of standard input ends the process.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from benchmarks.words import QUESTION
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser

if TYPE_CHECKING:
    from tgllm.testing.emulator.state.records import EmulatedChat

__all__ = ["Load"]


class Load:
    """Users in private chats, ``parallel`` of whom wait for an answer at any time.

    After an answer, the user who has been idle for the longest time sends the next message.
    """

    def __init__(self, emulator: Emulator, people: int, parallel: int) -> None:
        """Add ``people`` users, of whom ``parallel`` wait for an answer at a time."""
        self._emulator = emulator
        self._parallel = parallel
        self.people = deque(emulator.add_user(first_name=f"User {number}") for number in range(people))
        self._idle = asyncio.Semaphore(people)
        """How many of them wait for no answer."""
        self._waiting: dict[EmulatedChat, tuple[int, asyncio.Future[None]]] = {}
        self._left = 0
        self._answer = ""
        self._seconds: list[float] = []

    async def first_poll(self) -> dict[str, object]:
        """Wait until the bot asks for updates for the first time."""
        began = time.perf_counter()
        await self._emulator.wait_for(lambda: self._emulator.journal.of("getUpdates"), timeout=300)
        return {"seconds": time.perf_counter() - began}

    async def quiet(self, seconds: float) -> dict[str, object]:
        """Wait until the bot has made no call but getUpdates for ``seconds``: it publishes a menu for each admin."""
        journal, last, since = self._emulator.journal, -1, time.perf_counter()
        while time.perf_counter() - since < seconds:
            others = journal.total - len(journal.of("getUpdates"))
            if others != last:
                last, since = others, time.perf_counter()
            await asyncio.sleep(seconds / 10)
        return {"calls": last}

    async def run(self, turns: int, answer: str, rate: float = 0) -> dict[str, object]:
        """Send ``turns`` messages in total and wait for the answer to each.

        With a ``rate``, so many are sent a second, whether or not earlier ones are answered.

        Raises:
            ValueError: an answer of the bot is wrong.
        """
        journal, clock = self._emulator.journal, time.perf_counter
        calls_before, cpu_before, began = journal.total, time.process_time(), clock()
        self._left, self._answer, self._seconds = turns, answer, []
        async with asyncio.TaskGroup() as watch:
            watching = watch.create_task(self._emulator.world.changes.first(self._wake_answered))
            async with asyncio.TaskGroup() as talks:
                if rate:
                    await self._send_steadily(talks, rate)
                else:
                    for _ in range(self._parallel):
                        talks.create_task(self._talk())
            watching.cancel()
        calls = Counter(call.method for call in journal if call.number > calls_before)
        return {
            "turns": turns,
            "seconds": clock() - began,
            "latencies": self._seconds,
            "calls": calls,
            "telegram_cpu": time.process_time() - cpu_before,
        }

    async def _send_steadily(self, talks: asyncio.TaskGroup, rate: float) -> None:
        began = time.perf_counter()
        for number in range(self._left):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            talks.create_task(self._ask_once())

    async def _talk(self) -> None:
        while self._left > 0:
            self._left -= 1
            await self._ask_once()

    async def _ask_once(self) -> None:
        # From here: at a fixed rate, the time until one of the people is free belongs to the latency.
        began = time.perf_counter()
        async with self._idle:
            person = self.people.popleft()
            await self._ask(person)
            self.people.append(person)
        self._seconds.append(time.perf_counter() - began)

    async def _ask(self, person: EmulatedUser) -> None:
        answered = asyncio.get_running_loop().create_future()
        question = await person.say(QUESTION)
        self._waiting[person.private_chat()] = (question.id, answered)
        async with asyncio.timeout(60):
            await answered

    def _wake_answered(self) -> bool:
        """Check only the last message of each chat, because this runs at every change."""
        for chat, (question_id, answered) in list(self._waiting.items()):
            last = next(chat.newest_first(), None)
            if last is not None and last.from_bot and last.id > question_id:
                if last.text != self._answer:
                    raise ValueError(f"the bot said {last.text!r}")
                del self._waiting[chat]
                answered.set_result(None)
        return False


async def _serve(people: int, parallel: int) -> None:
    async with Emulator() as emulator:
        load = Load(emulator, people, parallel)
        user_ids = [person.id for person in load.people]
        print(json.dumps({"base_url": emulator.base_url, "token": emulator.token, "user_ids": user_ids}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            wanted = json.loads(line)
            print(json.dumps(await _found(load, wanted)), flush=True)


async def _found(load: Load, wanted: dict[str, Any]) -> dict[str, object]:
    if "first_poll" in wanted:
        return await load.first_poll()
    return await (load.quiet(**wanted["quiet"]) if "quiet" in wanted else load.run(**wanted))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, required=True)
    parser.add_argument("--parallel", type=int, required=True)
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.people, arguments.parallel))
