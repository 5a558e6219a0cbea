"""Rate limiter for all Bot API calls.

Telegram does not publish its limits exactly (Bot FAQ: about one message a second in a chat, 20 a minute in a group, 30
a second in all), so three mechanisms work together: token buckets spread calls out; a sliding window counts each
group's calls in the last minute, since a bucket with a burst would allow more than 20; and a chat is held after a 429
for as long as Telegram asks, or while its window is full. During a hold no method sends to that chat, and the sender
leaves its rows in the outbox. Calls that wait for the same chat are made in the order in which they arrived.

Uploads of more than 100 kB have a bucket of their own: Telegram's server spaces them, and refuses them once they are
too far behind.

Calls of the background (access requests, replies to strangers, broadcasts) don't wait here: the sender leaves their
rows in the outbox until the overall rate and the chat have room for them beside the answers.
"""

import asyncio
from collections import OrderedDict, deque
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import Response
from aiogram.methods.base import TelegramMethod, TelegramType

from tgllm.api.clock import Clock
from tgllm.bot.telegram.background import BackgroundShare
from tgllm.bot.telegram.buckets import TokenBucket, positive
from tgllm.config.model import SendingSection

__all__ = ["IN_BACKGROUND", "Limiter", "Rates", "rates_from"]

# Methods that send no message; Telegram does not count them against a chat.
_UNLIMITED = frozenset({"getUpdates", "getMe", "answerCallbackQuery", "getFile", "sendChatAction", "setMyCommands"})

_SPARE_IN_CHAT = 1
_SPARE_OVERALL = 4
_SPARE_FOR_ANSWERS = 2
"""Calls for which the background leaves room in a chat: an answer and a draft."""
_SPARE_IN_MINUTE = 1 / 3
"""Part of a group's minute that the background leaves to answers."""
_BACKGROUND_SECONDS = 15.0
"""Interval at which a chat gets one call of the background, although an answer leaves no room for it."""

_LARGE_UPLOAD = 100_000
"""Bytes from which an upload counts as large. Source: the Bot API server."""
_UPLOAD_BURST = 4.0
"""Large uploads that may be made at once after a pause."""

_MINUTE_SECONDS = 61.0
"""Slightly more than a minute: calls may reach Telegram closer together than they were made."""


IN_BACKGROUND: ContextVar[bool] = ContextVar("IN_BACKGROUND", default=False)
"""Whether the calls of the current task belong to the background."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Rate limits. A rate of 0 means no limit."""

    overall: float = 28.0
    """Calls a second to all chats together."""
    private: float = 1.0
    """Calls a second to one private chat."""
    group_per_minute: int = 20
    """Calls a minute to one group."""
    burst: int = 3
    """Calls to one chat that may be made at once after a pause."""
    uploads: float = 1.5
    """Uploads of large files a second, to all chats together."""


class _Chat:
    """Limits of one chat, and the queue of calls that wait for it."""

    __slots__ = ("_bucket", "_minute", "background_at", "line")

    def __init__(self, bucket: TokenBucket, per_minute: int = 0) -> None:
        self.background_at = -_BACKGROUND_SECONDS
        self._bucket = bucket
        self._minute = deque[float](maxlen=per_minute)
        # asyncio.Lock is fair: waiters acquire it in the order in which they asked for it.
        self.line = asyncio.Lock()

    def wait(self, now: float, spare: int = 0) -> float:
        """Return the seconds until a call may be made that leaves room for ``spare`` more."""
        return max(self._bucket.wait(now, spare), self.full_for(now, spare))

    def full_for(self, now: float, spare: int = 0) -> float:
        """Return the seconds until the minute's window has room for a call and ``spare`` more."""
        most = self._minute.maxlen or 0
        # Position, from the newest, of the call that must leave the window first.
        back = max(1, most - spare)
        if not most or len(self._minute) < back:
            return 0.0
        return positive(self._minute[-back] + _MINUTE_SECONDS - now)

    def background_wait(self, now: float) -> float:
        """Return the seconds until a call of the background may be made."""
        spare_in_minute = int((self._minute.maxlen or 0) * _SPARE_IN_MINUTE)
        beside_answers = max(self._bucket.wait(now, _SPARE_FOR_ANSWERS), self.full_for(now, spare_in_minute))
        # In its turn it waits with the answers: between answers that follow each other, the chat never has room.
        in_turn = max(self.full_for(now), positive(self.background_at + _BACKGROUND_SECONDS - now))
        return min(beside_answers, in_turn)

    def take(self, now: float) -> None:
        """Count a call that is made now."""
        self._bucket.take()
        self._minute.append(now)


class Limiter(BaseRequestMiddleware):
    """Session middleware that delays calls to keep the rate limits."""

    _CHATS = 10_000

    def __init__(self, rates: Rates, clock: Clock) -> None:
        self._rates = rates
        self._clock = clock
        self._overall = TokenBucket(rates.overall, max(1.0, rates.overall), clock.monotonic())
        self._uploads = TokenBucket(rates.uploads, _UPLOAD_BURST, clock.monotonic())
        self._share = BackgroundShare(self._overall, rates.overall, clock.monotonic())
        self._chats: OrderedDict[int, _Chat] = OrderedDict()
        self._recent: set[int] = set()
        """Chats of the latest calls, which may have no room for the background."""
        self._held_until: dict[int, float] = {}

    def wait_for(self, chat_id: int) -> float:
        """Return the seconds until a call to that chat would be made at once and leave room for another; 0 if now.

        A call that may be dropped (a draft, an intermediate edit) is tried again after this time instead of queueing.
        The room is for the end of the answer, which then need not wait for the previews.
        """
        return self._wait(chat_id, _SPARE_IN_CHAT, _SPARE_OVERALL)

    def held_chats(self) -> frozenset[int]:
        """Return the chats to which nothing may be sent for now."""
        return frozenset(chat for chat in tuple(self._held_until) if self._hold_left(chat) > 0)

    def next_release(self) -> float | None:
        """Return the seconds until the first hold ends; None if no chat is held."""
        return min((self._hold_left(chat) for chat in tuple(self._held_until)), default=None)

    def hold(self, chat_id: int, seconds: float) -> None:
        """Hold a chat for that long; a longer hold stays."""
        until = self._clock.monotonic() + seconds
        self._held_until[chat_id] = max(until, self._held_until.get(chat_id, 0.0))

    def background_room(self) -> int:
        """Return how many calls of the background may begin now."""
        return self._share.room(self._clock.monotonic())

    def background_wait(self) -> float:
        """Return the seconds until a call of the background may begin, or another chat has room for one."""
        now = self._clock.monotonic()
        if (wait := self._share.wait(now)) > 0:
            return wait
        return min((self._chat(chat).background_wait(now) for chat in self._busy_chats(now)), default=0.0)

    def busy_chats(self) -> frozenset[int]:
        """Return the chats to which no call of the background may begin now: their room is for answers."""
        return frozenset(self._busy_chats(self._clock.monotonic()))

    def note_background(self, chat_id: int | None) -> None:
        """Note that a call of the background begins."""
        self._share.take()
        if chat_id is not None:
            self._chat(chat_id).background_at = self._clock.monotonic()
            self._recent.add(chat_id)

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """Wait until the limits allow the call, make it, and hold its chat after a 429."""
        chat_id = getattr(method, "chat_id", None)
        if not isinstance(chat_id, int):
            return await make_request(bot, method)
        if method.__api_method__ in _UNLIMITED:
            await self._wait_out_hold(chat_id)
        else:
            await self._acquire(chat_id, is_upload=_is_large_upload(method))
        try:
            return await make_request(bot, method)
        except TelegramRetryAfter as error:
            self.hold(chat_id, float(error.retry_after))
            raise

    async def _acquire(self, chat_id: int, *, is_upload: bool = False) -> None:
        if not IN_BACKGROUND.get():
            self._share.note_answer(self._clock.monotonic())
        chat = self._chat(chat_id)
        async with chat.line:
            while (wait := max(self._wait(chat_id), self._upload_wait() if is_upload else 0.0)) > 0:
                await self._clock.sleep(wait)
            now = self._clock.monotonic()
            if is_upload:
                self._uploads.take()
            chat.take(now)
            self._overall.take()
            self._recent.add(chat_id)
            if not IN_BACKGROUND.get():
                self._share.note_answer(now)
            # A full window means a long wait. A hold leaves the chat's rows in the outbox meanwhile, where they don't
            # take the sender's slots from other chats and a shutdown can't interrupt them.
            if (full := chat.full_for(now)) > 0:
                self.hold(chat_id, full)

    def _upload_wait(self) -> float:
        return self._uploads.wait(self._clock.monotonic())

    def _busy_chats(self, now: float) -> list[int]:
        busy = [chat for chat in self._recent if self._chat(chat).background_wait(now) > 0]
        # A chat with room has it until the next call.
        self._recent = set(busy)
        return busy

    def _wait(self, chat_id: int, spare_in_chat: int = 0, spare_overall: int = 0) -> float:
        now = self._clock.monotonic()
        waits = (self._chat(chat_id).wait(now, spare_in_chat), self._overall.wait(now, spare_overall))
        return max(self._hold_left(chat_id), *waits)

    async def _wait_out_hold(self, chat_id: int) -> None:
        while (wait := self._hold_left(chat_id)) > 0:
            await self._clock.sleep(wait)

    def _hold_left(self, chat_id: int) -> float:
        until = self._held_until.get(chat_id)
        if until is None:
            return 0.0
        left = positive(until - self._clock.monotonic())
        if not left:
            del self._held_until[chat_id]
        return left

    def _chat(self, chat_id: int) -> _Chat:
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = self._new_chat(is_group=chat_id < 0)
            if len(self._chats) > self._CHATS:
                self._chats.popitem(last=False)
        else:
            self._chats.move_to_end(chat_id)
        return chat

    def _new_chat(self, *, is_group: bool) -> _Chat:
        rates, now = self._rates, self._clock.monotonic()
        if is_group:
            return _Chat(TokenBucket(rates.group_per_minute / 60, rates.burst, now), rates.group_per_minute)
        return _Chat(TokenBucket(rates.private, rates.burst, now))


def _is_large_upload(method: TelegramMethod[Any]) -> bool:
    """Return whether a call uploads a large file."""
    file = getattr(method, "document", None) or getattr(method, "photo", None)
    return file is not None and getattr(file, "size", 0) > _LARGE_UPLOAD


def rates_from(section: SendingSection) -> Rates:
    """Return the rates of the ``[sending]`` section of the config."""
    if not section.paced:
        return Rates(overall=0, private=0, group_per_minute=0, uploads=0)
    return Rates(section.global_rate, section.chat_rate, section.group_per_minute, section.chat_burst)
