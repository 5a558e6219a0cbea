"""Several replicas of a bot on one database: one leads, and another goes on when it ends."""

import asyncio
import json
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from http_support import get
from program_support import PATIENCE, Launch, Program
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox, outbox
from tgllm.services.common.actor import Actor
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.memory_texts import MEMORY_MARK, MEMORY_TEXT
from tgllm.services.messaging.rows import message_row
from tgllm.testing.bot import RunningBot, running_bot
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator
from tgllm.testing.scripted import ScriptedProvider

pytestmark = pytest.mark.postgres

# A machine that is busy with other tests must not end the lease of a replica that lives.
LIVING = {"replicas__lease": 60.0, "replicas__heartbeat": 0.5}
KILLED = {"TGLLM_REPLICAS__LEASE": "3", "TGLLM_REPLICAS__HEARTBEAT": "0.5"}

Start = Callable[..., AbstractAsyncContextManager[RunningBot]]


@pytest.fixture
def start(emu: Emulator, ann: EmulatedUser, tmp_path: Path, postgres_url: str) -> Start:
    """Starts a replica with that name."""

    def started(name: str, **settings: object) -> AbstractAsyncContextManager[RunningBot]:
        folder = tmp_path / name
        folder.mkdir()
        common = {"database__url": postgres_url, "replicas__name": name, **LIVING}
        return running_bot(emu, folder, admins=[ann.id], **{**common, **settings})

    return started


def leads(bot: RunningBot) -> bool:
    assert bot.runtime.membership is not None
    return bot.runtime.membership.is_leader


async def answered(emu: Emulator, chat: EmulatedChat, text: str) -> None:
    await emu.wait_for(lambda: any(text in each for each in chat.bot_texts), timeout=PATIENCE)


async def test_another_leads_when_the_leader_ends_in_order(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, start: Start
) -> None:
    async with start("first") as first, start("second", web__port=0) as second:
        await ann.say("question to both")
        await answered(emu, chat, "question to both")
        assert (leads(first), leads(second)) == (True, False)
        assert second.web_port is not None
        ready = await get(second.web_port, "/readyz")
        await first.stop()
        await ann.say("question to the second")
        await answered(emu, chat, "question to the second")
        assert leads(second)

    assert ready.status == 200
    assert json.loads(ready.body)["replica"] == {"name": "second", "leader": False, "live": 2}
    assert chat.bot_texts.count("question to both") == 1


async def test_a_turn_of_another_replica_is_shown_by_the_message_that_the_leader_has_sent(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, start: Start
) -> None:
    group, go_on, provider = emu.add_group(title="Team", members=[ann]), asyncio.Event(), ScriptedProvider()
    provider.answer(go_on, "private")
    provider.answer("beginning, ", go_on, "end")
    async with start("leader", provider=provider, turns__max_parallel=1) as leader:
        await ann.say("hello")
        await emu.wait_for(lambda: provider.open_streams == 1, timeout=PATIENCE)
        async with start("other", provider=provider) as other:
            await ann.say("@demo_bot hello", chat=group)
            await answered(emu, group, "beginning")
            running = await other.core.database.read(inbox.running)
            go_on.set()
            await answered(emu, group, "beginning, end")
            await answered(emu, chat, "private")
            assert (leads(leader), leads(other)) == (True, False)

    assert [row.holder for row in running] == [leader.core.database.member_id, other.core.database.member_id]
    assert len(group.bot_texts) == 1


async def test_the_leader_sends_the_invite_link_that_another_replica_has_made(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, start: Start
) -> None:
    async with start("leader") as leader, start("other") as other:
        invitations = other.core.access.invitations

        def invite(conn: Connection) -> None:
            made = invitations.create_in(conn, Actor(ann.id, "telegram"), 1, 1)
            row = message_row(Lane(ann.id), MEMORY_MARK, {MEMORY_TEXT: invitations.keep(made, "demo_bot")})
            outbox.add(conn, [replace(row, turn_id=f"invite:{made.invite.id}")], 1)

        await other.core.database.write(invite)
        await answered(emu, chat, "https://t.me/demo_bot?start=inv_")
        stored = await leader.core.database.read(
            lambda conn: [row[0] for row in conn.execute("SELECT payload FROM outbox")]
        )

    assert not any("inv_" in payload for payload in stored)


@pytest.fixture
async def leader(launch: Launch, ann: EmulatedUser, postgres_url: str) -> Program:
    """The replica that leads, as a process of its own."""
    program = await launch(
        "run",
        TGLLM_ADMIN_IDS=str(ann.id),
        TGLLM_DATABASE__URL=postgres_url,
        **KILLED,
    )
    await program.printed("leader.began")
    return program


async def test_another_goes_on_when_the_leader_is_killed(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, start: Start, leader: Program
) -> None:
    async with start("other") as other:
        assert not leads(other)
        leader.send(signal.SIGKILL)
        await ann.say("who is there?")
        await answered(emu, chat, "who is there?")
        assert leads(other)
        assert await other.core.database.read(inbox.running) == []

    assert chat.bot_texts.count("who is there?") == 1


async def test_a_leader_that_was_stopped_sends_nothing_when_it_goes_on(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, start: Start, leader: Program
) -> None:
    async with start("other") as other:
        leader.send(signal.SIGSTOP)
        await ann.say("who is there?")
        await answered(emu, chat, "who is there?")
        assert leads(other)
        leader.send(signal.SIGCONT)
        code, printed = await asyncio.wait_for(leader.end(), PATIENCE)

    assert code == 1
    assert "replica.given_up" in printed
    assert chat.bot_texts.count("who is there?") == 1
