"""Files of people on their way to the model, and what is stored of them."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from bot_support import Killed, Start, pause, settled
from made_files.pdf_support import lines, pdf, picture
from tgllm.api import FilePart, ModelInfo, ModelRef
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import files, messages, models, requests
from tgllm.db.tables.files import File
from tgllm.db.tables.messages import Message
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

REPORT = pdf([lines("Tea is grown in Assam.", "It is sold in London."), lines("Coffee is grown in Kenya.")])


async def stored(bot: RunningBot) -> list[File]:
    """All files with a message."""

    def unit(conn: Connection) -> list[File]:
        questions = {message.id for request in requests.recent(conn, 9) for message in asked_in(conn, request.turn_id)}
        return files.of_messages(conn, questions)

    return await bot.core.database.read(unit)


def asked_in(conn: Connection, turn_id: str) -> list[Message]:
    return messages.of_turn(conn, turn_id)


def turn_of(conn: Connection) -> str:
    """The only turn with files."""
    return str(conn.execute("SELECT turn_id FROM files").fetchone()[0])


async def test_the_summary_of_a_pdf_is_answered_and_stored_with_its_path(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("It is about tea and coffee.")
    chat = ann.private_chat()
    async with start() as bot:
        await ann.upload(REPORT, name="report.pdf", mime="application/pdf", caption="Summarise this.")
        shown = await emu.wait_for_message(chat, lambda message: message.text.startswith("It is about tea"))
        await settled(emu, bot)
        (file,) = await stored(bot)
        path = bot.core.config.data_dir / file.path
        (question, answer) = await bot.core.database.read(lambda conn: messages.of_turn(conn, file.turn_id or ""))
        (request,) = await bot.core.database.read(lambda conn: requests.of_turn(conn, file.turn_id or ""))
    # The model of the test takes no files, so it has read the text.
    asked = provider.questions[0]
    assert "Tea is grown in Assam." in asked
    assert "[page 2]" in asked
    assert asked.endswith("Summarise this.")
    assert "report.pdf: read" in shown.text
    assert "2 pages" in shown.text
    assert answer.text == "It is about tea and coffee."
    assert (file.message_id, file.request_id, file.original_name) == (question.id, request.id, "report.pdf")
    assert (file.mime, file.size, file.sha256) == ("application/pdf", len(REPORT), hashlib.sha256(REPORT).hexdigest())
    assert path.parent.name == "files"
    assert path.read_bytes() == REPORT


async def test_a_model_that_takes_pdf_gets_its_bytes(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def list_models() -> list[ModelInfo]:
        return [ModelInfo("model", mime_types=frozenset({"application/pdf"}))]

    monkeypatch.setattr(provider, "list_models", list_models)
    provider.answer("Tea.")
    async with start() as bot:
        # The list of models is read while the bot starts.
        while not await bot.core.database.read(lambda conn: models.find(conn, ModelRef("scripted", "model"))):
            await pause()
        await ann.upload(REPORT, name="report.pdf", mime="application/pdf", caption="What is it about?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Tea.")
        (part,) = [part for part in provider.requests[0].messages[-1].parts if isinstance(part, FilePart)]
        assert hashlib.sha256(part.path.read_bytes()).hexdigest() == hashlib.sha256(REPORT).hexdigest()
        # By which the tokens are estimated.
        assert part.pages == 2


async def test_a_scanned_pdf_costs_a_budget_by_its_pages(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def list_models() -> list[ModelInfo]:
        return [ModelInfo("model", mime_types=frozenset({"application/pdf"}))]

    monkeypatch.setattr(provider, "list_models", list_models)
    provider.answer("A letter.")
    # A quarter of its bytes is more than the budget.
    scan = pdf([picture()] * 3) + b"\n%" + b"x" * 400_000 + b"\n"
    async with start(budgets__bot={"tokens_per_day": 20_000}) as bot:
        while not await bot.core.database.read(lambda conn: models.find(conn, ModelRef("scripted", "model"))):
            await pause()
        await ann.upload(scan, name="scan.pdf", mime="application/pdf", caption="What is it?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "A letter.")
        (part,) = [part for part in provider.requests[0].messages[-1].parts if isinstance(part, FilePart)]
        assert part.pages == 3


PLAN = "Лодка отходит в девять.\n"


@pytest.mark.parametrize(
    ("content", "is_sent"),
    [(PLAN.encode(), True), (PLAN.encode("cp1251") * 20, False), (PLAN.encode() * 20_000, False)],
    ids=["short", "another encoding", "long"],
)
async def test_a_model_that_takes_texts_gets_those_that_it_can_read_as_a_whole(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    is_sent: bool,
) -> None:
    async def list_models() -> list[ModelInfo]:
        return [ModelInfo("model", mime_types=frozenset({"text/plain"}))]

    monkeypatch.setattr(provider, "list_models", list_models)
    provider.answer("At nine.")
    async with start() as bot:
        while not await bot.core.database.read(lambda conn: models.find(conn, ModelRef("scripted", "model"))):
            await pause()
        await ann.upload(content, name="plan.txt", mime="text/plain", caption="Когда?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("At nine."))
    message = provider.requests[0].messages[-1]
    sent = [part.sha256 for part in message.parts if isinstance(part, FilePart)]
    assert sent == ([hashlib.sha256(content).hexdigest()] if is_sent else [])
    assert ("Лодка отходит" in message.text) is not is_sent


async def test_a_question_about_a_document_that_came_before_is_answered_from_it(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("A report.")
    provider.answer("In Kenya.")
    async with start():
        await ann.upload(REPORT, name="report.pdf", mime="application/pdf")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("A report."))
        await ann.say("Where is coffee grown?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "In Kenya.")
    assert "Coffee is grown in Kenya." in provider.told[0]
    assert provider.told[-1] == "Where is coffee grown?"


async def test_a_damaged_file_alone_calls_no_model(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        await ann.upload(REPORT[:200], name="report.pdf", mime="application/pdf")
        await emu.wait_for_message(ann.private_chat(), lambda message: "report.pdf is damaged" in message.text)
    assert provider.requests == []


async def test_after_a_crash_the_file_is_there_already(
    emu: Emulator, ann: EmulatedUser, start: Start, killed: Killed, provider: ScriptedProvider
) -> None:
    never = asyncio.Event()
    provider.answer(never)
    provider.answer("Tea and coffee.")
    async with killed(start()) as bot:
        await ann.upload(REPORT, name="report.pdf", mime="application/pdf", caption="Summarise this.")
        await emu.wait_for(lambda: provider.requests)
        (before,) = await bot.core.database.read(lambda conn: files.of_turn(conn, turn_of(conn)))
    async with start() as bot:
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("Tea and coffee."))
        (after,) = await stored(bot)
    assert (after.id, after.path) == (before.id, before.path)
    assert [call.method for call in emu.journal].count("getFile") == 1
    assert "Tea is grown in Assam." in provider.questions[-1]


async def test_a_clean_up_that_fails_does_not_keep_the_bot_from_starting(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, tmp_path: Path
) -> None:
    (tmp_path / "files" / "in-the-way.part").mkdir(parents=True)
    provider.answer("Here.")
    async with start():
        await ann.say("Are you there?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Here.")


async def test_a_strangers_file_is_never_downloaded(emu: Emulator, eve: EmulatedUser, start: Start) -> None:
    async with start() as bot:
        await eve.upload(REPORT, name="report.pdf", mime="application/pdf", caption="Read this.")
        await settled(emu, bot)
        downloaded = await stored(bot)
        assert not [call for call in emu.journal if call.method == "getFile"]
        assert downloaded == []
