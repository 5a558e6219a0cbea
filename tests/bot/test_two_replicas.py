"""Two replicas of a bot on one database: what one finds out reaches the turn that the other runs.

The first one leads, so that it receives everything, and has one place, which a question of Ann takes. So what Ben asks
is answered by the second one.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot_support import LetIn
from tgllm.bot.updates import acknowledgements
from tgllm.db.tables import inbox, users
from tgllm.testing.bot import RunningBot, running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

pytestmark = pytest.mark.postgres

Both = Callable[[], AbstractAsyncContextManager[tuple[RunningBot, RunningBot]]]


@pytest.fixture
def ben(emu: Emulator) -> EmulatedUser:
    return emu.add_user(first_name="Ben", language_code="en")


@pytest.fixture
def both(
    emu: Emulator,
    ann: EmulatedUser,
    ben: EmulatedUser,
    provider: ScriptedProvider,
    postgres_url: str,
    tmp_path: Path,
    let_in: LetIn,
) -> Both:
    """Starts both; within the block, the first one is busy with Ann's question, and the second with Ben's."""

    @asynccontextmanager
    async def start() -> AsyncGenerator[tuple[RunningBot, RunningBot]]:
        settings: dict[str, Any] = {"admins": [ann.id], "provider": provider, "database__url": postgres_url}
        async with running_bot(emu, tmp_path, turns__max_parallel=1, **settings) as first:
            await let_in(first, [ben])
            provider.answer("Long", asyncio.Event())
            await ann.say("one")
            await emu.wait_for(lambda: len(provider.requests) == 1)
            # Not before: whichever claims first would answer Ann.
            async with running_bot(emu, tmp_path, **settings) as second:
                provider.answer("Half", asyncio.Event())
                await ben.say("two")
                await emu.wait_for(lambda: len(provider.requests) == 2)
                running = await first.core.database.read(inbox.running)
                assert [row.holder for row in running] == [each.core.database.member_id for each in (first, second)]
                yield first, second

    return start


async def test_stop_reaches_the_turn_of_the_other_replica(both: Both, emu: Emulator, ben: EmulatedUser) -> None:
    async with both():
        await ben.say("/stop")
        await emu.wait_for(lambda: "Half\n\nStopped." in ben.private_chat().bot_texts)


async def test_edit_and_lost_access_reach_it_too_and_reactions_go(
    both: Both,
    emu: Emulator,
    ben: EmulatedUser,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acknowledgements, "_BEGUN", 0)
    async with both() as (first, _):
        question = next(message for message in ben.private_chat().messages if message.text == "two")
        go_on = asyncio.Event()
        provider.answer("New", go_on)
        provider.answer("Third", asyncio.Event())
        await ben.edit(question, "two, please")
        await emu.wait_for(lambda: "Half\n\nStopped." in ben.private_chat().bot_texts)
        await emu.wait_for_draft(ben.private_chat(), lambda draft: draft.text == "New")
        assert provider.questions[-1] == "two, please"
        waiting = await ben.say("three")
        await emu.wait_for(lambda: any(waiting.reactions.values()))
        go_on.set()
        await emu.wait_for_draft(ben.private_chat(), lambda draft: draft.text == "Third")
        await first.core.database.write(lambda conn: users.set_status(conn, ben.id, "blocked", 2))
        await emu.wait_for(lambda: "Third\n\nStopped." in ben.private_chat().bot_texts)
        await emu.wait_for(lambda: not any(waiting.reactions.values()))
