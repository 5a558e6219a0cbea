"""Unexpected errors of the running bot: the code that a person reads leads an admin to the place."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot_support import LetIn, Menus, Start
from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, JobSpec, PluginContext, PluginInfo, TurnInfo, TurnResult, Unavailable
from tgllm.config.paths import database_path
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import errors, requests, schedules
from tgllm.db.tables.errors import ErrorRow
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedChat, EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

CODE = re.compile(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}")


@pytest.fixture
def start(start: Start) -> Start:
    """Starts a bot that notifies the admins, which other tests' bots do not."""
    return lambda **changes: start(errors__notify=True, **changes)


def code_in(text: str) -> str:
    (code,) = set(CODE.findall(text))
    return code


async def stored(bot: RunningBot) -> list[ErrorRow]:
    return await bot.core.database.read(lambda conn: errors.recent(conn, 100))


async def notice(emu: Emulator, chat: EmulatedChat, words: str) -> EmulatedMessage:
    """The notice to the admins with these words."""
    return await emu.wait_for_message(chat, lambda found: found.text.startswith("⚠️") and words in found.text)


@dataclass
class Faulty:
    """A plugin that raises in a command and in the hooks that are named."""

    hooks: Sequence[str] = ()

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="faulty", title="Faulty", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return (ChatCommand("act", "Do something", self.act),)

    @hookimpl
    def tgllm_startup(self) -> None:
        self._fail("startup")

    @hookimpl
    def tgllm_after_reply(self, turn: TurnInfo, result: TurnResult) -> None:
        self._fail("after_reply")

    @hookimpl
    def tgllm_on_error(self, turn: TurnInfo, error: Exception) -> None:
        self._fail("on_error")

    @hookimpl
    def tgllm_jobs(self) -> Sequence[JobSpec]:
        return (JobSpec("daily", "Fail", "0 4 * * *", self.daily),)

    async def daily(self, ctx: PluginContext) -> None:
        raise BufferError("full")

    async def act(self, call: CommandCall) -> str:
        raise LookupError(f"no such thing: {call.args}")

    def _fail(self, hook: str) -> None:
        if hook in self.hooks:
            raise ArithmeticError(f"wrong in {hook}")


@pytest.fixture
def faulty() -> GivenPlugin:
    return GivenPlugin.of("faulty", Faulty())


async def test_the_code_that_a_person_reads_leads_an_admin_to_the_place(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus, faulty: GivenPlugin
) -> None:
    async with start(plugins=[faulty], let_in=[eve]) as bot:
        await menus.ask(ann, "/ping")
        said = await menus.ask(eve, "/act my little secret")
        code = code_in(said.text)
        told = await notice(emu, ann.private_chat(), code)
        assert "LookupError" in told.text
        assert "faulty (given-faulty 0)" in told.text
        assert "test_error_reports.py:" in told.text
        await ann.press(told, "Details")
        shown = await emu.wait_for_message(ann.private_chat(), lambda found: found.text.startswith(code))
        assert "no such thing:[text]" in shown.text
        assert "in act" in shown.text
        assert "update_id=" in shown.text
        typed = await menus.ask(ann, f"/admin errors {code.lower().replace('-', ' ')}")
        assert typed.text == shown.text
        listed = await menus.ask(ann, "/admin errors")
        assert f"error_id={code}" in listed.text
        (row,) = await stored(bot)
        assert (row.id, row.plugin, row.times, row.version) == (code, "faulty", 1, "0")


async def test_an_unknown_code_is_said_to_be_unknown(ann: EmulatedUser, start: Start, menus: Menus) -> None:
    async with start():
        assert "No error has the code AAAA-AAAA" in (await menus.ask(ann, "/admin errors AAAA-AAAA")).text
        assert "No error has the code what" in (await menus.ask(ann, "/admin errors what")).text


async def test_an_unexpected_exception_of_a_provider_has_a_code(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus, provider: ScriptedProvider
) -> None:
    provider.answer("Half", ZeroDivisionError("it can't quote: What about my illness?"))
    async with start(let_in=[eve]) as bot:
        await menus.ask(ann, "/ping")
        said = await menus.ask(eve, "What about my illness?")
        code = code_in(said.text)
        told = await notice(emu, ann.private_chat(), code)
        assert "illness" not in told.text
        (row,) = await stored(bot)
        assert (row.id, row.event, row.plugin, row.kind) == (code, "turn.crashed", "scripted", "ZeroDivisionError")
        assert "illness" not in row.message
        (failed,) = await bot.core.database.read(lambda conn: requests.recent(conn, 5))
        assert failed.error_code == "provider_broken"
        assert f"error_id={code}" in (await menus.ask(ann, "/admin errors")).text


async def test_an_expected_error_has_no_code_and_no_notice(
    ann: EmulatedUser, start: Start, menus: Menus, provider: ScriptedProvider
) -> None:
    provider.answer(Unavailable("HTTP 500"))
    async with start() as bot:
        said = await menus.ask(ann, "Hello?")
        assert not CODE.search(said.text)
        await bot.stop()
        assert await stored(bot) == []


@pytest.mark.parametrize("hook", ["startup", "after_reply", "on_error"])
async def test_a_plugin_whose_hook_fails_is_reported_with_the_place(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, hook: str
) -> None:
    if hook == "on_error":
        provider.answer(Unavailable("HTTP 500"))
    async with start(plugins=[GivenPlugin.of("faulty", Faulty([hook]))]) as bot:
        await ann.say("Hello?")
        told = await notice(emu, ann.private_chat(), "ArithmeticError")
        (row,) = await stored(bot)
    assert (row.event, row.plugin) == ("plugin.quarantined", "faulty")
    assert row.place.startswith("test_error_reports.py:")
    assert row.place in told.text


async def test_a_task_that_nothing_awaits_is_reported(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async def fail() -> None:
        raise LookupError("astray")

    async with start() as bot:
        task = asyncio.create_task(fail())
        await asyncio.wait({task})
        del task
        await notice(emu, ann.private_chat(), "LookupError")
        assert [row.event for row in await stored(bot)] == ["task.failed"]


async def test_an_error_of_the_sender_is_reported_and_ends_nothing(
    emu: Emulator, ann: EmulatedUser, start: Start, menus: Menus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as bot:
        broken = bot.runtime._parts.sender._method

        async def method(row: Any) -> Any:
            if row.payload.get("text") == "Bot ready":
                raise LookupError("no such method")
            return await broken(row)

        monkeypatch.setattr(bot.runtime._parts.sender, "_method", method)
        await ann.say("/ping")
        await notice(emu, ann.private_chat(), "LookupError")
        assert (await menus.ask(ann, "still there?")).text == "still there?"
        assert [row.event for row in await stored(bot)] == ["send.broken"]


async def test_an_update_that_is_not_for_the_bot_leaves_only_the_kind_of_its_error(
    emu: Emulator, ann: EmulatedUser, start: Start, let_in: LetIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise LookupError("they said: our little secret is out")

    async with start() as bot:
        monkeypatch.setattr("tgllm.bot.middlewares.access.AuthMiddleware.__call__", broken)
        await ann.say("our little secret is out")
        told = await notice(emu, ann.private_chat(), "LookupError")
        monkeypatch.undo()
        (row,) = await stored(bot)
    assert "secret is out" not in f"{told.text} {row}"
    assert row.message == "they said: [text]"


async def test_an_erased_person_leaves_no_message_and_no_place(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus, faulty: GivenPlugin
) -> None:
    async with start(plugins=[faulty], let_in=[eve]) as bot:
        await menus.ask(eve, "/act")
        asked = await menus.ask(eve, "/forget")
        await menus.press(eve, asked, asked.labels[0])

        def query(conn: Connection) -> tuple[list[ErrorRow], int]:
            return errors.recent(conn, 9), conn.execute("SELECT count(*) FROM error_places").fetchone()[0]

        (row,), places = await bot.core.database.read(query)
    assert (row.message, places) == ("", 0)


async def test_a_job_of_a_plugin_that_fails_is_reported(
    emu: Emulator, ann: EmulatedUser, start: Start, faulty: GivenPlugin, tmp_path: Path
) -> None:
    def was_run(conn: Connection) -> None:
        schedules.start(conn, "faulty.daily", 1, 1)
        schedules.finish(conn, "faulty.daily", 1, "ok", 2)

    async with await Database.open(database_path(tmp_path)) as database:
        await database.write(was_run)
    async with start(plugins=[faulty]) as bot:
        await notice(emu, ann.private_chat(), "BufferError")
        (row,) = await stored(bot)
    assert (row.event, row.plugin) == ("job.failed", "faulty")
    assert row.trace[-1].endswith("in daily")
