"""The server against clients that are not ours: python-telegram-bot and aiogram."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiogram
import pytest
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramRetryAfter
from aiogram.types import BufferedInputFile
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, RetryAfter
from telegram.ext import ApplicationBuilder, CallbackQueryHandler, CommandHandler, MessageHandler, filters

from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator, Fault


async def start(update: Update, _context: Any) -> None:
    assert update.message is not None
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y")]])
    await update.message.reply_text("<b>Ready?</b>", parse_mode=ParseMode.HTML, reply_markup=keyboard)


async def pressed(update: Update, _context: Any) -> None:
    query = update.callback_query
    assert query is not None
    await query.answer("noted")
    await query.edit_message_text("Ready!")


async def document(update: Update, _context: Any) -> None:
    assert update.message is not None
    assert update.message.document is not None
    file = await update.message.document.get_file()
    content = bytes(await file.download_as_bytearray())
    await update.message.reply_document(content[::-1], filename="back.txt", caption="reversed", do_quote=True)


@pytest.fixture
async def ptb(emu: Emulator) -> AsyncIterator[Any]:
    """An application of python-telegram-bot that polls the emulator."""
    base = f"{emu.base_url}/bot", f"{emu.base_url}/file/bot"
    app = ApplicationBuilder().token(emu.token).base_url(base[0]).base_file_url(base[1]).build()
    app.add_handler(CommandHandler("start", start))
    app.add_handler(CallbackQueryHandler(pressed))
    app.add_handler(MessageHandler(filters.Document.ALL, document))
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(timeout=20)
        yield app
        await app.updater.stop()
        await app.stop()


@pytest.mark.usefixtures("ptb")
async def test_ptb_polls_sends_is_pressed_and_edits(emu: Emulator, ann: EmulatedUser, chat: EmulatedChat) -> None:
    await ann.say("/start")
    question = await emu.wait_for_message(chat)
    assert question.text == "Ready?"
    assert question.entities[0]["type"] == "bold"
    query = await ann.press(question, "Yes")
    await emu.wait_for(lambda: question.is_edited)
    assert (question.text, question.buttons) == ("Ready!", ())
    assert query.answer is not None
    assert query.answer["text"] == "noted"


@pytest.mark.usefixtures("ptb")
async def test_ptb_downloads_and_uploads(emu: Emulator, ann: EmulatedUser, chat: EmulatedChat) -> None:
    sent = await ann.upload(b"abc", name="abc.txt", mime="text/plain")
    reply = await emu.wait_for_message(chat)
    assert reply.file is not None
    assert (reply.file.content, reply.file.name, reply.text) == (b"cba", "back.txt", "reversed")
    assert reply.reply_to is sent


async def test_ptb_understands_the_errors(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, ptb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # the coming type of retry_after; the present one warns
    with pytest.raises(BadRequest, match="Chat not found"):
        await ptb.bot.send_message(12345, "x")
    emu.faults.add(Fault.retry_after("sendMessage", 7))
    with pytest.raises(RetryAfter) as caught:
        await ptb.bot.send_message(chat.id, "x")
    assert caught.value.retry_after == timedelta(seconds=7)
    await ann.block()
    with pytest.raises(Forbidden, match="blocked"):
        await ptb.bot.send_message(chat.id, "x")


@pytest.fixture
async def bot(emu: Emulator) -> AsyncIterator[aiogram.Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(emu.base_url))
    async with aiogram.Bot(emu.token, session=session) as client:
        yield client


async def test_aiogram_receives_sends_edits_and_streams(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, bot: aiogram.Bot
) -> None:
    await ann.say("hello")
    (update,) = await bot.get_updates(timeout=5)
    assert update.message is not None
    assert update.message.text == "hello"
    assert await bot.send_message_draft(chat.id, 8, text="", can_stop=True)
    assert (await emu.wait_for_draft(chat)).can_stop
    await ann.stop(next(iter(chat.drafts.values())))
    (update,) = await bot.get_updates(offset=update.update_id + 1, timeout=5)
    assert update.stopped_message_generation is not None
    assert update.stopped_message_generation.draft_id == 8
    answer = await bot.send_message(chat.id, "hi")
    edited = await bot.edit_message_text("hi!", chat_id=chat.id, message_id=answer.message_id)
    assert isinstance(edited, aiogram.types.Message)
    assert edited.edit_date is not None
    assert (await bot.get_chat(chat.id)).first_name == "Ann"
    with pytest.raises(TelegramBadRequest, match="not modified"):
        await bot.edit_message_text("hi!", chat_id=chat.id, message_id=answer.message_id)


async def test_aiogram_uploads_and_downloads(
    emu: Emulator, chat: EmulatedChat, bot: aiogram.Bot, ann: EmulatedUser
) -> None:
    sent = await bot.send_document(chat.id, BufferedInputFile(b"data", "d.bin"), caption="d")
    assert sent.document is not None
    downloaded = await bot.download(sent.document)
    assert downloaded is not None
    assert downloaded.read() == b"data"
    await ann.upload(b"photo", name="p.jpg", mime="image/jpeg", kind="photo")
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.photo is not None
    emu.faults.add(Fault.retry_after("sendMessage", 2))
    with pytest.raises(TelegramRetryAfter) as caught:
        await bot.send_message(chat.id, "x")
    assert caught.value.retry_after == 2
