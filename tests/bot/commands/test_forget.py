"""``/forget`` deletes a person's own private data, and nothing of others, after they have confirmed it."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot_support import Ask, Start
from tgllm.db.engine.sqlite import connect, in_transaction
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit, conversations, files, kv, messages, outbox, requests, usage, users
from tgllm.db.tables.files import NewFile
from tgllm.services.common.actor import SHELL
from tgllm.services.personal_data.forget import forget
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

SECRET = "the-quick-brown-secret"


async def confirm(emu: Emulator, person: EmulatedUser, menu: EmulatedMessage) -> str:
    """Press the button, and return what the bot says then."""
    await person.press(menu, "Delete my data")
    told = await emu.wait_for_message(menu.chat, lambda message: message.from_bot, after=menu)
    await emu.wait_for(lambda: not menu.buttons)
    return told.text


async def attach(bot: RunningBot, person: EmulatedUser, data_dir: Path, name: str) -> Path:
    """Give the person's last private question a file."""
    path = data_dir / "files" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(SECRET, encoding="utf-8")

    def unit(conn: Connection) -> None:
        conversation = conversations.active_in(conn, f":{person.id}:")
        assert conversation is not None
        new = NewFile(
            path=f"files/{name}",
            mime="text/plain",
            size=1,
            sha256="ab" * 32,
            original_name="a.txt",
            user_id=person.id,
            message_id=conversation.head_message_id,
        )
        files.add(conn, new, 1)

    await bot.core.database.write(unit)
    return path


def stored(folder: Path) -> Iterator[str]:
    """The files of the database that hold the secret."""
    for path in folder.glob("tgllm.db*"):
        if SECRET.encode() in path.read_bytes():
            yield path.name


def contents(folder: Path) -> dict[str, bytes]:
    """The files of the database, by name."""
    return {path.name: path.read_bytes() for path in folder.glob("tgllm.db*")}


@pytest.mark.sqlite  # reads the file
async def test_nothing_of_the_private_chats_is_left_but_the_access(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    async with start() as bot:
        for number in range(20):
            await ask(f"{number}: {SECRET}")
        await ask("/new")
        await ask(SECRET)
        await ask(f"/system {SECRET}")
        await bot.core.database.write(lambda conn: kv.set_value(conn, "language", str(ann.id), "en", 1))
        path = await attach(bot, ann, tmp_path, "blob")
        assert list(stored(tmp_path))
        told = await confirm(emu, ann, await ask("/forget"))
        assert told == (
            "Deleted. Conversations: 2, messages: 42, files: 1. Requests no longer linked to you: 21. "
            "What you set in private chats is back to the defaults."
        )
        await emu.wait_for(lambda: not list(stored(tmp_path)) and not path.exists())
        await bot.stop()

        def left(conn: Connection) -> tuple[object, ...]:
            user = users.get(conn, ann.id)
            return (
                conversations.list_for(conn, f":{ann.id}:", 9),
                kv.get(conn, "language", str(ann.id)),
                requests.recent(conn, 9, ann.id),
                usage.total(conn, usage.EVER, ann.id).requests,
                user is not None and user.role,
            )

        assert await bot.core.database.read(left) == ([], None, [], 21, "owner")
        (entry,) = await bot.core.database.read(lambda conn: audit.list_recent(conn, 1))
    assert (entry.actor_id, entry.action, entry.target) == (ann.id, "user.forget", str(ann.id))
    assert entry.details == {"conversations": 2, "messages": 42, "files": 1}
    assert not list(stored(tmp_path))


async def test_what_is_said_afterwards_begins_anew(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        await ask("before")
        await confirm(emu, ann, await ask("/forget"))
        assert (await ask("after")).text == "after"
    assert provider.told == ["after"]


async def test_others_and_groups_keep_what_is_theirs(
    emu: Emulator, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start(let_in=[eve]) as bot:
        await ask("@demo_bot in the group", chat=group)
        said = await eve.say("mine")
        await emu.wait_for_message(eve.private_chat(), lambda message: message.text == "mine", after=said)
        await ask("private")
        hers, shared = await attach(bot, eve, tmp_path, "hers"), await attach(bot, ann, tmp_path, "hers")
        told = await confirm(emu, ann, await ask("/forget@demo_bot", chat=group))
        assert "Conversations: 1, messages: 2, files: 1." in told
        await bot.stop()

        def left(conn: Connection) -> list[str]:
            lanes = [f":{group.id}:", f":{eve.id}:", f":{ann.id}:"]
            found = [conversations.active_in(conn, lane) for lane in lanes]
            return [
                message.text
                for conversation in found
                if conversation is not None
                for message in messages.history(conn, conversation.id, conversation.head_message_id, 9)
            ]

        assert await bot.core.database.read(left) == ["Ann: in the group"] * 2 + ["mine"] * 2
        assert len(await bot.core.database.read(lambda conn: requests.recent(conn, 9, eve.id))) == 1
    assert hers == shared
    assert hers.exists()


async def test_cancelling_deletes_nothing(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        await ask("before")
        menu = await ask("/forget")
        await ann.press(menu, "Cancel")
        await emu.wait_for(lambda: menu.text == "Nothing was deleted.")
        assert not menu.buttons
        await ask("after")
    assert provider.told == ["before", "before", "after"]


@pytest.mark.parametrize("until", ["1", "0", "", "x", "9" * 40])
async def test_an_old_or_forged_button_deletes_nothing(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, until: str, provider: ScriptedProvider
) -> None:
    async with start():
        await ask("before")
        menu = await ask("/forget")
        ann._query(menu, f"forget:{ann.id}:{until}")
        await emu.wait_for(lambda: menu.text.startswith("This button is too old"))
        await ask("after")
    assert len(provider.requests[-1].messages) == 3


async def test_a_button_is_of_one_person(
    emu: Emulator, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start(let_in=[eve]) as bot:
        menu = await ask("/forget@demo_bot", chat=group)
        query = await eve.press(menu, "Delete my data")
        answer = await emu.wait_for(lambda: query.answer)
        assert answer["text"] == "This button is somebody else's. Send /forget yourself."
        assert await bot.core.database.read(lambda conn: audit.list_recent(conn, 9, target=str(eve.id))) == []


async def test_while_an_answer_is_written_elsewhere_nothing_is_deleted(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group, go_on = emu.add_group(title="Team", members=[ann]), asyncio.Event()
    async with start():
        menu = await ask("/forget@demo_bot", chat=group)
        provider.answer("slow", go_on, " answer")
        said = await ann.say("private question")
        await emu.wait_for(lambda: len(provider.requests) == 1)
        assert (await confirm(emu, ann, menu)).startswith("Nothing was deleted")
        go_on.set()
        await emu.wait_for_message(
            ann.private_chat(), lambda message: message.text == "slow answer" and message.from_bot, after=said
        )


async def test_in_the_same_chat_it_waits_for_the_answer(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    async with start():
        menu = await ask("/forget")
        provider.answer("slow", go_on, " answer")
        await ann.say("question")
        await emu.wait_for(lambda: len(provider.requests) == 1)
        await ann.press(menu, "Delete my data")
        go_on.set()
        told = await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("Deleted."))
        assert "Conversations: 1, messages: 2" in told.text


async def test_an_answer_that_is_under_way_is_not_kept_and_does_not_go_on(
    emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, provider: ScriptedProvider, tmp_path: Path
) -> None:
    """A table too long for one message of text: Telegram refuses it as a rich one, so several follow each other."""
    group = emu.add_group(title="Team", members=[ann])
    rows = "".join(f"| {number} | {SECRET} {'x' * 40} |\n" for number in range(100))
    async with start() as bot:
        menu = await ask("/forget@demo_bot", chat=group)
        emu.faults.add(Fault.api_error("sendRichMessage", 400, "Bad Request: no", chat_id=ann.id))
        first = emu.faults.add(Fault.hold("sendMessage", chat_id=ann.id))
        provider.answer(f"| a | b |\n| - | - |\n{rows}")
        await ann.say("question")
        await emu.wait_for(lambda: first.hits)
        assert (await confirm(emu, ann, menu)).startswith("Deleted.")
        first.release()
        await bot.stop()
        # The rich one and the first text; no other text follows that one.
        assert await bot.core.database.read(lambda conn: outbox.counts(conn).get("dropped")) == 1
    assert len([message for message in ann.private_chat().messages if message.from_bot]) == 1
    assert not list(stored(tmp_path))


@pytest.mark.sqlite  # reads the file
async def test_what_was_deleted_just_before_a_crash_is_gone_after_the_next_start(
    ask: Ask, ann: EmulatedUser, start: Start, tmp_path: Path
) -> None:
    async with start():
        await ask(SECRET)
    path = tmp_path / "tgllm.db"
    with closing(connect(path)) as crashing:
        erased = in_transaction(crashing, lambda conn: forget(conn, ann.id, SHELL, 1), "BEGIN IMMEDIATE")
        assert erased is not None
        # What a program that is killed now leaves behind.
        left = contents(tmp_path)
    for name, content in left.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "tgllm.db-shm").unlink()
    assert list(stored(tmp_path))
    async with start():
        await ask("anything else?")
        assert not list(stored(tmp_path))
