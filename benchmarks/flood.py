"""``python -m benchmarks.flood``: how long approved people wait while strangers flood the bot.

The bot keeps Telegram's rates, and the emulator enforces them. All strangers send /start; then two admins ask, and a
third one asks for an answer of ten seconds.
"""

import argparse
import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import table
from tgllm.api import ChatRequest, Finished, StreamEvent, TextDelta
from tgllm.observe.logs import configure_logging
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import EmulatedUser, Emulator, RateLimits
from tgllm.testing.scripted import ScriptedProvider

__all__ = ["main"]

PATIENCE_SECONDS = 300.0
ADMINS = 3


@dataclass(frozen=True, slots=True)
class Waits:
    """What the three admins saw."""

    strangers: int
    seconds: tuple[float, ...]
    """Until the answers of the first two, and of the third one."""
    drafts: int
    """Drafts of the third answer."""
    messages: int
    """Messages about requests in the chat of the first one."""


class _Provider(ScriptedProvider):
    """Answers at once, or within ten seconds if the question says so."""

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        question = request.messages[-1].text
        slow = question.startswith("slowly")
        for number in range(10 if slow else 1):
            await asyncio.sleep(1.0 if slow else 0.0)
            yield TextDelta(f"answer {number} to {question}. ")
        yield Finished()


async def measure(strangers: int) -> Waits:
    """Flood a bot and return how long its admins waited."""
    async with Emulator(rate_limits=RateLimits()) as emu:
        admins = [emu.add_user(first_name=f"A{number}", language_code="en") for number in range(ADMINS)]
        others = [emu.add_user(first_name=f"S{number}", language_code="en") for number in range(strangers)]
        ids = [person.id for person in admins]
        with tempfile.TemporaryDirectory() as folder:
            async with running_bot(emu, Path(folder), admins=ids, provider=_Provider(), sending__paced=True):
                for person in admins:
                    await person.say("warm up")
                    await _answered(emu, person, "warm up")
                for stranger in others:
                    await stranger.say("/start")
                began = time.monotonic()
                questions = ["quickly", "quickly", "slowly"]
                for person, question in zip(admins, questions, strict=True):
                    await person.say(question)
                seconds: list[float] = []
                for person, question in zip(admins, questions, strict=True):
                    await _answered(emu, person, question)
                    seconds.append(time.monotonic() - began)
                last = admins[-1].id
                drafts = sum(call.method == "sendMessageDraft" and call.chat_id == last for call in emu.journal)
                cards = sum("🔔" in text for text in admins[0].private_chat().bot_texts)
    return Waits(strangers, tuple(seconds), drafts, cards)


async def _answered(emu: Emulator, person: EmulatedUser, question: str) -> None:
    chat = person.private_chat()
    await emu.wait_for(lambda: any(f"to {question}" in text for text in chat.bot_texts), timeout=PATIENCE_SECONDS)


def main(argv: list[str] | None = None) -> None:
    """Run the floods and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flood", description=__doc__)
    parser.add_argument("--strangers", type=int, nargs="+", default=[0, 800, 5000], help="sizes of the flood")
    arguments = parser.parse_args(argv)
    configure_logging("console", "error")
    logging.getLogger().setLevel(logging.ERROR)
    head = ["strangers", "first answer s", "second s", "answer of 10 s", "its drafts", "messages about requests"]
    rows = [
        [str(waits.strangers), *(f"{each:.1f}" for each in waits.seconds), str(waits.drafts), str(waits.messages)]
        for waits in (asyncio.run(measure(strangers)) for strangers in arguments.strangers)
    ]
    print(table(head, rows))


if __name__ == "__main__":
    main()
