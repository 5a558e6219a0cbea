"""Health of the bot for supervisors: whether it lives, and whether it is ready to answer people."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.file.probe import write_probe
from tgllm.observe.redaction import redact
from tgllm.web.answers import Answer
from tgllm.web.shared import Shared

__all__ = ["BotState", "Health"]

DATABASE_SECONDS: Final = 3.0
"""Time limit of the test write."""
LAG_SECONDS: Final = 2.0
"""How late the event loop may run a call; above it people notice."""
SHARED_SECONDS: Final = 1.0
"""How long an answer is used again, so that many requests don't write to the database."""
LATE_SECONDS: Final = 45.0
"""Added to the length of a long poll: how long after the last success Telegram counts as out of reach."""
_JSON: Final = "application/json"
_OK: Final = "ok"


@dataclass(slots=True)
class BotState:
    """What is open of the bot so far; set while it starts and while it ends."""

    database: Database | None = None
    seconds_since_poll: Callable[[], float | None] = lambda: None
    """Seconds since the last successful getUpdates; None before the first one."""
    webhook: "WebhookState | None" = None
    """The webhook, if Telegram is not asked for updates."""
    seconds_asking: Callable[[], float] = lambda: 0.0
    """How long the present getUpdates has lasted."""
    loop_lag: Callable[[], float] = lambda: 0.0
    """How late the event loop ran calls lately, at most, in seconds."""
    replica: "ReplicaState | None" = None
    """The bot among several replicas; None with a SQLite database."""


class ReplicaState(Protocol):
    """What is known of the bot as one of several replicas."""

    name: str
    is_leader: bool
    """Whether it asks for updates or watches the webhook, and sends."""

    @property
    def live(self) -> int:
        """Number of replicas that give signs of life."""
        ...

    def is_valid(self) -> bool:
        """Return whether no other replica can have taken over the work of this one by now."""
        ...


class WebhookState(Protocol):
    """What is known of the webhook."""

    reported: str
    """What Telegram reports about its attempts to reach it; empty if it reaches it."""

    def problem(self) -> str:
        """Return why no updates can be received, or ``ok``."""
        ...


class Health:
    """Answers to /healthz and /readyz."""

    def __init__(self, state: BotState, clock: Clock, poll_seconds: float, stopping: Callable[[], bool]) -> None:
        """Watch a bot.

        Args:
            state: what is open of it.
            clock: source of time.
            poll_seconds: length of a long poll.
            stopping: whether a shutdown was requested.
        """
        self._state = state
        self._clock = clock
        self._late_seconds = poll_seconds + LATE_SECONDS
        self._stopping = stopping
        self._database = Shared(self._check_database, clock, SHARED_SECONDS)

    async def live(self, _headers: Mapping[str, str]) -> Answer:
        """Answer that the bot lives: the event loop runs, otherwise there is no answer, and getUpdates does not hang.

        What a restart does not help against is no reason for another answer.
        """
        lag = self._state.loop_lag()
        words = f"event loop: {lag:.3f} s late at most\n"
        asking = self._state.seconds_asking()
        if asking > self._late_seconds:
            return Answer(f"getUpdates hangs for {asking:.0f} s\n{words}", HTTPStatus.SERVICE_UNAVAILABLE)
        return Answer("ok\n" if lag < LAG_SECONDS else f"ok\n{words}")

    async def ready(self, _headers: Mapping[str, str]) -> Answer:
        """Answer with each check, and with status 503 if one of them fails."""
        checks = {
            "database": await self._database.get(),
            "telegram": self._check_telegram(),
            "shutdown": "the bot is shutting down" if self._stopping() else _OK,
        }
        replica, lag = self._state.replica, self._state.loop_lag()
        if replica is not None:
            checks["replica"] = _OK if replica.is_valid() else "no sign of life reaches the database"
        if lag >= LAG_SECONDS:
            checks["event_loop"] = f"busy: calls were up to {lag:.1f} s late in the last ten seconds"
        is_ready = all(check == _OK for check in checks.values())
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        found: dict[str, object] = {"ready": is_ready, "checks": checks, "loop_lag_seconds": round(lag, 3)}
        if replica is not None:
            found["replica"] = {"name": replica.name, "leader": replica.is_leader, "live": replica.live}
        if self._state.webhook is not None and self._state.webhook.reported:
            found["telegram_reports"] = redact(self._state.webhook.reported)
        return Answer(json.dumps(found) + "\n", status, _JSON)

    async def _check_database(self) -> str:
        database = self._state.database
        if database is None:
            return "not open"
        if (obstacle := database.gate.obstacle) is not None:
            seconds = database.gate.seconds_closed()
            return f"nothing can be stored for {seconds:.0f} s ({obstacle.code}); new messages wait at Telegram"
        now = milliseconds(self._clock)
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                await database.write(lambda conn: write_probe(conn, "ready", now), durable=False, patient=False)
        except TimeoutError:
            return f"no answer within {DATABASE_SECONDS:g} s"
        except DatabaseError as error:
            # Its text names paths, which are for the log only.
            return f"it can't be written ({error.code})"
        return _OK

    def _check_telegram(self) -> str:
        if self._state.database is not None and self._state.database.gate.obstacle is not None:
            return "paused until messages can be stored"
        if self._state.replica is not None and not self._state.replica.is_leader:
            # Another replica asks for updates, or watches the webhook.
            return _OK
        if self._state.webhook is not None:
            return self._state.webhook.problem()
        seconds = self._state.seconds_since_poll()
        if seconds is None:
            return "not reached yet"
        return _OK if seconds <= self._late_seconds else f"not reached for {seconds:.0f} s"
