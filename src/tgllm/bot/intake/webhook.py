"""Receives updates by a webhook: sets it, watches what Telegram says about it, and stores what arrives."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

from aiogram import Bot

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock, milliseconds
from tgllm.bot.intake.health import Health
from tgllm.bot.intake.pushed import Pushed, Verdict
from tgllm.bot.telegram.failures import TelegramRefused, classify, fatal_error
from tgllm.bot.telegram.outage import Outage
from tgllm.bot.telegram.webhook import (
    DeleteWebhook,
    SetWebhook,
    WebhookFacts,
    host_of,
    is_same_url,
    read_facts,
    secret_of,
)
from tgllm.bot.updates.raw import ALLOWED_UPDATES
from tgllm.observe.logs import get_logger
from tgllm.services.common.own_webhook import forget_own, note_own
from tgllm.services.core import Core

__all__ = ["Reports", "Webhook"]

log = get_logger(__name__)

T = TypeVar("T")

LOOK_SECONDS: Final = 60.0
"""Time between two questions to Telegram about the webhook."""
_FIRST_LOOKS: Final = (5.0, 10.0, 20.0)
"""Shorter times after the start, when the operator may be looking on."""
LATE_SECONDS: Final = 200.0
"""Time without an answer after which Telegram counts as out of reach: three questions without one."""
TELL_AGAIN_SECONDS: Final = 1800.0
"""Time without a rival after which the admins are informed of the next one again."""
REMOVE_SECONDS: Final = 5.0
"""Time limit for removing the webhook at shutdown."""
_LONGEST_PAUSE_SECONDS: Final = 60.0
_LONGEST_RIVALRY_SECONDS: Final = 1800.0
LOG_AGAIN_SECONDS: Final = 600.0
"""Time after which the same error is logged again."""
_OK: Final = "ok"
_UNAUTHORIZED: Final = "Wrong response from the webhook: 401"
"""Report of Telegram if another program has set this address with another secret, or if a proxy wants a password."""
_HINT: Final = "tgllm doctor shows what Telegram reports; check the proxy, its certificate and webhook.port"


class Webhook:
    """The webhook of the bot, from the start to the end of the program."""

    def __init__(self, bot: Bot, core: Core, health: Health, pushed: Pushed) -> None:
        """Create the webhook; ``run`` sets it.

        Args:
            bot: whose updates.
            core: the services; its settings have an address for the webhook.
            health: records whether Telegram reaches the webhook.
            pushed: stores what arrives.
        """
        self._bot = bot
        self._core = core
        self._clock: Clock = core.clock
        self._health = health
        self._settings = core.config.webhook
        self._url = self._settings.url or ""
        self._pushed = pushed
        self._outage = Outage(log, core.clock, "webhook.no_connection")
        self._is_set = False
        self._answered_at = core.clock.monotonic()
        """When Telegram last answered about the webhook."""
        self._reports = Reports(0, core.clock)
        self.reported = ""
        """What Telegram reports about its attempts to reach the webhook; empty if it reaches it."""
        self._rival_at: float | None = None
        self._rivalry = LOOK_SECONDS

    def problem(self) -> str:
        """Return why the bot is not ready to receive updates, or ``ok``.

        What Telegram reports about its attempts is no reason: a supervisor that sends requests to a ready bot only
        would keep Telegram's requests away, and the report would never change.
        """
        if not self._is_set:
            return "the webhook is not set yet"
        seconds = self._clock.monotonic() - self._answered_at
        return _OK if seconds <= LATE_SECONDS else f"not reached for {seconds:.0f} s"

    async def run(self) -> None:
        """Set the webhook and store what arrives, until cancelled.

        Raises:
            TelegramRefused: the token is wrong, or Telegram refuses the address of the webhook.
            DatabaseError: the updates can't be stored; Telegram sends them again.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self.store(), name="webhook: store")
            group.create_task(self.keep_set(), name="webhook: watch")

    async def store(self) -> None:
        """Store what arrives, until cancelled.

        Raises:
            DatabaseError: the updates can't be stored; Telegram sends them again.
        """
        await self._pushed.run()

    @property
    def put(self) -> "Callable[..., Awaitable[Verdict]]":
        """Function that stores an update, see ``Pushed.put``."""
        return self._pushed.put

    async def leave(self) -> None:
        """Remove the webhook at shutdown if the settings want it; waiting updates are kept."""
        if self._settings.at_stop != "remove" or not self._is_set:
            return
        try:
            async with asyncio.timeout(REMOVE_SECONDS):
                if not is_same_url((await read_facts(self._bot)).url, self._url):
                    return
                await self._bot(DeleteWebhook())
        except Exception as error:  # noqa: BLE001  the next start deals with it
            log.warning("webhook.not_removed", reason=classify(error).reason)
            return
        with suppress(DatabaseError):
            await self._core.database.write(forget_own, patient=False)
        log.info("webhook.removed", host=host_of(self._url))

    async def keep_set(self) -> None:
        """Set the webhook and watch what Telegram says about it, until cancelled.

        Raises:
            TelegramRefused: the token is wrong, or Telegram refuses the address of the webhook.
            DatabaseError: the database can't be used.
        """
        before = await self._until_answered(lambda: read_facts(self._bot))
        # Errors from before the start say nothing of this run.
        self._reports = Reports(before.last_error_at, self._clock)
        if before.url and not is_same_url(before.url, self._url):
            log.warning("webhook.replaces", host=before.host)
        await self._set()
        log.info("webhook.ready", host=host_of(self._url), pending=before.pending)
        for pause in _FIRST_LOOKS:
            await self._look_after(pause)
        while True:
            await self._look_after(self._rivalry)

    async def _look_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await self._pushed.look()
        facts = await self._until_answered(lambda: read_facts(self._bot))
        await (self._judge(facts) if is_same_url(facts.url, self._url) else self._win_back(facts))

    async def _set(self) -> None:
        """Set the webhook, after a record of its address: a later start may ask for updates instead.

        Raises:
            TelegramRefused: Telegram refuses the address.
        """
        now = milliseconds(self._clock)
        await self._core.database.write(lambda conn: note_own(conn, self._url, now))
        secret, connections = secret_of(self._core.config), self._settings.max_connections
        method = SetWebhook(
            url=self._url,
            secret_token=secret,
            max_connections=connections,
            allowed_updates=list(ALLOWED_UPDATES),
        )
        await self._until_answered(lambda: self._bot(method))
        self._is_set = True
        await self._health.fine()

    async def _until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask Telegram until it answers.

        Raises:
            TelegramRefused: it refuses.
        """
        failures = 0
        while True:
            try:
                found = await ask()
            except DatabaseError:
                raise
            except Exception as error:
                if (fatal := fatal_error(error)) is not None:
                    raise fatal from error
                failure = classify(error)
                # A name that was registered lately may take a while to be known.
                if failure.meaning == "rejected" and "resolve" not in failure.reason.lower():
                    raise _refused(failure.reason) from error
                failures += 1
                pause = failure.pause(failures, _LONGEST_PAUSE_SECONDS)
                self._outage.failed(failure, retry_in_seconds=pause)
                await self._health.failed(failure.reason)
                await self._clock.sleep(pause)
            else:
                self._outage.over()
                self._answered_at = self._clock.monotonic()
                return found

    async def _judge(self, facts: WebhookFacts) -> None:
        self._rivalry = LOOK_SECONDS
        self.reported = self._reports.judge(facts, self._pushed.accepted)
        if self.reported.startswith(_UNAUTHORIZED):
            await self._set()
        if self.reported:
            await self._health.failed(f"Telegram can't deliver to {host_of(self._url)}: {self.reported}")
        else:
            await self._health.fine()

    async def _win_back(self, facts: WebhookFacts) -> None:
        """Set the webhook again after another program has changed or removed it; more and more rarely."""
        log.warning("webhook.changed", by="another program", host=facts.host, next_look_in_seconds=self._rivalry)
        await self._health.failed("another program has changed the webhook")
        now = self._clock.monotonic()
        if self._rival_at is None or now - self._rival_at >= TELL_AGAIN_SECONDS:
            texts = self._core.texts
            words = texts("admin.webhook_changed", host=facts.host) if facts.host else texts("admin.webhook_removed")
            await self._core.notifier.bot_notify_admin(words)
        self._rival_at = now
        await self._set()
        self._rivalry = min(_LONGEST_RIVALRY_SECONDS, self._rivalry * 2)


class Reports:
    """Judges what Telegram reports about its attempts; without input or output.

    Telegram keeps the latest error also when the webhook works again.
    """

    def __init__(self, seen_at: int, clock: Clock) -> None:
        """Ignore errors until a time of Telegram's clock, in seconds since 1970."""
        self._seen_at = seen_at
        self._clock = clock
        self._accepted = 0
        self._error = ""
        self._logged: tuple[str, float] | None = None

    def judge(self, facts: WebhookFacts, accepted: int) -> str:
        """Return the error because of which updates wait; empty if none does, or if one was accepted since.

        Args:
            facts: what Telegram reports.
            accepted: number of updates that were accepted so far.
        """
        is_new, has_come = facts.last_error_at > self._seen_at, accepted != self._accepted
        self._seen_at, self._accepted = max(self._seen_at, facts.last_error_at), accepted
        if is_new:
            self._log(facts)
            self._error = facts.last_error
        if has_come or not facts.pending:
            self._error = ""
        return self._error

    def _log(self, facts: WebhookFacts) -> None:
        now = self._clock.monotonic()
        if self._logged is None or self._logged[0] != facts.last_error or now - self._logged[1] >= LOG_AGAIN_SECONDS:
            self._logged = (facts.last_error, now)
            log.warning("webhook.failing", error=facts.last_error, waiting=facts.pending, hint=_HINT)


def _refused(reason: str) -> TelegramRefused:
    return TelegramRefused(
        f"Telegram refuses the webhook: {reason}. Check webhook.url, which must be reached from the internet by https.",
        code="webhook_refused",
    )
