"""Pictures and other files that a model makes: shown, stored, and sent exactly once."""

import hashlib
from collections.abc import Sequence

import pytest

from bot_support import Killed, Start, from_bot, is_notice, settled
from made_files.picture_support import png
from tgllm import hookimpl
from tgllm.api import FileDelta, FilePart, Finished, ModelInfo, PluginInfo, TurnInfo, TurnResult
from tgllm.db.tables import files, messages, requests
from tgllm.services.files.made import MOST_FILES
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator, Fault
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

PICTURE = FileDelta(png(), "image/png")


class Painter(ScriptedProvider):
    """A model that takes pictures as well."""

    async def list_models(self) -> Sequence[ModelInfo]:
        return [ModelInfo("model", mime_types=frozenset({"image/*"}))]


def kind(message: EmulatedMessage) -> str:
    return next((kind for kind in ("photo", "document") if message.fields.get(kind)), "text")


def kinds(person: EmulatedUser) -> list[str]:
    return [kind(message) for message in from_bot(person.private_chat())]


async def stored(bot: RunningBot) -> tuple[list[files.File], list[messages.Message]]:
    (request, *_) = await bot.core.database.read(lambda conn: requests.recent(conn, 1))
    said = await bot.core.database.read(lambda conn: messages.of_turn(conn, request.turn_id))
    found = await bot.core.database.read(lambda conn: files.of_message(conn, said[-1].id))
    assert all(file.request_id == request.id for file in found)
    return found, said


async def test_a_picture_is_shown_after_the_text_and_stored(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Here is a *cat*.", PICTURE)
    async with start() as bot:
        await ann.say("Draw a cat")
        shown = await emu.wait_for_message(ann.private_chat(), lambda message: kind(message) == "photo")
        await settled(emu, bot)
        found, said = await stored(bot)
        (file,) = found
        assert (bot.core.config.data_dir / file.path).read_bytes() == PICTURE.content
    assert kinds(ann) == ["text", "photo"]
    assert shown.file is not None
    assert shown.file.content == PICTURE.content
    assert shown.labels == ["Regenerate"]
    assert not from_bot(ann.private_chat())[0].labels
    assert (file.mime, file.size, file.original_name) == ("image/png", len(PICTURE.content), "picture.png")
    assert file.sha256 == hashlib.sha256(PICTURE.content).hexdigest()
    assert file.user_id == ann.id
    assert [part["name"] for part in said[-1].parts] == ["picture.png"]


@pytest.mark.parametrize("place", ["private", "group"])
async def test_an_answer_of_pictures_only_is_not_empty(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, place: str
) -> None:
    chat = ann.private_chat() if place == "private" else emu.add_group(title="Team", members=[ann])
    provider.answer(PICTURE, FileDelta(png(5), "image/png"))
    async with start() as bot:
        await ann.say("@demo_bot draw", chat=chat)
        await emu.wait_for_message(chat, lambda message: "Regenerate" in message.labels)
        await settled(emu, bot)
    shown = from_bot(chat)
    assert [kind(message) for message in shown] == [*(["text"] if place == "group" else []), "photo", "photo"]
    if place == "group":
        assert shown[0].text == "The answer is 2 files:"
        assert shown[0].reply_to is not None
    assert shown[-1].labels == ["Regenerate"]


@pytest.mark.parametrize(
    ("made", "sent"),
    [
        (FileDelta(png(colours=6), "image/png"), "document"),
        (FileDelta(png(2000, 90), "image/png"), "document"),
        (FileDelta(png(9000, 1001, colours=0), "image/png"), "document"),
        (FileDelta(png() + bytes(10 * 2**20), "image/png"), "document"),
        (FileDelta(b"%PDF-1.7 ...", "application/pdf", "report.pdf"), "document"),
        (FileDelta(b"<html>", "image/png"), "document"),
        (FileDelta(png(), "application/octet-stream"), "photo"),
    ],
)
async def test_what_telegram_takes_as_a_picture_is_one_and_the_rest_a_file(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, made: FileDelta, sent: str
) -> None:
    provider.answer(made)
    async with start():
        await ann.say("Make it")
        message = await emu.wait_for_message(ann.private_chat(), lambda message: message.file is not None)
    assert kind(message) == sent
    assert message.file is not None
    assert message.file.content == made.content


async def test_a_picture_that_telegram_refuses_comes_as_a_file(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    emu.faults.add(Fault.api_error("sendPhoto", 400, "Bad Request: PHOTO_INVALID_DIMENSIONS"))
    provider.answer("Look:", PICTURE)
    async with start() as bot:
        await ann.say("Draw")
        message = await emu.wait_for_message(ann.private_chat(), lambda message: message.file is not None)
        await settled(emu, bot)
        (file,), _ = await stored(bot)
        assert (bot.core.config.data_dir / file.path).is_file()
    assert kinds(ann) == ["text", "document"]
    assert message.file is not None
    assert message.file.name == "picture.png"
    assert message.labels == ["Regenerate"]


async def test_where_files_are_refused_the_person_learns_it(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    for method in ("sendPhoto", "sendDocument"):
        emu.faults.add(Fault.api_error(method, 400, "Bad Request: not enough rights to send photos to the chat"))
    provider.answer("Look:", PICTURE)
    async with start() as bot:
        await ann.say("Draw")
        await settled(emu, bot)
    assert [message.text[:27] for message in from_bot(ann.private_chat())] == ["Look:", "A file could not be sent he"]


async def test_too_many_files_are_said(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("All:", *(FileDelta(b"%d" % number, "text/plain") for number in range(MOST_FILES + 2)))
    async with start(sending__paced=False) as bot:
        await ann.say("Make many")
        await settled(emu, bot)
        found, _ = await stored(bot)
    assert kinds(ann) == ["text", *["document"] * MOST_FILES]
    assert from_bot(ann.private_chat())[0].text == (
        "All:\n\n2 files of this answer could not be kept. The most is 10, and 50 MB each."
    )
    assert [file.original_name for file in found] == ["file.txt", *(f"file-{n}.txt" for n in range(2, MOST_FILES + 1))]


async def test_a_full_disk_costs_the_picture_and_not_the_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Here:", PICTURE)
    async with start() as bot:
        (bot.core.config.data_dir / "files").write_text("in the way")
        asked = await ann.say("Draw")
        message = await emu.wait_for_message(ann.private_chat(), after=asked)
        await settled(emu, bot)
    assert message.text.startswith("Here:\n\n1 file of this answer could not be kept.")


@pytest.mark.parametrize(
    "wrong",
    [
        FileDelta("text", "image/png"),  # type: ignore[arg-type]  a plugin may pass anything
        FileDelta(b"x", None),  # type: ignore[arg-type]  a plugin may pass anything
        FileDelta(b"x", "image/png", 5),  # type: ignore[arg-type]  a plugin may pass anything
    ],
)
async def test_an_event_of_wrong_types_ends_only_its_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, wrong: FileDelta
) -> None:
    provider.answer("So far", wrong)
    async with start():
        asked = await ann.say("Draw")
        message = await emu.wait_for_message(ann.private_chat(), lambda message: bool(message.labels), after=asked)
        assert message.text.startswith("So far")
        assert message.labels == ["Try again"]
        again = await ann.say("Still there?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Still there?", after=again)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b\\c.png", "x\u202egnp.exe", "new\nline.png", "", ".", "n" * 300]
)
async def test_a_name_of_the_model_is_no_path(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, name: str
) -> None:
    provider.answer(FileDelta(b"content", "text/plain", name))
    async with start() as bot:
        await ann.say("Make it")
        message = await emu.wait_for_message(ann.private_chat(), lambda message: message.file is not None)
        folder = bot.core.config.data_dir / "files"
        assert len([path for path in folder.iterdir() if path.is_file()]) == 1
    assert message.file is not None
    shown = message.file.name
    assert shown.isprintable()
    assert not set(shown) & set("/\\\u202e\n")
    assert 0 < len(shown) <= 100


async def test_a_picture_whose_arrival_is_unknown_is_offered_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Here:", PICTURE)
    emu.faults.add(Fault.cut_before("sendPhoto"))
    async with start(sending__resolve=False):
        asked = await ann.say("Draw")
        notice = await emu.wait_for_message(ann.private_chat(), is_notice, after=asked)
        await ann.press(notice, "Send again")
        shown = await emu.wait_for_message(ann.private_chat(), lambda message: kind(message) == "photo")
    assert shown.file is not None
    assert shown.file.content == PICTURE.content


async def test_the_same_model_gets_its_picture_back(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    provider = Painter()
    provider.answer(PICTURE, Finished(provider_data={"signature": "s"}))
    async with start(provider=provider) as bot:
        await bot.core.models.pull_and_sync_models()
        await ann.say("Draw")
        await emu.wait_for_message(ann.private_chat(), lambda message: kind(message) == "photo")
        await ann.say("Now in blue")
        await emu.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and message.text == "Now in blue"
        )
        answer = provider.requests[-1].messages[1]
        (part,) = answer.parts
        assert isinstance(part, FilePart)
        assert (part.path.read_bytes(), part.mime_type) == (PICTURE.content, "image/png")
        assert answer.provider_data == {"signature": "s"}


async def test_a_model_without_pictures_gets_the_name(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("A cat:", PICTURE)
    async with start():
        await ann.say("Draw")
        await emu.wait_for_message(ann.private_chat(), lambda message: kind(message) == "photo")
        await ann.say("Now in blue")
        await emu.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and message.text == "Now in blue"
        )
    assert provider.told[1] == "A cat:\n\n[picture.png]"


async def test_plugins_get_the_files_of_an_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    results: list[TurnResult] = []

    class Watcher:
        @hookimpl
        def tgllm_plugin_info(self) -> PluginInfo:
            return PluginInfo(id="watcher", title="Watcher", api="1.0")

        @hookimpl
        async def tgllm_after_reply(self, turn: TurnInfo, result: TurnResult) -> None:
            results.append(result)

    provider.answer("A cat:", PICTURE)
    async with start(plugins=[GivenPlugin.of("watcher", Watcher())]) as bot:
        await ann.say("Draw")
        await emu.wait_for(lambda: results)
        await settled(emu, bot)
        (part,) = results[0].files
        assert part.path.read_bytes() == PICTURE.content


async def test_after_a_crash_while_a_picture_is_sent_it_is_neither_lost_nor_sent_twice(
    emu: Emulator, ann: EmulatedUser, start: Start, killed: Killed, provider: ScriptedProvider
) -> None:
    provider.answer("Two:", PICTURE, FileDelta(png(7), "image/png"))
    held = emu.faults.add(Fault.cut_before("sendPhoto", times=100))
    async with killed(start(sending__resolve=False)):
        await ann.say("Draw")
        await emu.wait_for(lambda: emu.journal.of("sendPhoto"))
    emu.faults.remove(held)
    async with start(sending__resolve=False) as bot:
        notice = await emu.wait_for_message(ann.private_chat(), is_notice)
        await ann.press(notice, "Send again")
        await settled(emu, bot)
        await settled(emu, bot)
    sent = [message.file.content for message in from_bot(ann.private_chat()) if message.file is not None]
    assert sorted(map(len, sent)) == sorted([len(PICTURE.content), len(png(7))])
    assert len(provider.requests) == 1


async def test_forgetting_removes_the_pictures(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(PICTURE)
    async with start() as bot:
        await ann.say("Draw")
        await emu.wait_for_message(ann.private_chat(), lambda message: kind(message) == "photo")
        await settled(emu, bot)
        asked = await ann.say("/forget")
        question = await emu.wait_for_message(ann.private_chat(), lambda message: bool(message.labels), after=asked)
        await ann.press(question, question.labels[0])
        await settled(emu, bot)
        folder = bot.core.config.data_dir / "files"
        await emu.wait_for(lambda: not [path for path in folder.iterdir() if path.is_file()])
