"""Messages that plugins send: once by their key, only where they may, and their own to edit and delete."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot_support import Killed, Start, decide_group, from_bot, is_notice, settled
from plugin_support import Hands
from tgllm.api import (
    Button,
    ChatInfo,
    ChatUnavailable,
    CommandCall,
    OutgoingFile,
    PluginContext,
    PluginError,
    Reply,
    SentMessage,
)
from tgllm.db.database import Database
from tgllm.db.tables import groups, outbox, users
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault

NO_ACCESS: Sequence[users.Status] = ("pending", "denied", "blocked")
MINE: ContextVar[bool] = ContextVar("mine")
"""True for what this test does, and not for what the tasks of the bot do meanwhile."""
BUTTONS = [[Button("Ok", "ok")]]


@pytest.fixture(autouse=True)
def started(ann: EmulatedUser) -> None:
    """Ann has started the bot: a bot can't write to a person before."""
    ann.private_chat()


def texts(person: EmulatedUser) -> list[str]:
    return [message.text for message in from_bot(person.private_chat())]


async def test_a_key_sends_once_whatever_the_text(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    hands = Hands()
    async with start(plugins=[hands.found]) as bot:
        ann.private_chat()
        chats = hands.context.chats
        first = await chats.send(ann.id, "Tea is ready.", key="tea")
        second = await chats.send(ann.id, "Tea is cold.", key="tea")
        other = await chats.send(ann.id, "Cake.", key="cake")
        await settled(emu, bot)
    async with start(plugins=[hands.found]) as bot:
        third = await hands.context.chats.send(ann.id, "Tea again?", key="tea")
        await settled(emu, bot)
    assert texts(ann) == ["Tea is ready.", "Cake."]
    assert (first.is_new, second.is_new, third.is_new) == (True, False, False)
    assert first.id == second.id == third.id != other.id


async def test_one_look_at_the_database_comes_before_the_write(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def counted(name: str) -> None:
        method = getattr(Database, name)

        def call(self: Database, *args: Any, **options: Any) -> Any:
            if MINE.get(None):
                done.append(name)
            return method(self, *args, **options)

        monkeypatch.setattr(Database, name, call)

    hands = Hands()
    async with start(plugins=[hands.found]) as bot:
        for name in ("read", "expect", "write"):
            counted(name)
        MINE.set(True)
        message = await hands.context.chats.send(ann.id, "Tea is ready.")
        assert done == ["read", "expect", "write"]
        await settled(emu, bot)
        done.clear()
        assert await hands.context.chats.edit(message, "Tea is cold.")
        assert done == ["read", "expect", "write"]
        done.clear()
        assert await hands.context.chats.delete(message)
        assert done == ["expect", "write"]


async def test_at_the_same_time_a_key_sends_once(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    hands = Hands()
    async with start(plugins=[hands.found]) as bot:
        ann.private_chat()
        files = (OutgoingFile("a.txt", b"a"),)
        sends = [hands.context.chats.send(ann.id, Reply(f"{n}", files=files), key="k") for n in range(8)]
        found = await asyncio.gather(*sends)
        await settled(emu, bot)
        exports = bot.core.config.data_dir / "files" / "exports"
        await emu.wait_for(lambda: not list(exports.iterdir()))
    assert sum(message.is_new for message in found) == 1
    assert len(from_bot(ann.private_chat())) == 2


async def test_it_is_sent_from_the_start_of_the_plugin(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async def greet(ctx: PluginContext) -> None:
        await ctx.chats.send(ann.id, Reply("**Up.**", markdown=True, buttons=BUTTONS), key="up")

    async with start(plugins=[Hands(on_start=greet).found]) as bot:
        pass
    async with start(plugins=[Hands(on_start=greet).found]) as bot:
        await settled(emu, bot)
    (message,) = from_bot(ann.private_chat())
    assert (message.text, message.labels) == ("Up.", ["Ok"])


async def test_a_message_of_a_command_comes_before_its_reply(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async def work(call: CommandCall) -> str:
        await call.context.chats.send(call.chat, "Working.")
        await call.context.chats.send(call.user, Reply("", files=(OutgoingFile("a.txt", b"a"),)))
        return "Done."

    async with start(plugins=[Hands(work).found]) as bot:
        await ann.say("/do")
        await settled(emu, bot)
    assert texts(ann) == ["Working.", "", "Done."]


class TestWhere:
    @pytest.fixture
    def hands(self) -> Hands:
        return Hands()

    async def refused(self, hands: Hands, chat: Any, **options: Any) -> str:
        with pytest.raises(ChatUnavailable) as caught:
            await hands.context.chats.send(chat, "Hello", **options)
        assert caught.value.code == f"chat_{caught.value.reason}"
        return caught.value.reason

    async def test_people(
        self, emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, hands: Hands
    ) -> None:
        async with start(plugins=[hands.found], let_in=[eve]) as bot:
            ann.private_chat()
            assert await self.refused(hands, 777) == "unknown"
            assert await self.refused(hands, 0) == "unknown"
            for status in NO_ACCESS:
                await bot.core.database.write(partial(users.set_status, user_id=eve.id, status=status, now=1))
                assert await self.refused(hands, eve.id) == "no_access"
            await settled(emu, bot)
        assert from_bot(eve.private_chat()) == []

    async def test_ids_that_telegram_can_not_have(self, ann: EmulatedUser, start: Start, hands: Hands) -> None:
        async with start(plugins=[hands.found]):
            chats = hands.context.chats
            wrong: Sequence[Any] = (10**30, -(2**52), "x", None, True, ChatInfo(ann.id, "private", topic_id=10**30))
            for chat in (*wrong, ChatInfo("x", "private"), ChatInfo(ann.id, "private", topic_id="x")):  # type: ignore[arg-type]  from a plugin
                with pytest.raises(PluginError, match="is no chat"):
                    await chats.send(chat, "Hello")
            for person in (10**30, -5, "x", True):
                with pytest.raises(PluginError, match="is no person"):
                    await chats.send(ann.id, "Hello", recipient=person)  # type: ignore[arg-type]  from a plugin
            for message in (10**30, "x", True, SentMessage("x", 1)):  # type: ignore[arg-type]  from a plugin
                with pytest.raises(PluginError, match="is no message"):
                    await chats.edit(message, "Hello")  # type: ignore[arg-type]  from a plugin
                with pytest.raises(PluginError, match="is no message"):
                    await chats.delete(message)  # type: ignore[arg-type]  from a plugin

    async def test_a_task_that_outlives_its_command_sends_only_to_people_with_access(
        self, emu: Emulator, eve: EmulatedUser, start: Start
    ) -> None:
        tasks: list[asyncio.Task[str]] = []
        ended = asyncio.Event()

        async def later(call: CommandCall) -> str:
            await ended.wait()
            try:
                await call.context.chats.send(call.chat, "Later.")
            except ChatUnavailable as error:
                return error.reason
            return "sent"

        async def work(call: CommandCall) -> str:
            tasks.append(asyncio.create_task(later(call)))
            return "Soon."

        async with start(plugins=[Hands(work).found], let_in=[eve]) as bot:
            await eve.say("/do")
            await settled(emu, bot)
            await bot.core.database.write(partial(users.set_status, user_id=eve.id, status="denied", now=1))
            ended.set()
            assert await tasks[0] == "no_access"
            await settled(emu, bot)
        assert texts(eve) == ["Soon."]

    async def test_groups(self, emu: Emulator, ann: EmulatedUser, start: Start, hands: Hands) -> None:
        group, other = (emu.add_group(title=name, members=[ann]) for name in ("Team", "Other"))
        async with start(plugins=[hands.found]) as bot:
            assert await self.refused(hands, group.id) == "unknown"
            await bot.core.database.write(lambda conn: groups.request(conn, group.id, "Team", 1))
            assert await self.refused(hands, ChatInfo(group.id, "supergroup")) == "no_access"
            await bot.core.database.write(decide_group(group))
            await hands.context.chats.send(group.id, "Hello", key="a")
            await bot.core.database.write(decide_group(group, "denied"))
            assert await self.refused(hands, group.id) == "no_access"
            await settled(emu, bot)
        assert [message.text for message in from_bot(group)] == ["Hello"]
        assert from_bot(other) == []

    async def test_who_has_blocked_the_bot_until_they_unblock_it(
        self, emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, hands: Hands
    ) -> None:
        async with start(plugins=[hands.found], let_in=[eve]) as bot:
            eve.private_chat()
            await eve.block()
            await settled(emu, bot)
            assert await self.refused(hands, eve.id) == "blocked"
            await eve.unblock()
            await settled(emu, bot)
            await hands.context.chats.send(eve.id, "Back")
            await settled(emu, bot)
        assert texts(eve) == ["Back"]

    async def test_a_block_that_shows_only_when_a_message_is_sent(
        self, emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, hands: Hands
    ) -> None:
        emu.faults.add(Fault.api_error("sendMessage", 403, "Forbidden: bot was blocked by the user", chat_id=eve.id))
        async with start(plugins=[hands.found], let_in=[eve]) as bot:
            eve.private_chat()
            await hands.context.chats.send(eve.id, "Hello")
            await settled(emu, bot)
            assert await self.refused(hands, eve.id) == "blocked"
            await eve.say("I am here")
            await settled(emu, bot)
            await hands.context.chats.send(eve.id, "Back")
            await settled(emu, bot)
        assert texts(eve)[-1] == "Back"

    async def test_a_person_who_has_never_started_the_bot(
        self, emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, hands: Hands
    ) -> None:
        async with start(plugins=[hands.found], let_in=[eve]) as bot:
            await hands.context.chats.send(eve.id, "Hello")
            await settled(emu, bot)
            assert await self.refused(hands, eve.id) == "blocked"
        assert [call.status for call in emu.journal.of("sendMessage")] == [400]

    async def test_a_group_that_removes_the_bot(
        self, emu: Emulator, ann: EmulatedUser, start: Start, hands: Hands
    ) -> None:
        group = emu.add_group(title="Team", members=[ann])
        async with start(plugins=[hands.found]) as bot:
            await bot.core.database.write(decide_group(group))
            await ann.remove(group, emu.bot)
            await settled(emu, bot)
            assert await self.refused(hands, group.id) == "blocked"

    async def test_a_refusal_in_a_command_is_told_in_words(
        self, emu: Emulator, ann: EmulatedUser, start: Start, hands: Hands
    ) -> None:
        async def tell(call: CommandCall) -> None:
            await call.context.chats.send(777, "Hello")

        hands.on_call = tell
        async with start(plugins=[hands.found]) as bot:
            await ann.say("/do")
            await settled(emu, bot)
        assert texts(ann) == ["I don't know this chat. Somebody has to write to me there first."]

    @pytest.mark.parametrize(
        ("chat", "reply", "options"),
        [
            ("ann", "x", {}),
            (True, "x", {}),
            (None, 7, {}),
            (None, "", {}),
            (None, Reply(" "), {}),
            (None, Reply("x", buttons=[[Button("A")]]), {}),
            (None, "x", {"key": ""}),
            (None, "x", {"key": "a\nb"}),
            (None, "x", {"key": "a" * 201}),
            (None, "x", {"key": 7}),
        ],
    )
    async def test_a_mistake_is_an_error_of_the_plugin(
        self, ann: EmulatedUser, start: Start, hands: Hands, chat: Any, reply: Any, options: Any
    ) -> None:
        async with start(plugins=[hands.found]):
            with pytest.raises(PluginError):
                await hands.context.chats.send(ann.id if chat is None else chat, reply, **options)

    async def test_a_quarantined_plugin_sends_nothing(self, ann: EmulatedUser, start: Start, hands: Hands) -> None:
        async with start(plugins=[hands.found]) as bot:
            bot.core.host.quarantine("hands", "it broke")
            with pytest.raises(PluginError):
                await hands.context.chats.send(ann.id, "x")


class TestChanges:
    async def test_a_message_is_edited_and_deleted(self, emu: Emulator, ann: EmulatedUser, start: Start) -> None:
        hands = Hands()
        async with start(plugins=[hands.found]) as bot:
            chat, chats = ann.private_chat(), hands.context.chats
            sent = await chats.send(ann.id, Reply("One", buttons=BUTTONS), key="k")
            await settled(emu, bot)
            (message,) = from_bot(chat)
            assert await chats.edit(sent.id, Reply("Two", buttons=[[Button("Go", "go")]]))
            await settled(emu, bot)
            assert (message.text, message.labels) == ("Two", ["Go"])
            assert await chats.edit(sent, "Three")
            await settled(emu, bot)
            assert (message.text, message.labels) == ("Three", [])
            assert await chats.delete(sent)
            await settled(emu, bot)
            assert message.is_deleted
            assert [await chats.edit(sent, "Four"), await chats.delete(sent)] == [False, False]
            assert not (await chats.send(ann.id, "Again", key="k")).is_new

    async def test_a_change_of_what_is_not_sent_yet_waits_for_it(
        self, emu: Emulator, ann: EmulatedUser, start: Start
    ) -> None:
        held = emu.faults.add(Fault.hold("sendMessage"))
        hands = Hands()
        async with start(plugins=[hands.found]) as bot:
            chat, chats = ann.private_chat(), hands.context.chats
            first = await chats.send(ann.id, "One")
            await emu.wait_for(lambda: emu.journal.of("sendMessage"))
            second, third = await chats.send(ann.id, "Deleted at once"), await chats.send(ann.id, "Three")
            for word in ("edited", "edited twice"):
                assert await chats.edit(first, f"One, {word}")
            assert await chats.delete(second)
            assert await chats.edit(third, "Three, edited")
            held.release()
            await settled(emu, bot)
            assert [message.text for message in from_bot(chat)] == ["One, edited twice", "Three, edited"]

    async def test_a_deletion_during_the_call_is_made_after_it(
        self, emu: Emulator, ann: EmulatedUser, start: Start
    ) -> None:
        held = emu.faults.add(Fault.hold("sendMessage"))
        hands = Hands()
        async with start(plugins=[hands.found]) as bot:
            sent = await hands.context.chats.send(ann.id, "One")
            await emu.wait_for(lambda: emu.journal.of("sendMessage"))
            assert await hands.context.chats.delete(sent)
            held.release()
            await settled(emu, bot)
            assert texts(ann) == []

    async def test_fast_edits_become_one(self, emu: Emulator, ann: EmulatedUser, start: Start) -> None:
        hands = Hands()
        async with start(plugins=[hands.found]) as bot:
            sent = await hands.context.chats.send(ann.id, "0")
            await settled(emu, bot)
            held = emu.faults.add(Fault.hold("editMessageText"))
            await hands.context.chats.edit(sent, "1")
            await emu.wait_for(lambda: emu.journal.of("editMessageText"))
            for number in range(2, 30):
                await hands.context.chats.edit(sent, f"{number}")
            held.release()
            await settled(emu, bot)
        assert texts(ann) == ["29"]
        assert len(emu.journal.of("editMessageText")) == 2

    async def test_a_longer_text_gets_more_messages_and_a_shorter_one_fewer(
        self, emu: Emulator, ann: EmulatedUser, start: Start
    ) -> None:
        hands = Hands()
        long = "\n\n".join(letter * 3000 for letter in "abc")
        async with start(plugins=[hands.found]) as bot:
            chats = hands.context.chats
            sent = await chats.send(ann.id, Reply("short", files=(OutgoingFile("a.txt", b"a"),)))
            await settled(emu, bot)
            assert await chats.edit(sent, Reply(long, buttons=BUTTONS))
            await settled(emu, bot)
            shown = from_bot(ann.private_chat())
            assert [(message.text[:1], message.labels) for message in shown] == [
                ("a", []),
                ("", []),
                ("b", []),
                ("c", ["Ok"]),
            ]
            assert await chats.edit(sent, "end")
            await settled(emu, bot)
            assert texts(ann) == ["end", ""]
            assert await chats.delete(sent)
            await settled(emu, bot)
            assert texts(ann) == []

    async def test_messages_of_others_can_not_be_changed(self, emu: Emulator, ann: EmulatedUser, start: Start) -> None:
        one, two = Hands(), Hands(plugin_id="others", command="other")
        async with start(plugins=[one.found, two.found]) as bot:
            sent = await one.context.chats.send(ann.id, Reply("One", buttons=BUTTONS))
            await settled(emu, bot)
            assert not await two.context.chats.edit(sent, "Mine")
            assert not await two.context.chats.delete(sent.id)
            assert not await two.context.chats.edit(sent.id + 1, "Mine")
            await settled(emu, bot)
        assert texts(ann) == ["One"]

    async def test_an_edit_of_a_message_that_the_person_has_deleted_sends_nothing(
        self, emu: Emulator, ann: EmulatedUser, start: Start
    ) -> None:
        hands = Hands()
        async with start(plugins=[hands.found]) as bot:
            chat = ann.private_chat()
            sent = await hands.context.chats.send(ann.id, Reply("**One**", markdown=True))
            await settled(emu, bot)
            chat.remove(from_bot(chat)[0])
            await hands.context.chats.edit(sent, Reply("**Two**", markdown=True))
            await settled(emu, bot)
        assert texts(ann) == []


class TestCrashes:
    async def test_a_kill_between_send_and_record_repeats_nothing(
        self, emu: Emulator, ann: EmulatedUser, start: Start, killed: Killed
    ) -> None:
        held = emu.faults.add(Fault.cut_after("sendMessage"))
        hands = Hands()
        async with killed(start(plugins=[hands.found])):
            sent = await hands.context.chats.send(ann.id, Reply("One", buttons=BUTTONS), key="one")
            await emu.wait_for(lambda: from_bot(ann.private_chat()))
        emu.faults.remove(held)
        async with start(plugins=[hands.found]) as bot:
            assert not (await hands.context.chats.send(ann.id, "Other text", key="one")).is_new
            await settled(emu, bot)
            # The bot may find out by ids that it has arrived, or asks; it never sends it a second time without a mark.
            shown = [message for message in from_bot(ann.private_chat()) if not is_notice(message)]
            assert [message.text for message in shown] == ["One"]
            query = await ann.press(shown[0], "Ok")
            await emu.wait_for(lambda: query.answer is not None)
            assert len(hands.presses) == 1
            assert hands.presses[0].message.id == sent.id

    async def test_a_kill_before_the_send_sends_after_the_restart(
        self, emu: Emulator, ann: EmulatedUser, start: Start, killed: Killed, tmp_path: Path
    ) -> None:
        hands = Hands()

        async def send(ctx: PluginContext) -> None:
            await ctx.chats.send(ann.id, Reply("One", files=(OutgoingFile("a.txt", b"a"),)), key="one")

        emu.faults.add(Fault.hold("sendMessage"))
        hands.on_start = send
        async with killed(start(plugins=[hands.found])) as bot:
            ann.private_chat()
            assert (await bot.core.database.read(outbox.counts)).keys() <= {"ready", "sending"}
        emu.faults.clear()
        async with start(plugins=[hands.found]) as bot:
            await settled(emu, bot)
        assert [each for each in texts(ann) if each] == ["One"]
