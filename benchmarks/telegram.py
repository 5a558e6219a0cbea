"""``python -m benchmarks.telegram --users N``: the emulator, and the people who talk to the bot, in one process.

Prints one line of JSON (base_url, token, user_ids). Then each line of standard input is JSON too: ``turns``, how many
messages the people send, and ``answer``, what the bot has to say to each. It is answered with one line of JSON: how
long that took and what the bot called. The end of standard input ends it.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser

if TYPE_CHECKING:
    from tgllm.testing.emulator.state import EmulatedChat

__all__ = ["QUESTION", "Load"]

QUESTION: Final = "How much is seven times six, and why?"


class Load:
    """People in private chats, each of whom says the next thing when the answer to the last one is there."""

    def __init__(self, emulator: Emulator, users: int) -> None:
        """Make the people."""
        self._emulator = emulator
        self.users = [emulator.add_user(first_name=f"User {number}") for number in range(users)]
        self._waiting: dict[EmulatedChat, tuple[int, asyncio.Future[None]]] = {}
        self._left = 0
        self._answer = ""
        self._seconds: list[float] = []

    async def run(self, turns: int, answer: str) -> dict[str, object]:
        """Send so many messages in all and wait for the answer to each.

        Raises:
            ValueError: the bot said something else.
        """
        journal, clock = self._emulator.journal, time.perf_counter
        calls_before, cpu_before, began = journal.total, time.process_time(), clock()
        self._left, self._answer, self._seconds = turns, answer, []
        async with asyncio.TaskGroup() as watch:
            watching = watch.create_task(self._emulator.world.changes.first(self._wake_answered))
            async with asyncio.TaskGroup() as people:
                for user in self.users:
                    people.create_task(self._talk(user))
            watching.cancel()
        calls = Counter(call.method for call in journal if call.number > calls_before)
        return {
            "turns": turns,
            "seconds": clock() - began,
            "latencies": self._seconds,
            "calls": calls,
            "telegram_cpu": time.process_time() - cpu_before,
        }

    async def _talk(self, user: EmulatedUser) -> None:
        chat = user.private_chat()
        while self._left > 0:
            self._left -= 1
            answered = asyncio.get_running_loop().create_future()
            began = time.perf_counter()
            question = await user.say(QUESTION)
            self._waiting[chat] = (question.id, answered)
            async with asyncio.timeout(60):
                await answered
            self._seconds.append(time.perf_counter() - began)

    def _wake_answered(self) -> bool:
        """Look at the last message of each chat: called at every change, so it looks no further."""
        for chat, (question_id, answered) in list(self._waiting.items()):
            last = next(chat.newest_first(), None)
            if last is not None and last.from_bot and last.id > question_id:
                if last.text != self._answer:
                    raise ValueError(f"the bot said {last.text!r}")
                del self._waiting[chat]
                answered.set_result(None)
        return False


async def _serve(users: int) -> None:
    async with Emulator() as emulator:
        load = Load(emulator, users)
        user_ids = [user.id for user in load.users]
        print(json.dumps({"base_url": emulator.base_url, "token": emulator.token, "user_ids": user_ids}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await load.run(**json.loads(line))), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50)
    asyncio.run(_serve(parser.parse_args().users))
