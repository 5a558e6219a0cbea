"""kill -9 at any moment: every innocent question is answered once, and the one that kills the program is given up."""

import asyncio
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from program_support import PATIENCE, Launch
from tgllm.testing.emulator import EmulatedUser, Emulator

Stored = Callable[[str], Awaitable[list[dict[str, Any]]]]

KILLER = """
import os

from tgllm import hookimpl
from tgllm.api import PluginInfo


@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="killer", title="Killer", api="1.0")


@hookimpl
async def tgllm_before_request(request, turn):
    if "poison" in turn.text:
        os.kill(os.getpid(), 9)
    return None
"""


SPENT = "interrupted too often"
UNCONFIRMED = "did not confirm"
"""The offer to send an answer again, whose call was under way when the program was killed."""


@pytest.mark.once
@pytest.mark.timeout(900)
async def test_the_question_that_kills_the_program_is_found(
    emu: Emulator, ann: EmulatedUser, launch: Launch, install_plugin: Callable[[str, str], str]
) -> None:
    people = [ann, *(emu.add_user(first_name=f"P{number}") for number in range(7))]
    guilty = people[3]
    settings = {
        "TGLLM_ADMIN_IDS": ",".join(str(person.id) for person in people),
        "PYTHONPATH": install_plugin("killer", KILLER),
        "TGLLM_TURNS__MAX_PARALLEL": "4",
        # Each further one takes a start and a longer wait.
        "TGLLM_TURNS__ATTEMPTS": "2",
    }
    for person in people:
        await person.say(f"question of {person.first_name}")
    await guilty.say("poison")
    bot = await launch("run", **settings)
    await bot.printed("bot.ready")
    bot.send(signal.SIGKILL)
    await bot.end()

    for _ in range(9):
        bot = await launch("run", **settings)
        ended = asyncio.create_task(bot.end())
        seen = asyncio.create_task(emu.wait_for(lambda: told(guilty, SPENT), timeout=2 * PATIENCE))
        await asyncio.wait({ended, seen}, return_when=asyncio.FIRST_COMPLETED)
        seen.cancel()
        if not ended.done():
            break
    if not told(guilty, SPENT):
        bot.send(signal.SIGKILL)
        pytest.fail(f"the question that kills was not given up; the last program printed:\n{(await ended)[1]}")
    assert not told(guilty, "poison")

    for person in people:
        answer = f"question of {person.first_name}"
        await emu.wait_for(partial(is_settled, person, answer), timeout=PATIENCE)
        assert person.private_chat().bot_texts.count(answer) <= 1
        assert told(person, SPENT) == (person is guilty)
    bot.send(signal.SIGTERM)
    assert (await ended)[0] == 0


def is_settled(person: EmulatedUser, answer: str) -> bool:
    return told(person, answer) or told(person, UNCONFIRMED)


def told(person: EmulatedUser, words: str) -> bool:
    return any(words in text for text in person.private_chat().bot_texts)


@pytest.mark.once
@pytest.mark.timeout(400)
async def test_a_kill_while_answers_wait_for_the_rate_limits_asks_for_nothing(
    emu: Emulator, ann: EmulatedUser, launch: Launch, stored: Stored
) -> None:
    questions = [f"question {number}" for number in range(6)]
    settings = {
        "TGLLM_ADMIN_IDS": str(ann.id),
        "TGLLM_SENDING__PACED": "true",
        # Long enough for the kill, however slow the machine is.
        "TGLLM_SENDING__CHAT_RATE": "0.05",
        "TGLLM_STREAMING__FIRST_DELAY": "60",
    }
    for question in questions:
        await ann.say(question)
    for sent in (3, 6):
        bot = await launch("run", **settings)
        await bot.printed("bot.ready")
        # After the burst of a start, the next answers wait for room in the chat.
        await emu.wait_for(partial(has_said, ann, sent), timeout=PATIENCE)
        states: list[str] = []
        async with asyncio.timeout(PATIENCE):
            while len(states) < len(questions) or states.count("sent") < sent:
                states = await states_of_answers(stored)
        bot.send(signal.SIGKILL)
        await bot.end()
        assert states == ["sent"] * sent + ["ready"] * (len(questions) - sent)
    assert ann.private_chat().bot_texts == questions


def has_said(person: EmulatedUser, count: int) -> bool:
    return len(person.private_chat().bot_texts) == count


async def states_of_answers(stored: Stored) -> list[str]:
    try:
        return [row["state"] for row in await stored("SELECT state FROM outbox WHERE method = 'sendMessage'")]
    except sqlite3.OperationalError:
        # A start that has not come to the database yet.
        return []
