"""Commands: the table, what plugins bring, and the ones that are nobody's."""

from collections.abc import Sequence

import pytest

from bot_support import Menus, Start
from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginInfo
from tgllm.bot.ui.command_table import CommandTable, TableCommand, parse_command
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider


class Commands:
    """A plugin with a good command and a bad one."""

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="dice", title="Dice", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return (
            ChatCommand("roll", "Roll the dice", self._roll, aliases=("dice",)),
            ChatCommand("broken", "Fails", self._broken),
            ChatCommand("boss", "For owners", self._roll, access="owner"),
            ChatCommand("half", "Answers with half a letter", self._half),
        )

    async def _roll(self, call: CommandCall) -> str:
        return f"4 {call.args}".strip()

    async def _broken(self, call: CommandCall) -> str:
        raise ValueError(call.name)

    async def _half(self, call: CommandCall) -> str:
        return "\ud83d and the rest"


@pytest.mark.parametrize(
    ("text", "name", "args"),
    [
        ("/ping", "ping", ""),
        ("/PING", "ping", ""),
        ("/model mistral/x  ", "model", "mistral/x"),
        ("/ping@Demo_Bot now", "ping", "now"),
        ("/say\nseveral\nlines", "say", "several\nlines"),
    ],
)
def test_a_command_is_read(text: str, name: str, args: str) -> None:
    parsed = parse_command(text, "demo_bot")
    assert parsed is not None
    assert (parsed.name, parsed.args) == (name, args)


@pytest.mark.parametrize(
    "text",
    ["", "/", "ping", "/ping@other_bot", "/@demo_bot", " /ping", "/привет", "/pingпривет", "/ping@бот", "/" + "a" * 33],
)
def test_other_text_is_no_command(text: str) -> None:
    assert parse_command(text, "demo_bot") is None


def test_a_name_is_found_by_alias() -> None:
    async def run(*_: object) -> None: ...

    command = TableCommand("stop", lambda _language: "", "user", run, aliases=("cancel",))
    assert CommandTable([command]).find("cancel") is command
    assert CommandTable([command]).find("missing") is None


async def test_ping_and_help(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start(plugins=[GivenPlugin.of("dice", Commands())]):
        asked = await ann.say("/ping")
        pong = await emu.wait_for_message(ann.private_chat(), after=asked)
        asked = await ann.say("/help")
        listing = await emu.wait_for_message(ann.private_chat(), after=asked)
    assert pong.text == "Bot ready"
    for line in ("/start", "/stop", "/ping", "/help", "/roll - Roll the dice"):
        assert line in listing.text


def groups(text: str) -> dict[str, list[str]]:
    """The names of the commands below each title of a help text."""
    found: dict[str, list[str]] = {}
    title = ""
    for line in text.splitlines():
        if not line.startswith("/"):
            title = line
        else:
            found.setdefault(title, []).append(line.split()[0])
    return found


async def test_help_is_grouped_and_plugins_have_groups_of_their_own(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus
) -> None:
    eve.language_code = "ru"
    async with start(plugins=[GivenPlugin.of("dice", Commands())], let_in=[eve]):
        help_of_ann, help_of_eve = await menus.ask(ann, "/help"), await menus.ask(eve, "/help")

    found = groups(help_of_ann.text)
    assert list(found) == ["💬 Chat", "🤖 Models", "👤 You", "🔧 Admin", "ℹ️ Bot", "🧩 Dice"]
    assert found["💬 Chat"][:2] == ["/start", "/stop"]
    assert found["👤 You"] == ["/remind", "/usage", "/approvals", "/forget"]
    assert found["🧩 Dice"] == ["/roll", "/broken", "/boss", "/half"]
    assert list(groups(help_of_eve.text)) == ["💬 Разговор", "🤖 Модели", "👤 Вы", "ℹ️ Бот", "🧩 Dice"]


async def test_a_title_of_a_plugin_is_one_short_line_of_help(
    emu: Emulator, ann: EmulatedUser, start: Start, menus: Menus
) -> None:
    class Hostile(Commands):
        @hookimpl
        def tgllm_plugin_info(self) -> PluginInfo:
            return PluginInfo(id="dice", title="Dice\n/stop - " + "x" * 500, api="1.0")

    async with start(plugins=[GivenPlugin.of("dice", Hostile())]):
        text = (await menus.ask(ann, "/help")).text
    (title,) = [line for line in text.splitlines() if line.startswith("🧩")]
    assert title.startswith("🧩 Dice /stop")
    assert len(title) < 70


async def test_a_plugin_answers_a_command(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start(plugins=[GivenPlugin.of("dice", Commands())]):
        await ann.say("/dice twice")
        answer = await emu.wait_for_message(ann.private_chat())
    assert answer.text == "4 twice"


async def test_half_a_letter_in_an_answer_costs_that_letter_alone(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    async with start(plugins=[GivenPlugin.of("dice", Commands())]):
        await ann.say("/half")
        answer = await emu.wait_for_message(ann.private_chat())
    assert answer.text == "\ufffd and the rest"


async def test_a_failing_command_says_whose_fault_it_is_and_the_bot_goes_on(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    async with start(plugins=[GivenPlugin.of("dice", Commands())]):
        asked = await ann.say("/broken")
        answer = await emu.wait_for_message(ann.private_chat(), after=asked)
        asked = await ann.say("/ping")
        pong = await emu.wait_for_message(ann.private_chat(), after=asked)
    assert "/broken" in answer.text
    assert "dice" in answer.text
    assert pong.text == "Bot ready"


async def test_an_unknown_command_names_the_nearest(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        asked = await ann.say("/pong")
        answer = await emu.wait_for_message(ann.private_chat(), after=asked)
    assert "/ping" in answer.text
    assert not provider.requests


async def test_a_slash_before_what_no_command_is_called_begins_a_question(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    room = emu.add_group(title="Room", members=[ann])
    async with start():
        await ann.say("/привет всем")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot)
        await ann.say("/привет@demo_bot", chat=room)
        await emu.wait_for_message(room, lambda message: message.text == "Ann: /привет")
    assert provider.questions == ["/привет всем", "Ann: /привет"]


async def test_a_command_to_another_bot_of_the_group_is_left_alone(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        await ann.say("/ping@other_bot", chat=group)
        await ann.say("/ping", chat=group)
        await emu.wait_for_message(group)
    assert group.bot_texts == ["Bot ready"]


async def test_in_a_group_an_unknown_command_may_be_that_of_another_bot(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        for said in ("/weather", "/weather@demo_bot", "/pong", "/ping"):
            await ann.say(said, chat=group)
        await emu.wait_for_message(group, lambda message: message.text == "Bot ready")
    assert group.bot_texts == [
        "I don't know /weather. See /help for what I can do.",
        "I don't know /pong. Did you mean /ping?",
        "Bot ready",
    ]


async def test_a_quarantined_plugin_loses_its_commands(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start(plugins=[GivenPlugin.of("dice", Commands())]) as bot:
        asked = await ann.say("/roll")
        await emu.wait_for_message(ann.private_chat(), after=asked)
        bot.core.host.quarantine("dice", "it cheats")
        asked = await ann.say("/roll")
        answer = await emu.wait_for_message(ann.private_chat(), after=asked)
    assert "I don't know /roll" in answer.text


async def test_help_in_a_group_tells_of_its_mode_and_of_privacy(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    group = emu.add_group(title="Team", members=[ann])
    emu.bot.reads_all_group_messages = False
    async with start():
        asked = await ann.say("/help@demo_bot", chat=group)
        shown = await emu.wait_for_message(group, after=asked)
        assert "I answer commands, messages that mention me" in shown.text
        assert "I am in privacy mode" in shown.text
        assert "/groupmode - " in shown.text
        await ann.say("/groupmode@demo_bot never", chat=group)
        asked = await ann.say("/help@demo_bot", chat=group)
        shown = await emu.wait_for_message(group, lambda message: "privacy" in message.text, after=asked)
        assert "I answer commands and nothing else" in shown.text
        asked = await ann.say("/help")
        shown = await emu.wait_for_message(ann.private_chat(), after=asked)
        assert "/groupmode - " not in shown.text
