"""Rate limiter for all Bot API calls.

Telegram does not publish its limits exactly (Bot FAQ: about one message a second in a chat, 20 a minute in a group, 30
a second in all), so three mechanisms work together: token buckets spread calls out; a sliding window counts each
group's calls in the last minute, since a bucket with a burst would allow more than 20; and a chat is held after a 429
for as long as Telegram asks, or while its window is full. During a hold no method sends to that chat, and the sender
leaves its rows in the outbox. Calls that wait for the same chat are made in the order in which they arrived.

Uploads of more than 100 kB have a bucket of their own: Telegram's server spaces them, and refuses them once they are
too far behind.

Calls of the outbox don't wait here. The sender asks for the room there is (``room``), claims no more rows than that,
and reserves the room of each before its call, so a row counts as being sent only while its call is made. Previews have
no rows and wait here, or are skipped (``wait_for``). Calls of the background (access requests, replies to strangers,
broadcasts) need more room than others: it has to be left over beside the answers.

Telegram's limits span restarts of the bot, so the calls of an earlier run count as well (``remember``). They are for
all replicas together, so each has a share of them (``rates``).
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import Response
from aiogram.methods.base import TelegramMethod, TelegramType

from tgllm.api.clock import Clock
from tgllm.bot.telegram.limits.background import BackgroundShare
from tgllm.bot.telegram.limits.buckets import NO_LIMIT, TokenBucket, positive
from tgllm.bot.telegram.limits.chat_limits import WINDOW_SECONDS, ChatLimits
from tgllm.bot.telegram.limits.rates import ALONE, Rates, Share

__all__ = ["IN_BACKGROUND", "LARGE_UPLOAD", "RESERVED", "Limiter", "Room"]

# Methods that send no message; Telegram does not count them against a chat.
_UNLIMITED = frozenset({"getUpdates", "getMe", "answerCallbackQuery", "getFile", "sendChatAction", "setMyCommands"})

_SPARE_IN_CHAT = 1
_SPARE_OVERALL = 4
LARGE_UPLOAD = 100_000
"""Bytes from which an upload counts as large. Source: the Bot API server."""
_UPLOAD_BURST = 4.0
"""Large uploads that may be made at once after a pause."""

IN_BACKGROUND: ContextVar[bool] = ContextVar("IN_BACKGROUND", default=False)
"""Whether the calls of the current task belong to the background."""

RESERVED: ContextVar[bool] = ContextVar("RESERVED", default=False)
"""Whether the next call of the current task has room that was reserved for it, and need not wait."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many calls may be made at once."""

    overall: int
    chats: Mapping[int, int]
    """Chats in which fewer calls are possible than in others."""
    in_other_chat: int
    """Calls to each of the other chats."""


class Limiter(BaseRequestMiddleware):
    """Session middleware that delays calls to keep the rate limits."""

    _CHATS = 10_000

    def __init__(self, rates: Rates, clock: Clock, share: Callable[[], Share] | None = None) -> None:
        """Create the limiter.

        Args:
            rates: of all replicas together.
            clock: source of time.
            share: returns the share of this replica, which may change at any time; None for the only process.
        """
        self._all = rates
        self._clock = clock
        self._share_of = share
        self._present = ALONE if share is None else share()
        self._rates = rates = self._present.of(rates)
        self._overall = TokenBucket(rates.overall, max(1.0, rates.overall), clock.monotonic())
        self._uploads = TokenBucket(rates.uploads, _UPLOAD_BURST, clock.monotonic())
        self._share = BackgroundShare(self._overall, rates.overall, clock.monotonic())
        self._chats: OrderedDict[int, ChatLimits] = OrderedDict()
        self._most = self._most_at_once()
        self._used: set[int] = set()
        """Chats that may have less room than others."""
        self._waiting = 0
        self._recent: set[int] = set()
        """Chats of the latest calls, which may have no room for the background."""
        self._held_until: dict[int, float] = {}

    def remember(self, calls: Iterable[tuple[int, float]], busy: Iterable[int] = ()) -> None:
        """Count calls of an earlier run of the program, before the first call of this one.

        Args:
            calls: chat and age in seconds of each, oldest first.
            busy: chats in which there may have been previews too, which are not stored: they begin without a burst.
        """
        now = self._now()
        for chat_id, age in calls:
            at = now - min(max(0.0, age), WINDOW_SECONDS)
            if chat_id not in self._chats:
                self._chats[chat_id] = self._new_chat(is_group=chat_id < 0, now=at)
            self._chats[chat_id].take(at)
            self._used.add(chat_id)
            if age < 1:
                self._overall.take_if_any()
        for chat_id in busy:
            self._chat(chat_id).empty(now)
            self._used.add(chat_id)

    def wait_for(self, chat_id: int) -> float:
        """Return the seconds until a call to that chat would be made at once and leave room for another; 0 if now.

        A call that may be dropped (a draft, an intermediate edit) is tried again after this time instead of queueing.
        The room is for the end of the answer, which then need not wait for the previews.
        """
        return self._wait(chat_id, _SPARE_IN_CHAT, _SPARE_OVERALL)

    def room(self) -> Room:
        """Return how many calls may be made now, beside those that wait already."""
        now = self._now()
        chats: dict[int, int] = {}
        for chat_id in tuple(self._used):
            room = self._chat(chat_id).room(now)
            if room >= self._most:
                self._used.discard(chat_id)
            else:
                chats[chat_id] = max(0, room)
        chats |= dict.fromkeys(self.held_chats(), 0)
        return Room(max(0, self._overall.room(now) - self._waiting), chats, self._most)

    def next_room(self, chats: Iterable[int] = ()) -> float:
        """Return the seconds until a call may be made to one of these chats, or to any if none is given."""
        now = self._now()
        in_chats = (
            max(self._hold_left(chat_id), chat.wait(now, chat.waiting))
            for chat_id, chat in ((chat_id, self._chat(chat_id)) for chat_id in chats)
        )
        return max(self._overall.wait(now, self._waiting), min(in_chats, default=0.0))

    def reserve(self, chat_id: int, *, in_background: bool = False) -> bool:
        """Take the room of a call; return False if there is none.

        The call is made in a task in which ``RESERVED`` is set.
        """
        now, chat = self._now(), self._chat(chat_id)
        if self._hold_left(chat_id) or min(self._overall.room(now) - self._waiting, chat.room(now)) < 1:
            return False
        if in_background:
            self._share.take()
            chat.background_at = now
        self._take(chat_id, chat, in_background=in_background)
        return True

    def reserve_upload(self) -> float:
        """Take the room of a large upload; return the seconds after which it may be made."""
        wait = self._upload_wait()
        self._uploads.take()
        return wait

    def held_chats(self) -> frozenset[int]:
        """Return the chats to which nothing may be sent for now."""
        return frozenset(chat for chat in tuple(self._held_until) if self._hold_left(chat) > 0)

    def hold(self, chat_id: int, seconds: float) -> None:
        """Hold a chat for that long; a longer hold stays."""
        until = self._now() + seconds
        self._held_until[chat_id] = max(until, self._held_until.get(chat_id, 0.0))

    def background_room(self) -> int:
        """Return how many calls of the background may begin now."""
        return self._share.room(self._now())

    def background_wait(self) -> float:
        """Return the seconds until a call of the background may begin, or another chat has room for one."""
        now = self._now()
        if (wait := self._share.wait(now)) > 0:
            return wait
        return min((self._chat(chat).background_wait(now) for chat in self._busy_chats(now)), default=0.0)

    def busy_chats(self) -> frozenset[int]:
        """Return the chats to which no call of the background may begin now: their room is for answers."""
        return frozenset(self._busy_chats(self._now()))

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
        if RESERVED.get():
            RESERVED.set(False)
        elif method.__api_method__ in _UNLIMITED:
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
            self._share.note_answer(self._now())
        chat = self._chat(chat_id)
        chat.waiting += 1
        self._used.add(chat_id)
        try:
            async with chat.line:
                while (wait := max(self._wait(chat_id), self._upload_wait() if is_upload else 0.0)) > 0:
                    await self._sleep(wait, self._overall.wait(self._now()))
                if is_upload:
                    self._uploads.take()
                self._take(chat_id, chat, in_background=IN_BACKGROUND.get())
        finally:
            chat.waiting -= 1

    async def _sleep(self, wait: float, overall: float) -> None:
        """Sleep; if there is no room for any chat, the next room is that of this call."""
        # A call that waits for its own chat must not keep the room of other chats free.
        is_next = wait == overall
        self._waiting += is_next
        try:
            await self._clock.sleep(wait)
        finally:
            self._waiting -= is_next

    def _take(self, chat_id: int, chat: ChatLimits, *, in_background: bool) -> None:
        """Count a call that is made now."""
        now = self._now()
        chat.take(now)
        self._overall.take()
        self._recent.add(chat_id)
        self._used.add(chat_id)
        if not in_background:
            self._share.note_answer(now)
        # A full window means a long wait. A hold keeps every method from the chat meanwhile.
        if (full := chat.full_for(now)) > 0:
            self.hold(chat_id, full)

    def _upload_wait(self) -> float:
        return self._uploads.wait(self._now())

    def _busy_chats(self, now: float) -> list[int]:
        busy = [chat for chat in self._recent if self._chat(chat).background_wait(now) > 0]
        # A chat with room has it until the next call.
        self._recent = set(busy)
        return busy

    def _wait(self, chat_id: int, spare_in_chat: int = 0, spare_overall: int = 0) -> float:
        now = self._now()
        waits = (self._chat(chat_id).wait(now, spare_in_chat), self._overall.wait(now, spare_overall))
        return max(self._hold_left(chat_id), *waits)

    async def _wait_out_hold(self, chat_id: int) -> None:
        while (wait := self._hold_left(chat_id)) > 0:
            await self._clock.sleep(wait)

    def _hold_left(self, chat_id: int) -> float:
        until = self._held_until.get(chat_id)
        if until is None:
            return 0.0
        left = positive(until - self._now())
        if not left:
            del self._held_until[chat_id]
        return left

    def _chat(self, chat_id: int) -> ChatLimits:
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = self._new_chat(is_group=chat_id < 0)
            if len(self._chats) > self._CHATS:
                self._chats.popitem(last=False)
        else:
            self._chats.move_to_end(chat_id)
        return chat

    def _now(self) -> float:
        """Return the time by the monotonic clock, with the share of this replica as it is then."""
        now = self._clock.monotonic()
        if self._share_of is not None and (share := self._share_of()) != self._present:
            self._present = share
            self._adapt(self._present.of(self._all), now)
        return now

    def _adapt(self, rates: Rates, now: float) -> None:
        """Go on with other rates. What was used counts on; what is left of a burst is no more than the new one."""
        self._rates = rates
        self._overall.resize(rates.overall, max(1.0, rates.overall), now)
        self._share.resize(rates.overall, now)
        self._most = self._most_at_once()
        for chat_id, chat in self._chats.items():
            chat.resize(self._rate_in(is_group=chat_id < 0), rates.burst, rates.group_per_minute, now)
            self._used.add(chat_id)

    def _rate_in(self, *, is_group: bool) -> float:
        return self._rates.group_per_minute / 60 if is_group else self._rates.private

    def _most_at_once(self) -> int:
        """Return the calls to a chat that may be made at once after a pause."""
        rates = self._rates
        private = rates.burst if rates.private > 0 else NO_LIMIT
        return min(private, rates.burst, rates.group_per_minute) if rates.group_per_minute > 0 else private

    def _new_chat(self, *, is_group: bool, now: float | None = None) -> ChatLimits:
        rates, now = self._rates, self._now() if now is None else now
        bucket = TokenBucket(self._rate_in(is_group=is_group), rates.burst, now)
        if is_group:
            return ChatLimits(bucket, rates.group_per_minute, self._all.group_per_minute)
        return ChatLimits(bucket)


def _is_large_upload(method: TelegramMethod[Any]) -> bool:
    """Return whether a call uploads a large file."""
    file = getattr(method, "document", None) or getattr(method, "photo", None)
    return file is not None and getattr(file, "size", 0) > LARGE_UPLOAD
