"""Conflicts with another program that fetches the updates of the same bot, or with a webhook.

Telegram ends a waiting getUpdates with 409 when a newer one arrives (Bot API: getUpdates), so each 409 means that the
other program has asked. One of them is a stray request, or an older process that is about to end; many mean that two
bots run with one token. Then the one that has run undisturbed before keeps short pauses, and the newcomer's pauses
double, so that they don't end each other's requests in turn. The newcomer gives up after minutes, and waits before it
asks again when its supervisor restarts it.
"""

from collections.abc import Awaitable, Callable
from random import SystemRandom
from typing import Final

from aiogram.exceptions import TelegramConflictError

from tgllm.api.clock import Clock, milliseconds
from tgllm.bot.telegram.failures import is_webhook, refused_by_conflict
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv
from tgllm.observe.logs import get_logger
from tgllm.services.core import Core

__all__ = ["Conflicts", "Rivalry"]

log = get_logger(__name__)

CALM_SECONDS: Final = 45.0
"""Time without a conflict after which a bot counts as the one that has the updates."""
GIVE_UP_SECONDS: Final = 180.0
"""Time of continuous conflict after which a newcomer gives up; a restart of the other program takes less."""
TELL_AGAIN_SECONDS: Final = 1800.0
"""Time without a conflict after which the next one is told to the admins again."""
_SHORTEST: Final = 1.0
_LONGEST: Final = 120.0
_PATIENT: Final = 20
"""Conflicts in a row that don't lengthen the pauses of the bot that has the updates."""
_FIRST_WAIT: Final = 60_000
_LONGEST_WAIT: Final = 30 * 60_000
"""Wait in ms before polling, after the bot has given up; it doubles each time."""

_SCOPE: Final = "intake"
_KEY: Final = "conflict"


class Rivalry:
    """Decides about pauses and giving up; without input or output."""

    def __init__(self, now: float, chance: Callable[[], float]) -> None:
        """Start as a newcomer.

        Args:
            now: monotonic time in seconds.
            chance: returns a random number from 0 to 1.
        """
        self._chance = chance
        self._resumed = now
        """When polling began, or went on after the latest pause."""
        self._began: float | None = None
        """First conflict in a row; None if there is none."""
        self._patience = 0.0
        """Duration of a row of conflicts after which the bot gives up."""
        self._row = 0
        self.has_updates = False
        """Whether the bot has polled undisturbed."""

    def received(self, now: float) -> bool:
        """Note a request that succeeded; return whether the bot has polled undisturbed for long enough."""
        if now - self._resumed < CALM_SECONDS:
            return False
        self.has_updates, self._began, self._row = True, None, 0
        return True

    def met(self, now: float) -> float | None:
        """Note a conflict; return the pause before the next request, None to give up."""
        self.received(now)
        if self._began is None:
            self._began = now
            self._patience = GIVE_UP_SECONDS * (1 + self._chance()) * (2 if self.has_updates else 1)
        if now - self._began >= self._patience:
            return None
        doublings = max(0, self._row - _PATIENT) if self.has_updates else self._row + 1
        self._row += 1
        pause = min(_LONGEST, _SHORTEST * 2 ** min(doublings, 10)) * (0.5 + self._chance())
        self._resumed = now + pause
        return pause


class Conflicts:
    """Waits after conflicts, tells the admins, and ends the bot when a conflict does not end."""

    def __init__(
        self,
        core: Core,
        *,
        chance: Callable[[], float] | None = None,
        release: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """Start without a conflict.

        Args:
            core: the services.
            chance: returns a random number from 0 to 1; of the system by default.
            release: removes a webhook that the bot has set itself; returns whether to ask for updates again.
        """
        self._core = core
        self._release = release
        self._clock: Clock = core.clock
        self._chance = chance or SystemRandom().random
        self._rivalry = Rivalry(core.clock.monotonic(), self._chance)
        self._told_at: float | None = None
        self._has_polled = False
        self._is_recorded = False
        """Whether the database says that the bot has given up before."""

    async def wait_out(self) -> None:
        """Wait before the first request if the bot has given up shortly before.

        Otherwise a supervisor that restarts it would let it disturb the other program again and again.
        """
        record = await self._core.database.read(_record)
        self._is_recorded = record is not None
        if record is None:
            return
        gave_up_at, times = record
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(times - 1, 10))
        left = gave_up_at + wait - milliseconds(self._clock)
        # Longer than the wait only if the clock was set back.
        if 0 < left <= wait:
            log.warning("poller.waits", reason="another program fetched the updates before", seconds=left / 1000)
            await self._clock.sleep(left / 1000)
        self._rivalry = Rivalry(self._clock.monotonic(), self._chance)

    async def received(self) -> None:
        """Note that a request for updates has succeeded."""
        self._has_polled = True
        if self._rivalry.received(self._clock.monotonic()) and self._is_recorded:
            await self._core.database.write(_forget)
            self._is_recorded = False

    async def met(self, error: TelegramConflictError) -> None:
        """Wait after a conflict.

        Raises:
            TelegramRefused: the conflict has lasted for minutes, or a webhook of another program was set before the
                bot started.
            DatabaseError: the notice to the admins can't be stored.
        """
        if is_webhook(error) and not self._has_polled:
            if self._release is not None and await self._release():
                return
            # The operator has to remove it, and may be looking on.
            raise refused_by_conflict(error) from error
        now = self._clock.monotonic()
        pause = self._rivalry.met(now)
        if pause is None:
            at = milliseconds(self._clock)
            await self._core.database.write(lambda conn: _remember(conn, at))
            raise refused_by_conflict(error) from error
        log.warning("poller.conflict", reason=error.message, retry_in_seconds=round(pause, 1))
        if self._told_at is None or now - self._told_at >= TELL_AGAIN_SECONDS:
            texts = self._core.texts
            notice = texts("admin.webhook_set") if is_webhook(error) else texts("admin.conflict")
            await self._core.notifier.bot_notify_admin(notice)
        self._told_at = now
        await self._clock.sleep(pause)


def _record(conn: Connection) -> tuple[int, int] | None:
    """Return when the bot has given up, in UTC milliseconds, and how often in a row."""
    match kv.get(conn, _SCOPE, _KEY):
        case {"gave_up_at": int(gave_up_at), "times": int(times)}:
            return gave_up_at, times
        case _:
            return None


def _remember(conn: Connection, now: int) -> None:
    record = _record(conn)
    kv.set_value(conn, _SCOPE, _KEY, {"gave_up_at": now, "times": 1 if record is None else record[1] + 1}, now)


def _forget(conn: Connection) -> None:
    kv.delete(conn, _SCOPE, _KEY)
