"""The queue of updates of one bot, with the semantics of getUpdates."""

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

# Bot API server: how long an update waits for its bot, in seconds.
_LIFE_SECONDS = {"callback_query": 150, "pre_checkout_query": 150, "inline_query": 30}
_DEFAULT_LIFE_SECONDS = 86_400

_KEPT_FOR_REPEATS = 1000
OTHER_POLLER = "terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass(slots=True, eq=False)
class QueuedUpdate:
    """An update on its way.

    ``lane`` is what a webhook keeps in order (a chat or a user). ``repeated`` marks a copy that is
    delivered even when its update_id is confirmed already.
    """

    update_id: int
    kind: str
    body: dict[str, Any]
    lane: int
    expires_at: float
    repeated: bool = False


class UpdateQueue:
    """Updates that the bot has not confirmed yet.

    Source: Bot API, getUpdates; the life of updates and the words of the conflicts are those of
    the Bot API server.
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
        """How many updates wait to be confirmed."""
        return len(self._updates)

    @property
    def pending(self) -> tuple[QueuedUpdate, ...]:
        """The updates that wait, oldest first."""
        self._drop_expired()
        return tuple(self._updates)

    def allow(self, kinds: Collection[str] | None) -> None:
        """Remember which updates the bot wants; a list without a known kind means the default ones."""
        if kinds is not None:
            self.allowed = frozenset(kind.lower() for kind in kinds) & _kinds() or None

    def wants(self, kind: str) -> bool:
        """Whether updates of this kind are queued at all."""
        return kind in self.allowed if self.allowed is not None else kind not in NOT_BY_DEFAULT

    def put(self, kind: str, payload: object, lane: int = 0) -> int | None:
        """Queue an update; its update_id, or None when the bot does not want this kind."""
        if not self.wants(kind):
            return None
        return self.put_raw({kind: payload}, kind, lane)

    def put_raw(self, body: dict[str, Any], kind: str = "", lane: int = 0) -> int:
        """Queue any JSON object; it keeps its own update_id if it has one."""
        update_id = int(body.get("update_id", self._next_id))
        self._next_id = max(self._next_id, update_id + 1)
        life = _LIFE_SECONDS.get(kind, _DEFAULT_LIFE_SECONDS)
        full = {"update_id": update_id, **body}
        expires_at = self._clock.monotonic() + life
        update = QueuedUpdate(update_id, kind, full, lane, expires_at)
        self._updates.append(update)
        self._recent.append(update)
        self._wake()
        return update_id

    def repeat(self, update_id: int | None = None) -> None:
        """Queue an update a second time: the newest, or the one with this id.

        Raises LookupError when it is not among the last ones.
        """
        fitting = (u for u in reversed(self._recent) if update_id in {None, u.update_id})
        update = next(fitting, None)
        if update is None:
            raise LookupError(f"update {update_id} is not among the last {len(self._recent)}")
        self._updates.append(replace(update, repeated=True))
        self._wake()

    def confirm(self, offset: int) -> None:
        """Forget what comes before ``offset``; a negative one keeps that many of the newest."""
        if offset < 0:
            while len(self._updates) > -offset:
                self._updates.popleft()
        elif any(update.update_id < offset for update in self._updates):
            self._updates = deque(u for u in self._updates if u.update_id >= offset or u.repeated)
            self._on_change()

    def clear(self) -> None:
        """Forget all updates."""
        self._updates.clear()

    def remove(self, update: QueuedUpdate) -> None:
        """Forget one update that a webhook took."""
        if update in self._updates:
            self._updates.remove(update)

    async def poll(
        self, offset: int, limit: int, timeout_seconds: int, is_connected: Callable[[], bool]
    ) -> list[dict[str, Any]]:
        """Answer one getUpdates; an older one that still waits is ended with 409.

        Raises ConnectionCutError when the client went away while it waited: what there is stays for its next poll.
        """
        self.end_poll(conflict(OTHER_POLLER))
        self.confirm(offset)
        batch = self._batch(limit)
        if not batch and timeout_seconds > 0:
            await self._wait(min(timeout_seconds, MAX_TIMEOUT), is_connected)
            batch = self._batch(limit)
        return batch

    def end_poll(self, error: BotApiError | ConnectionCutError | None = None) -> None:
        """End the getUpdates that waits: with ``error``, or with what there is."""
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

    def _batch(self, limit: int) -> list[dict[str, Any]]:
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
    """The kinds of updates that there are: those that aiogram knows."""
    from aiogram.enums import UpdateType  # noqa: PLC0415 - costs seconds of CPU: only when a request arrives

    return frozenset(kind.value for kind in UpdateType)
