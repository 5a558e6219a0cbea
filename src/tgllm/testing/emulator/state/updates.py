"""Update queue of a bot, with the semantics of getUpdates."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

from tgllm.api.clock import Clock
from tgllm.testing.emulator.protocol.errors import BotApiError, ConnectionCutError, conflict
from tgllm.testing.emulator.state.waiting import settled_within

__all__ = ["NOT_BY_DEFAULT", "QueuedUpdate", "UpdateQueue"]

# Bot API: getUpdates, allowed_updates.
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
MAX_LIMIT = 100
MAX_TIMEOUT = 50

# Bot API server: time after which an unconfirmed update expires, in seconds.
_LIFE_SECONDS = {"callback_query": 150, "pre_checkout_query": 150, "inline_query": 30}
_DEFAULT_LIFE_SECONDS = 86_400

_KEPT_FOR_REPEATS = 1000
OTHER_POLLER = "terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass(slots=True, eq=False)
class QueuedUpdate:
    """An update in the queue.

    A webhook receives updates of the same ``lane`` (a chat or a user) in order. ``repeated`` marks a copy
    that is delivered even if its update_id is already confirmed.
    """

    update_id: int
    kind: str
    body: dict[str, Any] | bytes
    lane: int
    expires_at: float
    repeated: bool = False


class UpdateQueue:
    """Updates that the bot has not confirmed.

    Source: Bot API, getUpdates; expiry times and conflict messages are those of the Bot API server.
    """

    def __init__(self, clock: Clock, on_change: Callable[[], None], first_id: int) -> None:
        self._clock = clock
        self._on_change = on_change
        self._next_id = first_id
        self._updates: deque[QueuedUpdate] = deque()
        self._recent: deque[QueuedUpdate] = deque(maxlen=_KEPT_FOR_REPEATS)
        self._poll: asyncio.Future[None] | None = None
        self.allowed: frozenset[str] | None = None

    def __len__(self) -> int:
        """Return the number of unconfirmed updates."""
        return len(self._updates)

    @property
    def pending(self) -> tuple[QueuedUpdate, ...]:
        """Unconfirmed updates, oldest first."""
        self._drop_expired()
        return tuple(self._updates)

    @property
    def is_polled(self) -> bool:
        """Whether a getUpdates call waits for updates."""
        return self._poll is not None and not self._poll.done()

    def allow(self, kinds: Collection[str] | None) -> None:
        """Store the update types that the bot wants; a list without a known type means the default ones."""
        if kinds is not None:
            self.allowed = frozenset(kind.lower() for kind in kinds) & _kinds() or None

    def wants(self, kind: str) -> bool:
        """Return whether updates of this type are queued."""
        return kind in self.allowed if self.allowed is not None else kind not in NOT_BY_DEFAULT

    def put(self, kind: str, payload: object, lane: int = 0) -> int | None:
        """Queue an update; return its update_id, or None if the bot does not want this type."""
        if not self.wants(kind):
            return None
        return self.put_raw({kind: payload}, kind, lane)

    def put_raw(self, body: dict[str, Any], kind: str = "", lane: int = 0) -> int:
        """Queue any JSON object, with its own update_id if it has one."""
        update_id = int(body.get("update_id", self._next_id))
        self._add(update_id, kind, {"update_id": update_id, **body}, lane)
        return update_id

    def put_bytes(self, make: Callable[[int], bytes]) -> int:
        """Queue bytes in place of an update, as ``make`` returns them for its id; they need not be JSON."""
        update_id = self._next_id
        self._add(update_id, "", make(update_id), 0)
        return update_id

    def _add(self, update_id: int, kind: str, body: dict[str, Any] | bytes, lane: int) -> None:
        self._next_id = max(self._next_id, update_id + 1)
        life = _LIFE_SECONDS.get(kind, _DEFAULT_LIFE_SECONDS)
        update = QueuedUpdate(update_id, kind, body, lane, self._clock.monotonic() + life)
        self._updates.append(update)
        self._recent.append(update)
        self._wake()

    def repeat(self, update_id: int | None = None) -> None:
        """Queue an update again: the newest, or the one with this id.

        Raises LookupError if it is not among the recent ones.
        """
        fitting = (u for u in reversed(self._recent) if update_id in {None, u.update_id})
        update = next(fitting, None)
        if update is None:
            raise LookupError(f"update {update_id} is not among the last {len(self._recent)}")
        self._updates.append(replace(update, repeated=True))
        self._wake()

    def confirm(self, offset: int) -> None:
        """Drop updates before ``offset``; a negative one keeps that many of the newest."""
        if offset < 0:
            while len(self._updates) > -offset:
                self._updates.popleft()
        elif any(update.update_id < offset for update in self._updates):
            self._updates = deque(u for u in self._updates if u.update_id >= offset or u.repeated)
            self._on_change()

    def clear(self) -> None:
        """Drop all updates."""
        self._updates.clear()

    def remove(self, update: QueuedUpdate) -> None:
        """Drop an update that a webhook has accepted."""
        if update in self._updates:
            self._updates.remove(update)

    async def poll(
        self, offset: int, limit: int, timeout_seconds: int, is_connected: Callable[[], bool]
    ) -> list[dict[str, Any] | bytes]:
        """Answer a getUpdates call; an older call that still waits ends with 409.

        Raises ConnectionCutError if the client disconnected while waiting: the updates are kept for its next poll.
        """
        self.end_poll(conflict(OTHER_POLLER))
        self.confirm(offset)
        batch = self._batch(limit)
        if not batch and timeout_seconds > 0:
            await self._wait(min(timeout_seconds, MAX_TIMEOUT), is_connected)
            batch = self._batch(limit)
        return batch

    def end_poll(self, error: BotApiError | ConnectionCutError | None = None) -> None:
        """End the waiting getUpdates call with ``error``, or with the queued updates."""
        poll, self._poll = self._poll, None
        if poll is None or poll.done():
            return
        if error is None:
            poll.set_result(None)
        else:
            poll.set_exception(error)

    async def _wait(self, seconds: float, is_connected: Callable[[], bool]) -> None:
        poll: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._poll = poll
        try:
            ended = await settled_within(poll, self._clock, seconds)
            error = poll.exception() if ended else None
            if not is_connected():
                raise ConnectionCutError
            if error is not None:
                raise error
        finally:
            if self._poll is poll:
                self._poll = None

    def _batch(self, limit: int) -> list[dict[str, Any] | bytes]:
        self._drop_expired()
        size = min(max(limit, 1), MAX_LIMIT)
        batch = list(islice(self._updates, size))
        for update in batch:
            update.repeated = False
        return [update.body for update in batch]

    def _drop_expired(self) -> None:
        now = self._clock.monotonic()
        if any(update.expires_at <= now for update in self._updates):
            self._updates = deque(u for u in self._updates if u.expires_at > now)

    def _wake(self) -> None:
        self.end_poll()
        self._on_change()


@cache
def _kinds() -> frozenset[str]:
    """Return all known update types, from aiogram."""
    from aiogram.enums import UpdateType  # noqa: PLC0415 - costs seconds of CPU, so only when a request arrives

    return frozenset(kind.value for kind in UpdateType)
