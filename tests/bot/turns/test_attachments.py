"""From a message to the files of its question: every kind, replies, forwards, edits, groups, and who gets none."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot_support import Start, pause, settled
from tgllm.api import FilePart, ModelInfo, ModelRef
from tgllm.bot.turns.attachments import attachments_in
from tgllm.db.tables import models
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import DownloadFault, EmulatedUser, Emulator, Fault
from tgllm.testing.scripted import ScriptedProvider

MOST = 20 * 1024 * 1024
OGG = b"OggS\x00\x02" + b"\x00" * 20 + b"\x01\x1eOpusHead" + b"\x00" * 60
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 60
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\nIDATx"
    b"\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"
)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"


class Omnivore(ScriptedProvider):
    """Its model takes every kind of file."""

    async def list_models(self) -> Sequence[ModelInfo]:
        return [ModelInfo("model", mime_types=frozenset({"image/*", "audio/*", "video/*", "application/pdf"}))]

    def files(self, number: int = -1) -> list[FilePart]:
        """Files of the last message of a request."""
        return [part for part in self.requests[number].messages[-1].parts if isinstance(part, FilePart)]


@pytest.fixture
def provider() -> Omnivore:
    return Omnivore()


@pytest.fixture
def start(start: Start) -> Start:
    """Starts the bot, and waits until it knows which files the model takes."""

    @asynccontextmanager
    async def known(**settings: Any) -> AsyncIterator[RunningBot]:
        async with start(**settings) as bot:
            while await bot.core.database.read(lambda conn: models.find(conn, ModelRef("scripted", "model"))) is None:
                await pause()
            yield bot

    return known


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def got(provider: Omnivore, number: int = -1) -> list[str]:
    return [part.sha256 for part in provider.files(number)]


# --- what a message has ------------------------------------------------------------------------


def sized(number: int, size: int | None = 100, **fields: Any) -> dict[str, Any]:
    told = {} if size is None else {"file_size": size}
    return {"file_id": f"id{number}", "file_unique_id": f"key{number}", **told, **fields}


@pytest.mark.parametrize(
    ("message", "kind", "source"),
    [
        ({"document": sized(1, file_name="a.pdf")}, "document", "id1"),
        ({"voice": sized(1, duration=3)}, "voice", "id1"),
        ({"audio": sized(1)}, "audio", "id1"),
        ({"video": sized(1)}, "video", "id1"),
        ({"video_note": sized(1)}, "video_note", "id1"),
        ({"animation": sized(1), "document": sized(1)}, "animation", "id1"),
        ({"sticker": sized(1, is_animated=False, is_video=False)}, "sticker", "id1"),
        ({"sticker": sized(1, is_animated=True, thumbnail=sized(2))}, "sticker", "id2"),
        ({"sticker": sized(1, is_video=True, thumbnail=sized(2))}, "sticker", "id2"),
        ({"photo": [sized(1, width=90, height=90), sized(2, width=1280, height=960)]}, "photo", "id2"),
        ({"photo": [sized(2, width=9, height=9), sized(1, width=5, height=5)]}, "photo", "id2"),
        ({"photo": [sized(1, width=9, height=9), sized(2, MOST + 1, width=99, height=99)]}, "photo", "id1"),
        ({"photo": [sized(1, MOST + 1, width=9, height=9)]}, "photo", "id1"),
        ({"live_photo": sized(1), "photo": [sized(2, width=9, height=9)]}, "photo", "id2"),
        ({"live_photo": sized(1, photo=[sized(2, width=9, height=9)])}, "photo", "id2"),
        ({"live_photo": sized(1)}, "video", "id1"),
        (
            {"video": sized(1, MOST + 1, qualities=[sized(2, 5, width=2, height=2), sized(3, 9, width=3, height=3)])},
            "video",
            "id3",
        ),
        ({"video": sized(1, MOST + 1, qualities=[sized(2, MOST + 1, width=2, height=2)])}, "video", "id1"),
        ({"poll": {"question": "?", "media": {"photo": [sized(1, width=1, height=1)]}}}, "photo", "id1"),
        ({"document": sized(1, None)}, "document", "id1"),
    ],
)
def test_every_kind_of_file_is_an_attachment(message: dict[str, Any], kind: str, source: str) -> None:
    (found,) = attachments_in({"message_id": 7, **message}, MOST)
    assert (found.kind, found.source, found.key, found.message_id) == (kind, source, source.replace("id", "key"), 7)


@pytest.mark.parametrize(
    "message",
    [
        {"text": "hello"},
        {"paid_media": {"star_count": 1, "paid_media": [{"type": "photo", "photo": [sized(1)]}]}},
        {"sticker": sized(1, is_animated=True)},
        {"dice": {"emoji": "🎲", "value": 3}},
        {"story": {"chat": {"id": 1}, "id": 2}},
        {"game": {"title": "x", "photo": [sized(1)]}},
        {"document": {"file_id": 5}},
        {"document": "x"},
        {"photo": "x"},
        {"photo": []},
        {"photo": [None]},
    ],
)
def test_what_is_no_file_is_none(message: dict[str, Any]) -> None:
    assert attachments_in({"message_id": 7, **message}, MOST) == ()


def test_values_of_wrong_types_are_left_out() -> None:
    message = {"document": sized(1, -5, file_name=3, mime_type=[], duration="x")}
    (found,) = attachments_in({"message_id": "x", **message}, MOST)
    assert (found.size, found.name, found.mime, found.seconds, found.message_id) == (None, None, None, None, None)


# --- as a question ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "mime", "content", "words"),
    [
        ("document", "report.pdf", "application/pdf", PDF, "[File report.pdf, sent without words"),
        ("photo", "a.png", "image/png", PNG, "[A picture, sent without words"),
        ("voice", "a.oga", "audio/ogg", OGG, "[A voice message]"),
        ("audio", "a.ogg", "audio/ogg", OGG, "[Audio file a.ogg, sent without words"),
        ("video", "a.mp4", "video/mp4", MP4, "[A video, sent without words"),
        ("animation", "a.mp4", "video/mp4", MP4, "[An animation, sent without words"),
        ("video_note", "a.mp4", "video/mp4", MP4, "[A video message]"),
        ("sticker", "a.png", "image/png", PNG, "[Sticker]"),
    ],
)
async def test_a_file_alone_is_a_question(  # noqa: PLR0913, PLR0917  what is sent, and fixtures
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    provider: Omnivore,
    kind: str,
    name: str,
    mime: str,
    content: bytes,
    words: str,
) -> None:
    async with start():
        await ann.upload(content, name=name, mime=mime, kind=kind)
        await emu.wait_for(lambda: provider.requests)
        assert len(provider.files()) == 1
        if kind in {"document", "voice", "audio", "video", "animation", "video_note"}:
            assert got(provider) == [sha(content)]
    assert words in provider.questions[0]
    assert len(emu.journal.of("getFile")) == 1


async def test_a_caption_is_the_prompt_of_its_file(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    async with start():
        await ann.upload(PDF, name="report.pdf", caption="Summarise")
        await emu.wait_for(lambda: provider.requests)
    assert got(provider) == [sha(PDF)]
    assert provider.questions[0].endswith("Summarise")
    assert "without words" not in provider.questions[0]


async def test_an_album_brings_all_its_files_in_order(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.bot.turns.albums.WAIT_SECONDS", 0.1)
    contents = [PDF + b"%d" % number for number in range(3)]
    async with start():
        await ann.album([(f"{n}.pdf", each) for n, each in enumerate(contents)], kind="document", caption="Compare")
        await emu.wait_for(lambda: provider.requests)
    assert got(provider) == [sha(each) for each in contents]


async def test_a_reply_to_a_file_asks_about_it_once(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    sent = await eve.upload(PDF, name="report.pdf", chat=group)
    async with start():
        await ann.say("@demo_bot What is in it?", chat=group, reply_to=sent)
        await emu.wait_for(lambda: len(provider.requests) == 1)
        assert got(provider) == [sha(PDF)]
        assert '[In reply to Eve: "File report.pdf"]' in provider.questions[0]


async def test_a_file_that_the_context_has_is_not_attached_twice(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    async with start():
        sent = await ann.upload(PDF, name="report.pdf", caption="What is it?")
        await emu.wait_for_message(
            ann.private_chat(), lambda message: "What is it?" in message.text and message.from_bot
        )
        await ann.say("And page 3?", reply_to=sent)
        await emu.wait_for(lambda: len(provider.requests) == 2)
        parts = [part for message in provider.requests[1].messages for part in message.parts]
        assert [part.sha256 for part in parts if isinstance(part, FilePart)] == [sha(PDF)]
        await ann.say("/clear")
        await ann.say("And now?", reply_to=sent)
        await emu.wait_for(lambda: len(provider.requests) == 3)
        assert got(provider) == [sha(PDF)]
    assert len(emu.downloads) == 1


async def test_a_forwarded_file_comes_with_its_origin(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    sent = await eve.upload(PDF, name="report.pdf", chat=group)
    async with start():
        await ann.forward(sent)
        await emu.wait_for(lambda: provider.requests)
    assert got(provider) == [sha(PDF)]
    assert "[Forwarded from Eve]" in provider.questions[0]


async def test_an_edited_caption_asks_again_without_a_second_download(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    async with start():
        sent = await ann.upload(PDF, name="report.pdf", caption="one")
        await emu.wait_for_message(ann.private_chat())
        await ann.edit(sent, "two")
        await emu.wait_for(lambda: len(provider.requests) == 2)
        assert got(provider) == [sha(PDF)]
        assert provider.questions[1].endswith("two")
    assert len(emu.downloads) == 1


async def test_another_file_in_its_place_is_asked_about(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    async with start():
        sent = await ann.upload(PDF, name="report.pdf", caption="one")
        await emu.wait_for_message(ann.private_chat())
        await ann.edit_media(sent, PDF + b"2", name="other.pdf", caption="one")
        await emu.wait_for(lambda: len(provider.requests) == 2)
        assert got(provider) == [sha(PDF + b"2")]
        assert len(provider.requests[1].messages) == 1
    assert len(emu.downloads) == 2


async def test_another_file_in_its_place_stops_the_answer_to_the_first(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    provider.answer("never", asyncio.Event())
    async with start():
        sent = await ann.upload(PDF, name="report.pdf")
        await emu.wait_for(lambda: len(provider.requests) == 1)
        await ann.edit_media(sent, PDF + b"2", name="other.pdf")
        await emu.wait_for(lambda: len(provider.requests) == 2)
        assert got(provider) == [sha(PDF + b"2")]


async def test_retry_asks_with_the_same_file(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    async with start():
        await ann.upload(PDF, name="report.pdf", caption="one")
        await emu.wait_for_message(ann.private_chat())
        await ann.say("/retry")
        await emu.wait_for(lambda: len(provider.requests) == 2)
        assert got(provider) == [sha(PDF)]
    assert len(emu.downloads) == 1


async def test_a_command_in_the_caption_stays_a_command(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    async with start():
        await ann.upload(PDF, name="report.pdf", caption="/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready")
    assert not provider.requests
    assert not emu.journal.of("getFile")


async def test_a_fork_asks_with_the_file_below_which_it_stands(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    async with start():
        await ann.say("hello")
        answer = await emu.wait_for_message(ann.private_chat())
        await ann.upload(PDF, name="report.pdf", caption="/fork What is it?", reply_to=answer)
        await emu.wait_for(lambda: len(provider.requests) == 2)
    assert got(provider) == [sha(PDF)]


# --- groups ------------------------------------------------------------------------------------


async def test_in_a_group_only_files_for_the_bot_are_received(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start() as bot:
        await ann.upload(PDF + b"0", chat=group)
        await ann.upload(PDF + b"1", chat=group, caption="our plan")
        await ann.upload(PDF + b"2", chat=group, caption="@demo_bot what is it?")
        answer = await emu.wait_for_message(group, lambda message: "what is it?" in message.text and message.from_bot)
        await ann.upload(PDF + b"3", chat=group, reply_to=answer)
        await emu.wait_for(lambda: len(provider.requests) == 2)
        await settled(emu, bot)
    assert [got(provider, number) for number in (0, 1)] == [[sha(PDF + b"2")], [sha(PDF + b"3")]]
    assert len(emu.journal.of("getFile")) == 2


async def test_where_all_messages_are_answered_files_are_but_gestures_are_not(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start() as bot:
        await ann.say("/groupmode@demo_bot always", chat=group)
        await emu.wait_for_message(group)
        await ann.upload(PNG, kind="sticker", chat=group)
        await ann.upload(MP4, kind="animation", mime="video/mp4", chat=group)
        await ann.upload(PDF, name="a.pdf", chat=group)
        await emu.wait_for(lambda: provider.requests)
        await settled(emu, bot)
    assert [got(provider, number) for number in range(len(provider.requests))] == [[sha(PDF)]]


# --- who gets nothing ----------------------------------------------------------------------------


async def test_a_strangers_file_is_never_downloaded(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start() as bot:
        await eve.upload(PDF, name="a.pdf", caption="Read this")
        await eve.upload(PDF, name="a.pdf", caption="@demo_bot read this", chat=group)
        await eve.album([("1.jpg", b"1"), ("2.jpg", b"2")])
        await emu.wait_for_message(eve.private_chat())
        await settled(emu, bot)
    assert not emu.journal.of("getFile")
    assert not provider.requests


async def test_the_rate_limit_refuses_before_the_download(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    async with start(budgets__messages_per_minute=1, budgets__admins_exempt=False) as bot:
        await ann.say("hello")
        await emu.wait_for_message(ann.private_chat())
        await ann.upload(PDF, name="a.pdf")
        await settled(emu, bot)
    assert not emu.journal.of("getFile")
    assert len(provider.requests) == 1


async def test_a_budget_refuses_before_the_download(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    async with start(budgets__bot={"requests_per_day": 1}, budgets__admins_exempt=False) as bot:
        await ann.say("hello")
        await emu.wait_for_message(ann.private_chat())
        await ann.upload(PDF, name="a.pdf")
        await emu.wait_for(lambda: len([m for m in ann.private_chat().messages if m.from_bot]) >= 2)
        await settled(emu, bot)
    assert not emu.journal.of("getFile")
    assert len(provider.requests) == 1


# --- what can't be read, and what goes wrong ---------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"dice": {"emoji": "🎲", "value": 3}},
        {"game": {"title": "Chess", "description": "d", "photo": [sized(1, width=1, height=1)]}},
        {"story": {"chat": {"id": 5, "type": "private", "first_name": "Eve"}, "id": 2}},
    ],
)
async def test_only_what_can_not_be_read_is_refused(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore, fields: dict[str, Any]
) -> None:
    async with start():
        sender = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
        chat = {"id": ann.id, "type": "private", "first_name": "Ann"}
        emu.inject_update({"message": {"message_id": 900, "date": 1, "from": sender, "chat": chat, **fields}})
        await emu.wait_for_message(
            ann.private_chat(), lambda message: message.text == "I can't read this kind of message yet. Send me text."
        )
    assert not provider.requests


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"contact": {"first_name": "Bo", "phone_number": "+1"}}, "[Contact: Bo, +1]"),
        ({"location": {"latitude": 1.5, "longitude": 2.5}}, "[Location: 1.5, 2.5]"),
        (
            {
                "sticker": {
                    **sized(1),
                    "type": "regular",
                    "width": 1,
                    "height": 1,
                    "is_animated": True,
                    "is_video": False,
                    "emoji": "🎉",
                }
            },
            "[Sticker 🎉]",
        ),
    ],
)
async def test_contents_that_are_words_are_questions(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore, fields: dict[str, Any], told: str
) -> None:
    async with start():
        sender = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
        chat = {"id": ann.id, "type": "private", "first_name": "Ann"}
        emu.inject_update({"message": {"message_id": 900, "date": 1, "from": sender, "chat": chat, **fields}})
        await emu.wait_for(lambda: provider.requests)
    assert provider.questions == [told]


async def test_a_file_that_is_too_large_is_refused_with_the_limit(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    async with start():
        await ann.upload(PDF, name="film.pdf", about={"file_size": 2 * 1024**3})
        await emu.wait_for_message(ann.private_chat(), lambda m: m.from_bot and "film.pdf is too large" in m.text)
        emu.faults.add(Fault.api_error("getFile", 400, "Bad Request: file is too big", times=None))
        await ann.upload(PDF, name="lies.pdf", about={"file_size": None})
        said = await emu.wait_for_message(
            ann.private_chat(), lambda m: m.from_bot and "lies.pdf is too large" in m.text
        )
        assert "20 MB" in said.text
    assert not provider.requests


async def test_words_are_answered_though_their_file_is_gone(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    emu.faults.add(Fault.api_error("getFile", 400, "Bad Request: invalid file_id", times=None))
    provider.answer("Four.")
    async with start():
        await ann.upload(PDF, name="a.pdf", caption="What is 2 + 2?")
        await emu.wait_for_message(ann.private_chat(), lambda m: m.from_bot and "can't be downloaded" in m.text)
        assert any("Four." in text for text in ann.private_chat().bot_texts)


async def test_fifty_files_at_once_each_get_an_answer_or_a_word(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    async with start(budgets__messages_per_minute=100) as bot:
        for number in range(50):
            await ann.upload(PDF + b"%d" % number, name=f"{number}.pdf")
        await emu.wait_for(lambda: len(provider.requests) == 50, timeout=90)
        await settled(emu, bot)
    assert [got(provider, number) for number in range(50)] == [[sha(PDF + b"%d" % number)] for number in range(50)]
    answers = [message for message in ann.private_chat().messages if message.from_bot and message.labels]
    assert len(answers) == 50


async def test_a_file_waits_behind_an_answer_and_is_acknowledged(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore
) -> None:
    go_on = asyncio.Event()
    provider.answer(go_on, "slow")
    async with start():
        await ann.say("first")
        await emu.wait_for(lambda: provider.requests)
        await ann.upload(PDF, name="a.pdf")
        await emu.wait_for(lambda: len(emu.journal.of("setMessageReaction")) == 1)
        assert not emu.journal.of("getFile")
        go_on.set()
        await emu.wait_for(lambda: len(provider.requests) == 2)
        await emu.wait_for(lambda: len(emu.journal.of("setMessageReaction")) == 2)
    assert got(provider) == [sha(PDF)]


async def test_stop_ends_a_download(emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore) -> None:
    held = emu.downloads.add_fault(DownloadFault.hold(10, times=None))
    async with start() as bot:
        await ann.upload(PDF, name="a.pdf")
        await held.reached.wait()
        await ann.say("/stop")
        await emu.wait_for(lambda: not len(bot.core.running))
        emu.downloads.clear_faults()
    assert not provider.requests


async def test_a_crash_in_the_middle_of_a_download_goes_on_after_the_restart(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore, killed: Callable[..., Any]
) -> None:
    provider.answer("Nice.")
    held = emu.downloads.add_fault(DownloadFault.hold(10))
    async with killed(start()):
        await ann.upload(PDF, name="a.pdf")
        await held.reached.wait()
    emu.downloads.clear_faults()
    async with start() as bot:
        await emu.wait_for_message(ann.private_chat(), lambda message: "Nice." in message.text)
        await settled(emu, bot)
    assert got(provider) == [sha(PDF)]
    assert len(provider.requests) == 1


async def test_the_token_is_nowhere_in_the_data(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: Omnivore, tmp_path: Any
) -> None:
    emu.downloads.add_fault(DownloadFault.fail(404, times=None))
    async with start() as bot:
        await ann.upload(PDF, name="a.pdf")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot)
        emu.downloads.clear_faults()
        await ann.upload(PDF + b"2", name="b.pdf")
        await emu.wait_for(lambda: provider.requests)
        await settled(emu, bot)
    for path in [each for each in tmp_path.rglob("*") if each.is_file()]:
        assert b"42:TEST" not in await asyncio.to_thread(path.read_bytes), path.name
    assert "42:TEST" not in repr(provider.requests)
