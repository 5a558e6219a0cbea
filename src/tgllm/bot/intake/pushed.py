"""Updates that Telegram sends to the webhook: stored together, and answered after the commit that stores them.

Those that arrive while a commit is under way share the next one. Telegram sends an update again until it is accepted,
and holds back the later ones of its chat meanwhile (Bot API: setWebhook). So one that can't be read is refused a few
times, because a proxy may have broken it, and then put aside, so that its chat goes on.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from tgllm.bot.intake.reading import Batch, sort_out
from tgllm.bot.telegram.get_updates import BadResponse, Entry, Undecoded, id_of, read_update

__all__ = ["Pushed", "Verdict"]

Take = Callable[[Batch], Awaitable[bool]]
"""Stores a batch of updates, possibly an empty one; returns whether any of them was new."""
Verdict = Literal["stored", "later", "unreadable", "too_large"]
"""``stored``: committed; ``later``: the bot starts, stops, can't store or has too much to do; the others: refused."""

BATCH: Final = 100
"""Most updates in one commit."""
MOST_WAITING: Final = 200
"""Most updates that wait for their commit. Telegram sends at most 100 at the same time."""
TRIES: Final = 3
"""Times that an update which can't be read is refused before it is put aside."""
MOST_REFUSED: Final = 1000
"""Updates whose refusals are counted."""
_IN_THREAD: Final = 256 * 1024
"""Size above which an update is decoded in a thread."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """An update that waits for its commit."""

    entry: Entry
    verdict: "asyncio.Future[Verdict]"


class Pushed:
    """Stores what arrives at the webhook, one batch at a time."""

    def __init__(self, take: Take, is_storable: Callable[[], bool] = lambda: True) -> None:
        """Accept nothing before ``run``.

        Args:
            take: stores a batch.
            is_storable: whether anything can be stored at present; otherwise Telegram is asked to send later.
        """
        self._take = take
        self._is_storable = is_storable
        self._waiting: deque[_Waiting] = deque()
        self._storing: Sequence[_Waiting] = ()
        self._arrived = asyncio.Event()
        self._is_open = False
        self._refused: OrderedDict[int, int] = OrderedDict()
        """Number of refusals by update id."""
        self.accepted = 0
        """Number of updates that were stored, again or for the first time."""

    async def put(self, body: bytes, *, is_whole: bool = True) -> Verdict:
        """Store an update; return after the commit.

        Args:
            body: the update, or its beginning.
            is_whole: False for an update that is too large.
        """
        if not self._is_open or not self._is_storable() or len(self._waiting) >= MOST_WAITING:
            return "later"
        try:
            if len(body) > _IN_THREAD:
                entry = await asyncio.to_thread(read_update, body, is_whole=is_whole)
            else:
                entry = read_update(body, is_whole=is_whole)
        except BadResponse as error:
            if error.first_id is None or not self._is_refused_enough(error.first_id):
                return "unreadable" if is_whole else "too_large"
            entry = Undecoded(error.first_id, error.reason)
        return await self._stored(entry) if _has_id(entry) else "unreadable"

    async def run(self) -> None:
        """Store what arrives, until cancelled.

        Raises:
            DatabaseError: the updates can't be stored; Telegram sends them again.
        """
        self._is_open = True
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    await self._store([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])
        finally:
            self._is_open = False
            _settle(self._waiting, "later")
            self._waiting.clear()

    def send_later(self) -> None:
        """Have Telegram send again what waits for its commit, which may take long: the disk is full, or locked."""
        _settle([*self._storing, *self._waiting], "later")

    async def look(self) -> None:
        """Store an empty batch, with which notices that are due are sent."""
        if self._is_open:
            await self._stored(None)

    async def _stored(self, entry: Entry) -> Verdict:
        if not self._is_open:
            # It was decoded in a thread meanwhile.
            return "later"
        waiting = _Waiting(entry, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        return await waiting.verdict

    async def _store(self, several: Sequence[_Waiting]) -> None:
        self._storing = several
        try:
            entries = [each.entry for each in several if each.entry is not None]
            batch = sort_out(entries, has_more=bool(self._waiting))
            await self._take(batch)
        except BaseException:
            _settle(several, "later")
            raise
        finally:
            self._storing = ()
        self.accepted += len(batch.ids)
        for update_id in batch.ids:
            self._refused.pop(update_id, None)
        _settle(several, "stored")

    def _is_refused_enough(self, update_id: int) -> bool:
        """Count a refusal of an update; return whether it is one too many."""
        times = self._refused.pop(update_id, 0) + 1
        self._refused[update_id] = times
        if len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)
        return times >= TRIES


def _settle(several: Sequence[_Waiting] | deque[_Waiting], verdict: Verdict) -> None:
    for each in several:
        if not each.verdict.done():
            each.verdict.set_result(verdict)


def _has_id(entry: Entry) -> bool:
    if isinstance(entry, Undecoded):
        return entry.update_id is not None
    return isinstance(entry, Mapping) and id_of(cast("Mapping[str, Any]", entry).get("update_id")) is not None
