"""Which messages of a group are answered: what an admin has chosen for it."""

import pytest

from bot_support import Ask, Start
from tgllm import hookimpl
from tgllm.api import ChatInfo, Decision, PluginInfo, UserInfo
from tgllm.db.tables import audit
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider


class NoTalk:
    """A plugin that lets nobody ask anything."""

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="notalk", title="No talk", api="1.0")

    @hookimpl
    def tgllm_authorize(self, user: UserInfo, chat: ChatInfo, action: str) -> Decision | None:
        return Decision(False, "No talk here") if action == "message" else None


async def test_always_answers_all_but_strangers_and_commands_to_other_bots(
    emu: Emulator, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group, other = emu.add_group(title="Team", members=[ann, eve]), emu.add_group(title="Other", members=[ann])
    async with start():
        await ask("/groupmode@demo_bot ALWAYS", chat=group)
        await ann.say("not here", chat=other)
        await eve.say("I am a stranger", chat=group)
        await ann.say("/ask@another_bot hello", chat=group)
        await ask("hello", chat=group)
        await eve.say("@demo_bot let me in", chat=group)
        refusal = await emu.wait_for_message(group, lambda message: "request pending" in message.text)
    assert provider.questions == ["Ann: hello"]
    assert group.bot_texts[1:] == ["Ann: hello", refusal.text]
    assert not [message for message in other.messages if message.from_bot]


async def test_never_answers_commands_only(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start() as bot:
        answer = await ask("@demo_bot one", chat=group)
        await ask("/groupmode@demo_bot never", chat=group)
        await ann.say("@demo_bot two", chat=group)
        await ann.say("three", chat=group, reply_to=answer)
        assert (await ask("/ping@demo_bot", chat=group)).text == "Bot ready"
        await bot.stop()
    async with start():
        await ann.say("@demo_bot four", chat=group)
        await ask("/groupmode@demo_bot mention", chat=group)
        await ask("@demo_bot five", chat=group)
    assert provider.questions == ["Ann: one", "Ann: five"]


async def test_it_is_chosen_with_a_button_and_noted(emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start() as bot:
        menu = await ask("/groupmode@demo_bot", chat=group)
        assert menu.labels == ["all messages", "✓ mentions, replies and commands", "commands only"]
        await ann.press(menu, "all messages")
        await emu.wait_for(lambda: "/setprivacy" in menu.text)
        assert menu.labels[0] == "✓ all messages"
        (entry,) = await bot.core.database.read(lambda conn: audit.list_recent(conn, 1))
    assert (entry.actor_id, entry.action, entry.target) == (ann.id, "group.mode", str(group.id))
    assert entry.details == {"from": "mention", "to": "always"}


async def test_only_admins_choose_it(
    emu: Emulator, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start(let_in=[eve]):
        menu = await ask("/groupmode@demo_bot", chat=group)
        query = await eve.press(menu, "commands only")
        answer = await emu.wait_for(lambda: query.answer)
        assert answer["text"] == "Only admins of the bot can use this command."
        said = await eve.say("/groupmode@demo_bot never", chat=group)
        refused = await emu.wait_for_message(group, lambda message: message.from_bot, after=said)
        assert refused.text == "Only admins of the bot can use this command."
        assert (await ask("/groupmode@demo_bot", chat=group)).labels[1].startswith("✓")


@pytest.mark.parametrize("data", ["groupmode:sometimes", "groupmode"])
async def test_forged_presses_change_nothing(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, data: str
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        menu = await ask("/groupmode@demo_bot", chat=group)
        query = ann._query(menu, data)
        answer = await emu.wait_for(lambda: query.answer)
    assert answer["text"] == "This list is old. Send /groupmode for a new one."


async def test_it_is_for_groups_and_has_three_values(emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        assert (await ask("/groupmode always")).text.startswith("This is for groups")
        unknown = await ask("/groupmode@demo_bot loud", chat=group)
    assert unknown.text == "There is no such mode. There are: always, mention, never."


async def test_who_may_not_talk_is_told_so_only_when_they_speak_to_the_bot(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start(plugins=[GivenPlugin.of("notalk", NoTalk())]):
        await ask("/groupmode@demo_bot always", chat=group)
        await ann.say("overheard", chat=group)
        assert (await ask("@demo_bot hello", chat=group)).text == "No talk here"
    assert group.bot_texts[1:] == ["No talk here"]
