"""The shell changes who may use the bot while the bot runs, each a process of its own on the same database."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from bot_support import Menus, Start
from engines import Engine
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

Shell = Callable[..., Awaitable[str]]


@pytest.fixture
def begin(start: Start) -> Start:
    """Starts a bot that looks often."""
    return partial(start, database__watch_interval=0.02)


@pytest.fixture
def shell(tmp_path: Path, engine: Engine) -> Shell:
    """Runs ``tgllm`` in a process of its own, and returns what it printed."""

    async def run(*args: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tgllm",
            *args,
            cwd=tmp_path,
            env={**os.environ, **engine.variables(tmp_path), "TGLLM_DATA_DIR": str(tmp_path), "TGLLM_CONFIG": ""},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
        return printed.decode()

    return run


async def test_somebody_who_is_let_in_is_told_and_answered(
    emu: Emulator, menus: Menus, eve: EmulatedUser, begin: Start, shell: Shell
) -> None:
    async with begin():
        asked = await menus.ask(eve, "/start")
        assert "request pending" in asked.text
        await shell("users", "approve", str(eve.id))
        told = await emu.wait_for_message(eve.private_chat(), lambda message: message.from_bot, after=asked)
        answer = await menus.ask(eve, "hello")
    assert told.text.startswith("✅")
    assert answer.text == "hello"


async def test_a_link_that_the_shell_makes_lets_somebody_in(
    emu: Emulator, menus: Menus, eve: EmulatedUser, begin: Start, shell: Shell
) -> None:
    async with begin():
        await menus.ask(eve, "/help")
        made = await shell("invites", "new")
        link = next(word for word in made.split() if word.startswith("https://"))
        assert link.startswith("https://t.me/demo_bot?start=")
        welcome = await menus.ask(eve, f"/start {link.partition('=')[2]}")
        assert welcome.text.startswith("✅")
        assert (await menus.ask(eve, "hello")).text == "hello"


async def test_a_group_that_is_let_in_is_told_and_one_that_is_kept_out_loses_its_answer(
    emu: Emulator, menus: Menus, eve: EmulatedUser, begin: Start, shell: Shell, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[eve])
    provider.answer("Half", asyncio.Event())
    async with begin():
        asked = await menus.ask(eve, "@demo_bot hello", chat=group)
        assert "request pending" in asked.text
        assert "The bot answers in Team" in await shell("groups", "approve", str(group.id))
        told = await emu.wait_for_message(group, lambda message: message.from_bot, after=asked)
        assert told.text.startswith("✅")
        await eve.say("@demo_bot go", chat=group)
        growing = await emu.wait_for_message(group, lambda message: message.text == "Half")
        await shell("groups", "deny", "team")
        await emu.wait_for(lambda: growing.text == "Half\n\nStopped.")
        await emu.wait_for_message(group, lambda message: message.text.startswith("⛔"), after=growing)


async def test_a_change_of_the_budget_is_told_in_one_sentence(
    emu: Emulator, ann: EmulatedUser, menus: Menus, begin: Start, shell: Shell
) -> None:
    changes = ("--set", "usd/month=2.50", "--set", "tokens/day=1000", "--give", "usd/month=1", "--reset")
    async with begin():
        hello = await menus.ask(ann, "/start")
        await shell("users", "budget", str(ann.id), *changes)
        told = await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=hello)
    assert told.text == (
        "💰 An admin has changed your budget: cost for this month: $2.50; tokens for today: 1\u202f000; "
        "what you have used is counted from zero again; cost for this month: $1.00 extra. What you have left: /usage"
    )


async def test_what_admins_were_shown_says_who_decided(
    emu: Emulator, ann: EmulatedUser, menus: Menus, eve: EmulatedUser, begin: Start, shell: Shell
) -> None:
    chat = ann.private_chat()
    async with begin():
        await menus.ask(eve, "/start")
        card = await emu.wait_for_message(chat, lambda message: bool(message.buttons))
        before = card.text
        await shell("users", "deny", str(eve.id))
        await emu.wait_for(lambda: not card.buttons)
    assert card.text != before


async def test_the_answer_of_somebody_who_is_blocked_is_stopped(
    emu: Emulator, menus: Menus, eve: EmulatedUser, begin: Start, shell: Shell, provider: ScriptedProvider
) -> None:
    chat = eve.private_chat()
    async with begin() as bot:
        await menus.ask(eve, "/start")
        await shell("users", "approve", str(eve.id))
        provider.answer("Half", asyncio.Event())
        asked = await eve.say("tell me all")
        await emu.wait_for_draft(chat, lambda draft: draft.text == "Half")
        await shell("users", "block", str(eve.id))
        await emu.wait_for_message(chat, lambda message: "⛔" in message.text, after=asked)
        await bot.core.running.wait_idle()
        await eve.say("and more")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await bot.stop()
    assert provider.open_streams == 0
    assert len(provider.requests) == 1


async def test_answers_of_others_go_on(
    emu: Emulator, ann: EmulatedUser, menus: Menus, eve: EmulatedUser, begin: Start, shell: Shell,
    provider: ScriptedProvider,
) -> None:  # fmt: skip
    go_on = asyncio.Event()
    async with begin():
        await menus.ask(eve, "/start")
        provider.answer("Half", go_on, " and whole")
        await ann.say("tell me all")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
        await shell("users", "deny", str(eve.id))
        await emu.wait_for_message(eve.private_chat(), lambda message: "❌" in message.text)
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Half and whole")


async def test_a_new_admin_sees_the_commands_of_admins_at_once(
    emu: Emulator, menus: Menus, eve: EmulatedUser, begin: Start, shell: Shell
) -> None:
    key = (json.dumps({"type": "chat", "chat_id": eve.id}, sort_keys=True), "en")
    async with begin():
        await menus.ask(eve, "/start")
        await shell("users", "approve", str(eve.id))
        await shell("users", "role", str(eve.id), "admin")
        await emu.wait_for(lambda: "admin" in {entry["command"] for entry in emu.bot.commands.get(key, [])})
        await shell("users", "role", str(eve.id), "user")
        await emu.wait_for(lambda: not emu.bot.commands.get(key))


async def test_forgetting_is_told_and_what_was_said_is_gone(
    emu: Emulator, ann: EmulatedUser, menus: Menus, begin: Start, shell: Shell, provider: ScriptedProvider
) -> None:
    async with begin():
        said = await menus.ask(ann, "my secret")
        await shell("users", "forget", str(ann.id), "--yes")
        told = await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=said)
        await menus.ask(ann, "hello")
    assert "deleted all" in told.text
    assert provider.told == ["hello"]


async def test_shell_and_bot_write_at_the_same_time(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, menus: Menus, begin: Start, shell: Shell
) -> None:
    chat, done, questions = ann.private_chat(), asyncio.Event(), list[str]()

    async def talk() -> None:
        while not done.is_set():
            questions.append(question := f"question {len(questions)}")
            await ann.say(question)
            await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == question)

    async with begin():
        await menus.ask(eve, "/start")
        talking = asyncio.create_task(talk())
        for change in ("approve", "block", "approve", "deny"):
            await shell("users", change, str(eve.id))
        done.set()
        await talking
        await emu.wait_for(lambda: len(eve.private_chat().messages) == 6)
    assert [message.text for message in chat.messages if message.from_bot and "question" in message.text] == questions
    told = [message.text[0] for message in eve.private_chat().messages if message.from_bot]
    assert told == ["⏳", "✅", "⛔", "✅", "❌"]


async def test_lists_are_read_while_the_bot_writes(
    ann: EmulatedUser, eve: EmulatedUser, menus: Menus, begin: Start, shell: Shell
) -> None:
    async with begin():
        await menus.ask(eve, "/start")
        await menus.ask(ann, "hello")
        people = json.loads(await shell("users", "list", "--json"))
        used = json.loads(await shell("usage", "--json"))
        data = json.loads(await shell("users", "export", str(ann.id)))
    assert {(person["id"], person["status"]) for person in people} == {(ann.id, "active"), (eve.id, "pending")}
    assert used["rows"][0]["user"] == ann.id
    assert [message["text"] for message in data["conversations"][0]["messages"]] == ["hello", "hello"]
