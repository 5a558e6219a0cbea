"""Messages to the admins while the disk is full, read-only or locked, and when it can be used again."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiogram import Bot

from tgllm.api.clock import milliseconds
from tgllm.bot.telegram.failures import classify, fatal_error
from tgllm.db.engine.gate import Obstacle
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
        while True:
            obstacle = await self._gate.wait_closed()
            is_told = await self._tell(obstacle)
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

    async def _tell(self, obstacle: Obstacle) -> bool:
        """Send the message about an outage, unless there was one lately; return whether it was sent."""
        now = self._core.clock.monotonic()
        if self._told_at is not None and now - self._told_at < AGAIN_SECONDS:
            return False
        self._told_at = now
        chats = await self._core.database.read(self._chats)
        return any([await self._send(chat_id, language, obstacle) for chat_id, language in chats.items()])

    def _chats(self, conn: Connection) -> Mapping[int, str]:
        chats = self._core.notifier.chats(conn, milliseconds(self._core.clock))
        return {chat_id: language_in(conn, chat_id) for chat_id in chats}

    async def _send(self, chat_id: int, language: str, obstacle: Obstacle) -> bool:
        texts = self._core.texts
        reason = texts(f"storage.{obstacle.state}", language)
        try:
            message = await self._bot.send_message(chat_id, texts("storage.closed", language, reason=reason))
        except Exception as error:  # noqa: BLE001  any failure of the call leaves the log and the health page
            failure = fatal_error(error) or classify(error).reason
            log.warning("storage.not_told", chat=chat_id, reason=str(failure))
            return False
        self._sent.append((chat_id, message.message_id))
        return True
