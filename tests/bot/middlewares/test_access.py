"""Closed by default: who has not been let in gets "request pending" and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from bot_support import Start
from tgllm import hookimpl
from tgllm.api import ChatCommand, ChatInfo, CommandCall, Decision, PluginInfo, UserInfo
from tgllm.db.tables import users
from tgllm.services.chats.group_mode import choose_group_mode
from tgllm.services.common.actor import SHELL
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider


class Door:
    """A plugin that decides on access as it is told."""

    def __init__(self, decide: Callable[[str], Decision | Awaitable[Decision | None] | None]) -> None:
        self._decide = decide

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="door", title="Door", api="1.0")

    @hookimpl
    def tgllm_authorize(
        self, user: UserInfo, chat: ChatInfo, action: str
    ) -> Decision | Awaitable[Decision | None] | None:
        return self._decide(action)


@pytest.mark.parametrize("text", ["hello", "/ping", "/help", "/start", "/stop", "/nonsense"])
async def test_somebody_unknown_gets_request_pending_and_nothing_else(
    emu: Emulator, eve: EmulatedUser, start: Start, provider: ScriptedProvider, text: str
) -> None:
    async with start() as bot:
        await eve.say(text)
        await emu.wait_for_message(eve.private_chat())
        await bot.stop()
        row = await bot.core.database.read(lambda conn: users.get(conn, eve.id))
    answers = eve.private_chat().bot_texts
    assert len(answers) == 1
    assert "request pending" in answers[0]
    assert not provider.requests
    # Only who asks to be let in is remembered.
    assert (row.status if row else None) == ("pending" if text == "/start" else None)


async def test_an_owner_named_in_the_config_is_active_from_the_start(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    async with start() as bot:
        row = await bot.core.database.read(lambda conn: users.get(conn, ann.id))
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready")
    assert row is not None
    assert (row.role, row.status) == ("owner", "active")


@pytest.mark.parametrize("status", ["denied", "blocked", "pending"])
async def test_a_decision_against_somebody_holds(
    emu: Emulator, eve: EmulatedUser, start: Start, provider: ScriptedProvider, status: users.Status
) -> None:
    async with start() as bot:
        await bot.core.database.write(lambda conn: users.upsert_seen(conn, users.SeenUser(eve.id), 1))
        await bot.core.database.write(lambda conn: users.set_status(conn, eve.id, status, 1))
        await eve.say("hello")
        await emu.wait_for_message(eve.private_chat())
        row = await bot.core.database.read(lambda conn: users.get(conn, eve.id))
    assert row is not None
    assert row.status == status
    assert not provider.requests


async def test_somebody_let_in_is_answered(
    emu: Emulator, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start() as bot:
        asked = await eve.say("/start")
        await emu.wait_for_message(eve.private_chat(), after=asked)
        await bot.core.database.write(lambda conn: users.set_status(conn, eve.id, "active", 1))
        asked = await eve.say("hello again")
        answer = await emu.wait_for_message(eve.private_chat(), after=asked)
    assert answer.text == "hello again"


async def test_in_a_group_strangers_are_not_answered_unless_they_speak_to_the_bot(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start():
        await eve.say("talking to Ann", chat=group)
        await eve.say("@demo_bot hello", chat=group)
        answer = await emu.wait_for_message(group)
    assert "request pending" in answer.text
    assert len([message for message in group.messages if message.from_bot]) == 1
    assert not provider.requests


async def test_a_stranger_can_not_press_a_button(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    go_on = asyncio.Event()
    provider.answer("Half", go_on, " and whole.")
    async with start():
        await ann.say("@demo_bot go", chat=group)
        growing = await emu.wait_for_message(group, lambda message: message.text == "Half")
        await eve.press(growing, "Stop")
        await emu.wait_for(lambda: [call for call in emu.journal if call.method == "answerCallbackQuery"])
        go_on.set()
        await emu.wait_for_message(group, lambda message: message.text == "Half and whole.")


async def test_a_veto_of_a_plugin_is_told(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    door = Door(lambda action: Decision.deny("Not on Sundays.") if action == "message" else None)
    async with start(plugins=[GivenPlugin.of("door", door)]):
        asked = await ann.say("hello")
        answer = await emu.wait_for_message(ann.private_chat(), after=asked)
        asked = await ann.say("/ping")
        pong = await emu.wait_for_message(ann.private_chat(), after=asked)
    assert answer.text == "Not on Sundays."
    assert pong.text == "Bot ready"
    assert not provider.requests


class Dice:
    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="dice", title="Dice", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return [ChatCommand("roll", "Roll the dice", self._roll, aliases=("dice",))]

    async def _roll(self, call: CommandCall) -> str:
        return "4"


@pytest.mark.parametrize("text", ["/roll", "/dice", "/DICE@demo_bot twice"])
async def test_a_veto_of_a_command_is_one_of_its_aliases_too(
    emu: Emulator, ann: EmulatedUser, start: Start, text: str
) -> None:
    door = Door(lambda action: Decision.deny("No gambling.") if action == "command:roll" else None)
    async with start(plugins=[GivenPlugin.of("door", door), GivenPlugin.of("dice", Dice())]):
        await ann.say(text)
        answer = await emu.wait_for_message(ann.private_chat())
    assert answer.text == "No gambling."


async def test_a_failing_access_plugin_means_no(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    def fail(action: str) -> Decision:
        raise ValueError(action)

    async with start(plugins=[GivenPlugin.of("door", Door(fail))], let_in=[eve]) as bot:
        await eve.say("hello")
        await emu.wait_for_message(eve.private_chat())
        await eve.say("hello?")
        await emu.wait_for(lambda: len([m for m in eve.private_chat().messages if m.from_bot]) > 1)
        await ann.say("the owner still gets in")
        await emu.wait_for_message(ann.private_chat())
        records = {record.id: record for record in bot.core.host.records}
    assert provider.questions == ["the owner still gets in"]
    assert records["door"].state == "quarantined"


async def test_other_bots_are_ignored(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start():
        emu.inject_update(
            {
                "message": {
                    "message_id": 900,
                    "date": 1,
                    "chat": {"id": 77, "type": "private", "first_name": "Robot"},
                    "from": {"id": 77, "is_bot": True, "first_name": "Robot"},
                    "text": "hello",
                }
            }
        )
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat())
    assert {call.chat_id for call in emu.journal if call.method == "sendMessage"} == {ann.id}


CHANNEL = {"id": -1007, "type": "channel", "title": "News"}
NOBODY: dict[str, dict[str, object]] = {
    "a post of the channel that the group belongs to": {
        "from": {"id": 777000, "is_bot": False, "first_name": "Telegram"},
        "sender_chat": CHANNEL,
        "is_automatic_forward": True,
    },
    "somebody in the name of a channel": {
        "from": {"id": 136817688, "is_bot": True, "first_name": "Channel"},
        "sender_chat": CHANNEL,
    },
    "a hidden admin of the group": {
        "from": {"id": 1087968824, "is_bot": True, "first_name": "Group"},
        "sender_chat": {"id": -1008, "type": "supergroup", "title": "Team"},
    },
}


@pytest.mark.parametrize("author", NOBODY.values(), ids=NOBODY)
@pytest.mark.parametrize("text", ["@demo_bot hello", "what is new", "/admin@demo_bot users", "/ping@demo_bot"])
async def test_whoever_writes_in_the_name_of_a_chat_is_nobody(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    provider: ScriptedProvider,
    author: dict[str, object],
    text: str,
) -> None:
    room = emu.add_group(title="Team", members=[ann])
    message = {"message_id": 900, "date": 1, "chat": {"id": room.id, "type": "supergroup"}, "text": text}
    async with start(admin_chat_id=room.id) as bot:
        await bot.core.database.write(lambda conn: bot.core.access.groups.approve_by(conn, room.id, "", SHELL))
        await bot.core.database.write(choose_group_mode(bot.core.clock, room.id, "always", ann.id))
        emu.inject_update({"message": message | author})
        await ann.say("and me?", chat=room)
        await emu.wait_for_message(room, lambda message: message.text == "Ann: and me?")
        known = await bot.core.database.read(users.list_all)
        await bot.stop()
    # Whoever addresses the bot is told that it answers people; a post of the channel addresses nobody.
    is_told = "is_automatic_forward" not in author and "@demo_bot" in text
    said = [message.text for message in room.messages if message.from_bot]
    assert len([line for line in said if line.startswith("I answer people")]) == is_told
    assert len(said) == 2 + is_told
    assert len(provider.requests) == 1
    assert [user.id for user in known] == [ann.id]


@pytest.mark.parametrize(
    "of_others",
    [
        {"forward_origin": {"type": "hidden_user", "sender_user_name": "Eve", "date": 1}},
        {"via_bot": {"id": 5, "is_bot": True, "first_name": "Helper"}},
    ],
    ids=["forwarded", "inline"],
)
@pytest.mark.parametrize("text", ["/admin approve 99", "/stop", "/forget"])
async def test_what_somebody_else_has_written_is_no_command(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    provider: ScriptedProvider,
    of_others: dict[str, object],
    text: str,
) -> None:
    async with start() as bot:
        await bot.core.database.write(lambda conn: users.upsert_seen(conn, users.SeenUser(99), 1))
        chat = ann.private_chat()
        sender = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
        message = {"message_id": 900, "date": 1, "chat": {"id": chat.id, "type": "private"}, "from": sender}
        emu.inject_update({"message": {**message, "text": text, **of_others}})
        answer = await emu.wait_for_message(chat, lambda message: message.from_bot and text in message.text)
        row = await bot.core.database.read(lambda conn: users.get(conn, 99))
    assert row is not None
    assert (row.status, answer.labels) == ("pending", ["Regenerate"])
    assert provider.requests[0].messages[-1].text.endswith(text)


async def test_a_chat_of_a_kind_that_nobody_knows_yet_is_not_private(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    async with start():
        sender = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
        message = {"message_id": 900, "date": 1, "chat": {"id": -55, "type": "agora"}, "from": sender}
        emu.inject_update({"message": {**message, "text": "/admin users"}})
        await emu.wait_for(lambda: [call for call in emu.journal if call.chat_id == -55])
    (call,) = [call for call in emu.journal if call.chat_id == -55]
    assert "in the admin chat only" in str(call.params["text"])
