"""``python -m benchmarks.load.backlog``: updates that waited at Telegram while the bot was offline.

One chat has a third of them. The bot is then started, and answers all; the questions are numbered, and so are the
answers of the echo provider.
"""

import argparse
import asyncio
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.process import Program, start
from benchmarks.report import table
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser

__all__ = ["main"]

_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Result:
    first: float
    """Seconds from the start of the program to the first answer."""
    last_person: float
    """To the first answer to the person who wrote last."""
    all: float
    cpu_ms: float
    peak_mib: float
    disorder: int
    """Answers that are not in the order of their questions, or are missing."""


def main(argv: list[str] | None = None) -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.backlog", description=__doc__)
    parser.add_argument("--updates", nargs="+", type=int, default=[1000, 10_000], help="numbers of waiting updates")
    parser.add_argument("--people", type=int, default=60)
    arguments = parser.parse_args(argv)
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} processors\n")
    rows: list[list[str]] = []
    for count in arguments.updates:
        found = asyncio.run(_measure(count, arguments.people))
        seconds = [f"{each:.1f}" for each in (found.first, found.last_person, found.all)]
        figures = [f"{count / found.all:.0f}", f"{found.cpu_ms / count:.2f}", f"{found.peak_mib:.0f}"]
        rows.append([str(count), *seconds, *figures, str(found.disorder)])
    head = [
        "updates",
        "first answer s",
        "last person s",
        "all s",
        "updates/s",
        "CPU ms/update",
        "peak MiB",
        "out of order",
    ]
    print(table(head, rows))


async def _measure(count: int, people: int) -> _Result:
    async with Emulator() as emulator:
        users = [emulator.add_user(first_name=f"User {number}") for number in range(people)]
        asked: dict[int, list[str]] = {user.id: [] for user in users}
        for number in range(count - 1):
            await _ask(users[0 if number % 3 == 0 else number % (people - 1)], number, asked)
        # Nobody wrote after this one.
        await _ask(users[-1], count, asked)
        with TemporaryDirectory(prefix="tgllm-benchmark-") as folder:
            variables = {
                "TGLLM_BOT_TOKEN": emulator.token,
                "TGLLM_TELEGRAM_API": emulator.base_url,
                "TGLLM_ADMIN_IDS": ",".join(str(user.id) for user in users),
                "TGLLM_CONFIG": "",
                "TGLLM_DATA_DIR": folder,
                "TGLLM_SENDING__PACED": "false",
            }
            with start("tgllm", "run", log=Path(folder) / "log", variables=variables) as program:
                return await _watch(program, users, asked, count)


async def _ask(user: EmulatedUser, number: int, asked: dict[int, list[str]]) -> None:
    text = f"number {number}"
    asked[user.id].append(text)
    await user.say(text)


async def _watch(program: Program, users: Sequence[EmulatedUser], asked: dict[int, list[str]], count: int) -> _Result:
    began, first, last_person = time.perf_counter(), 0.0, 0.0
    while (answered := sum(map(_answers, users))) < count:
        passed = time.perf_counter() - began
        first = first or (passed if answered else 0.0)
        last_person = last_person or (passed if _answers(users[-1]) else 0.0)
        await asyncio.sleep(_PAUSE_SECONDS)
    seconds = time.perf_counter() - began
    disorder = 0
    for user in users:
        texts = [message.text for message in user.private_chat().messages if message.from_bot]
        disorder += sum(question not in text for question, text in zip(asked[user.id], texts, strict=False))
    return _Result(first, last_person or seconds, seconds, program.cpu_ms(), program.peak_mib(), disorder)


def _answers(user: EmulatedUser) -> int:
    return sum(message.from_bot for message in user.private_chat().messages)


if __name__ == "__main__":
    main()
