"""``/export`` sends the conversation as files, and no copy stays behind."""

import json
from pathlib import Path

from bot_support import Ask, Start, content, is_notice
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.plugins import jobs, values
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser


def documents(chat: EmulatedChat) -> list[EmulatedMessage]:
    return [message for message in chat.messages if message.from_bot and message.file is not None]


def left(data_dir: Path) -> list[Path]:
    return list((data_dir / "files" / "exports").iterdir())


async def test_the_conversation_comes_as_two_files(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    async with start():
        await ask("one")
        await ask("/undo")
        await ask("two")
        await ask("/export")
        markdown, data = await emu.wait_for(lambda: (found := documents(ann.private_chat()))[1:] and found)
        await emu.wait_for(lambda: not left(tmp_path))
    assert markdown.text == "This conversation: 2 messages, as Markdown and as JSON."
    names = [str(message.file.name) for message in (markdown, data) if message.file is not None]
    assert [name.partition(".")[2] for name in names] == ["md", "json"]
    assert "\n\ntwo\n\n## Assistant (scripted/model)" in content(markdown)
    assert "\n\none\n" not in content(markdown)
    assert [message["text"] for message in json.loads(content(data))["messages"]] == ["two", "two"]


async def test_a_topic_gives_its_own_conversation_there(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    topic = emu.add_topic(group, "One")
    async with start():
        await ask("private")
        await ask("@demo_bot in the topic", chat=group, topic=topic)
        await ask("/export@demo_bot", chat=group, topic=topic)
        markdown = (await emu.wait_for(lambda: (found := documents(group))[1:] and found))[0]
    assert markdown.topic is topic
    assert "in the topic" in content(markdown)
    assert "private" not in content(markdown)


async def test_what_plugins_keep_for_the_person_is_in_the_private_chat_only(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann])

    def keep(conn: Connection) -> None:
        for owner, value in ((ann.id, '{"sugar": 2}'), (ann.id + 1, '"of another"'), (0, '"of the plugin"')):
            values.store(conn, "tea", owner, "likes", value, 1)
        jobs.plan(conn, jobs.NewJob("tea", ann.id, "kettle", {"cups": 1}, 4_102_444_800_000), 1)

    async with start() as bot:
        await bot.core.database.write(keep)
        await ask("one")
        await ask("/export")
        data = (await emu.wait_for(lambda: (found := documents(ann.private_chat()))[1:] and found))[1]
        await ask("@demo_bot two", chat=group)
        await ask("/export@demo_bot", chat=group)
        in_group = (await emu.wait_for(lambda: (found := documents(group))[1:] and found))[1]
    assert json.loads(content(data))["plugins"] == [
        {
            "plugin": "tea",
            "values": {"likes": {"sugar": 2}},
            "jobs": [{"id": "kettle", "due_at": "2100-01-01T00:00:00+00:00", "data": {"cups": 1}}],
        }
    ]
    assert "plugins" not in json.loads(content(in_group))


async def test_where_nothing_was_said_there_is_nothing_to_export(ask: Ask, start: Start) -> None:
    async with start():
        assert (await ask("/export")).text == "There is nothing here yet that I could export."


async def test_a_file_that_may_have_arrived_is_offered_again(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    emu.faults.add(Fault.cut_before("sendDocument"))
    async with start(sending__resolve=False):
        await ask("hello")
        await ann.say("/export")
        notice = await emu.wait_for_message(ann.private_chat(), is_notice)
        await ann.press(notice, "Send again")
        await emu.wait_for(lambda: len(documents(ann.private_chat())) == 2)
        await emu.wait_for(lambda: not left(tmp_path))


async def test_a_file_that_is_gone_stops_nothing_else(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    emu.faults.add(Fault.cut_before("sendDocument"))
    async with start(sending__resolve=False) as bot:
        await ask("hello")
        await ann.say("/export")
        notice = await emu.wait_for_message(ann.private_chat(), is_notice)
        await emu.wait_for(lambda: len(left(tmp_path)) == 1)
        left(tmp_path)[0].unlink()
        await ann.press(notice, "Send again")
        await emu.wait_for_message(ann.private_chat(), lambda message: "could not be sent" in message.text)
        assert (await ask("still there?")).text == "still there?"
        assert (await bot.core.database.read(outbox.counts))["failed"] == 1
    assert len(documents(ann.private_chat())) == 1


async def test_where_telegram_refuses_files_that_is_told_and_nothing_stays_behind(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    refusal = "Bad Request: not enough rights to send documents to the chat"
    emu.faults.add(Fault.api_error("sendDocument", 400, refusal, times=2))
    async with start():
        await ask("hello")
        assert "could not be sent" in (await ask("/export")).text
        await emu.wait_for(lambda: not left(tmp_path))
    assert documents(ann.private_chat()) == []
