"""Delivery of updates to webhooks: in order within each chat, with retries until accepted."""

import asyncio
import errno
import socket
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

from tgllm.testing.emulator.server.loopback import is_loopback
from tgllm.testing.emulator.state.bots import EmulatedBot, WebhookSettings
from tgllm.testing.emulator.state.updates import QueuedUpdate
from tgllm.testing.emulator.state.waiting import settled_within
from tgllm.testing.emulator.world.world import World

__all__ = ["push_updates"]

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
_ANSWER_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 60.0
_LONGEST_RETRY_AFTER_SECONDS = 3600.0
_GONE_SECONDS = 23 * 3600.0
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


@dataclass(frozen=True, slots=True)
class _Posted:
    """The result of an attempt."""

    is_accepted: bool
    retry_after: float | None = None


class _Pusher:
    """Selection and delivery of updates; ``busy`` are the lanes (a chat, or a user's presses) in delivery."""

    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self._world = world
        self._session = session
        self.busy: set[tuple[int, int]] = set()
        self._gone_since: dict[int, float] = {}

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
        """Send an update, again at once and then with pauses, until it is accepted or expired or has no webhook."""
        pause = 0.0
        try:
            while (webhook := job.bot.webhook) is not None and job.update in job.bot.queue.pending:
                posted = await self._post(job, webhook)
                if posted.is_accepted:
                    job.bot.queue.remove(job.update)
                    return
                await self._pause(job.bot, webhook, pause if posted.retry_after is None else posted.retry_after)
                pause = min(max(pause * 2, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
        finally:
            self.busy.discard(job.lane)
            self._world.changes.bump()

    async def _pause(self, bot: EmulatedBot, webhook: WebhookSettings, seconds: float) -> None:
        """Wait before the next attempt, at most until another webhook is set."""
        if seconds <= 0:
            return
        changed = asyncio.ensure_future(self._world.changes.first(lambda: bot.webhook is not webhook))
        try:
            await settled_within(changed, self._world.clock, seconds)
        finally:
            changed.cancel()
            await asyncio.wait({changed})

    async def _post(self, job: _Job, webhook: WebhookSettings) -> _Posted:
        headers = {SECRET_HEADER: webhook.secret_token} if webhook.secret_token else {}
        try:
            async with self._session.post(
                webhook.url, **_content(job.update), headers=headers, allow_redirects=False
            ) as answer:
                self._note_gone(job.bot, is_gone=answer.status == HTTPStatus.GONE)
                if answer.status in _SUCCESS:
                    return _Posted(is_accepted=True)
                words = f"Wrong response from the webhook: {answer.status} {answer.reason}"
                retry_after = _seconds(answer.headers.get("Retry-After", ""))
        except TimeoutError:
            words, retry_after = "Read timeout expired", None
        except aiohttp.ClientConnectorError as error:
            refused = error.os_error.errno == errno.ECONNREFUSED
            words, retry_after = "Connection refused" if refused else f"Connection failed: {type(error).__name__}", None
        except (aiohttp.ClientError, UnicodeError) as error:  # UnicodeError: an invalid host name
            words, retry_after = f"Connection failed: {type(error).__name__}", None
        if job.bot.webhook is webhook:
            job.bot.webhook_error = (self._world.timestamp(), words)
        self._world.changes.bump()
        return _Posted(is_accepted=False, retry_after=retry_after)

    def _note_gone(self, bot: EmulatedBot, *, is_gone: bool) -> None:
        """Remove a webhook that has answered nothing but 410 Gone for 23 hours; the updates stay."""
        if not is_gone:
            self._gone_since.pop(bot.id, None)
            return
        now = self._world.clock.monotonic()
        if now - self._gone_since.setdefault(bot.id, now) >= _GONE_SECONDS:
            bot.webhook = None
            del self._gone_since[bot.id]


def _seconds(text: str) -> float | None:
    """Return the pause that a response asks for; None without one."""
    return min(float(text), _LONGEST_RETRY_AFTER_SECONDS) if text.isascii() and text.isdigit() else None


def _content(update: QueuedUpdate) -> dict[str, Any]:
    """Return the arguments of a request with the update as its body."""
    return {"data": update.body} if isinstance(update.body, bytes) else {"json": update.body}
