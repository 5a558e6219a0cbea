"""Delivery of updates to webhooks: in order within each chat, with retries until accepted."""

import asyncio
import errno
import socket
from dataclasses import dataclass
from typing import Any

import aiohttp

from tgllm.testing.emulator.server.loopback import is_loopback
from tgllm.testing.emulator.state.bots import EmulatedBot, WebhookSettings
from tgllm.testing.emulator.state.updates import QueuedUpdate
from tgllm.testing.emulator.world.world import World

__all__ = ["push_updates"]

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
_ANSWER_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 60.0
_SUCCESS = range(200, 300)

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""Python: socket.getaddrinfo."""


async def push_updates(world: World) -> None:
    """Push updates until cancelled. Source: Bot API, setWebhook; order and retry delays: Bot API server."""
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    connector = aiohttp.TCPConnector(socket_factory=_loopback_socket)
    async with (
        aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
        asyncio.TaskGroup() as group,
    ):
        pusher = _Pusher(world, session)
        while True:
            job = await world.changes.first(pusher.next_job)
            pusher.busy.add(job.lane)
            group.create_task(pusher.push(job))


def _loopback_socket(found: AddressInfo) -> socket.socket:
    """Create the socket of a connection; a name may have another address than when the webhook was set."""
    family, kind, protocol, _, address = found
    if not is_loopback(str(address[0])):
        raise OSError(errno.EACCES, "the emulator sends updates to this machine only")
    return socket.socket(family, kind, protocol)


@dataclass(frozen=True, slots=True)
class _Job:
    bot: EmulatedBot
    update: QueuedUpdate

    @property
    def lane(self) -> tuple[int, int]:
        return self.bot.id, self.update.lane


class _Pusher:
    """Selection and delivery of updates; ``busy`` are the lanes (a chat, or a user's presses) in delivery."""

    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self._world = world
        self._session = session
        self.busy: set[tuple[int, int]] = set()

    def next_job(self) -> _Job | None:
        """Return the oldest update whose lane is not busy, of a bot below its connection limit."""
        for bot in self._world.bots.values():
            if bot.webhook is None:
                continue
            under_way = sum(bot_id == bot.id for bot_id, _ in self.busy)
            free = (u for u in bot.queue.pending if (bot.id, u.lane) not in self.busy)
            update = next(free, None)
            if update is not None and under_way < bot.webhook.max_connections:
                return _Job(bot, update)
        return None

    async def push(self, job: _Job) -> None:
        """Send an update until it is accepted or expired, or the webhook is removed."""
        pause = 1.0
        try:
            while job.bot.webhook is not None and job.update in job.bot.queue.pending:
                if await self._post(job, job.bot.webhook):
                    job.bot.queue.remove(job.update)
                    return
                await self._world.clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        finally:
            self.busy.discard(job.lane)
            self._world.changes.bump()

    async def _post(self, job: _Job, webhook: WebhookSettings) -> bool:
        headers = {SECRET_HEADER: webhook.secret_token} if webhook.secret_token else {}
        try:
            async with self._session.post(
                webhook.url, **_content(job.update), headers=headers, allow_redirects=False
            ) as answer:
                if answer.status in _SUCCESS:
                    return True
                words = f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError, UnicodeError) as error:  # UnicodeError: an invalid host name
            words = f"Connection failed: {type(error).__name__}"
        job.bot.webhook_error = (self._world.timestamp(), words)
        self._world.changes.bump()
        return False


def _content(update: QueuedUpdate) -> dict[str, Any]:
    """Return the arguments of a request with the update as its body."""
    return {"data": update.body} if isinstance(update.body, bytes) else {"json": update.body}
