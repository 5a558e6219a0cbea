"""Messages to the admins while the disk is full, read-only or locked, and when it can be used again."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiogram import Bot

from tgllm.api import DatabaseError
from tgllm.api.clock import milliseconds
from tgllm.bot.telegram.failures import classify, fatal_error
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import known_ids
from tgllm.i18n.durations import duration
from tgllm.observe.logs import get_logger
from tgllm.services.bot_core import BotCore
from tgllm.services.messaging.people import language_in

__all__ = ["StorageOutage"]

log = get_logger(__name__)

AGAIN_SECONDS: Final = 600.0
"""Least time between two messages to the admins that something waits."""
READ_SECONDS: Final = 5.0
"""Time limit for reading who the admins are."""
_LONGEST_PAUSE_SECONDS: Final = 60.0
_FINAL: Final = frozenset({"blocked", "rejected", "fatal"})
"""Failures after which the message is not tried again."""


class StorageOutage:
    """Informs the admins when nothing can be stored, and when it can be again.

    The outbox can't be written meanwhile, so the first message is a direct call, which may be lost: it is one that a
    restart need not repeat.
    """

    def __init__(self, bot: Bot, core: BotCore) -> None:
        """Watch the database of ``core``; ``watching`` sends the messages."""
        self._bot = bot
        self._core = core
        self._gate = core.database.gate
        self._told_at: float | None = None
        self._chats: Mapping[int, str] = {}
        """Language by chat of the admins, as it was read last."""
        self._sent: list[tuple[int, int]] = []
        """Chat and id of each message of the present outage."""

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        """Watch inside the block, which also contains the start and the end of the bot."""
        task = asyncio.create_task(self._run(), name="messages about the disk")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self) -> None:
        """Send the admins a message at each outage and at its end, until cancelled."""
        await self._admins()
        while True:
            obstacle = await self._gate.wait_closed()
            is_told = await self._tell()
            await self._gate.wait_open()
            if self._gate.is_given_up:
                return
            sent, self._sent = tuple(self._sent), []
            # Else one of them could be taken for a message of the outbox of which it is unknown whether it has arrived.
            await self._core.database.write(lambda conn, sent=sent: known_ids.note(conn, sent))
            if is_told:
                seconds = self._core.clock.monotonic() - obstacle.since
                texts = self._core.texts
                await self._core.notifier.bot_notify_admin(texts("storage.open", time=duration(texts, seconds)))

    async def _tell(self) -> bool:
        """Send the message about an outage, and again where that fails, while it lasts; return whether one was sent.

        If there was one lately, it is sent later.
        """
        if self._told_at is not None:
            lately = self._core.clock.monotonic() - self._told_at
            if lately < AGAIN_SECONDS and not await self._stays_closed(AGAIN_SECONDS - lately):
                return False
        chats, failures = await self._admins(), 0
        while chats:
            pauses = {chat_id: await self._send(chat_id, language, failures) for chat_id, language in chats.items()}
            if self._sent:
                self._told_at = self._core.clock.monotonic()
            failed = {chat_id: pause for chat_id, pause in pauses.items() if pause is not None}
            if not failed or not await self._stays_closed(max(failed.values())):
                break
            chats = {chat_id: chats[chat_id] for chat_id in failed}
            failures += 1
        return bool(self._sent)

    async def _stays_closed(self, seconds: float) -> bool:
        """Return whether the outage lasts for so long; return at once when it is over."""
        opened = asyncio.ensure_future(self._gate.wait_open())
        slept = asyncio.ensure_future(self._core.clock.sleep(seconds))
        try:
            await asyncio.wait({opened, slept}, return_when=asyncio.FIRST_COMPLETED)
            return not opened.done()
        finally:
            for each in (opened, slept):
                each.cancel()
            await asyncio.wait({opened, slept})

    async def _admins(self) -> Mapping[int, str]:
        """Return the languages of the admins by their chats: those of earlier, if nothing can be read at present."""
        with suppress(DatabaseError, TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                self._chats = await self._core.database.read(self._read_chats)
        return self._chats

    def _read_chats(self, conn: Connection) -> Mapping[int, str]:
        chats = self._core.notifier.chats(conn, milliseconds(self._core.clock))
        return {chat_id: language_in(conn, chat_id) for chat_id in chats}

    async def _send(self, chat_id: int, language: str, failures: int) -> float | None:
        """Send the message; return the seconds until it should be tried again, None if it should not."""
        texts, obstacle = self._core.texts, self._gate.obstacle
        if obstacle is None:
            return None
        reason = texts(f"storage.{obstacle.state}", language)
        try:
            message = await self._bot.send_message(chat_id, texts("storage.closed", language, reason=reason))
        except Exception as error:  # noqa: BLE001  any failure of the call leaves the log and the health page
            fatal, failure = fatal_error(error), classify(error)
            log.warning("storage.not_told", chat=chat_id, reason=str(fatal or failure.reason))
            is_final = fatal is not None or failure.meaning in _FINAL
            return None if is_final else failure.pause(failures, _LONGEST_PAUSE_SECONDS)
        self._sent.append((chat_id, message.message_id))
        return None
