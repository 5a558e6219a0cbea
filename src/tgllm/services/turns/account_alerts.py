"""Alerts to the admins about a provider account: exhausted credit, or a rejected API key."""

from tgllm.api import AuthFailed, QuotaExceeded, TgllmError
from tgllm.api.clock import Clock
from tgllm.i18n import Catalogue
from tgllm.services.messaging.admins import AdminNotifier

__all__ = ["AccountAlerts"]

QUIET_SECONDS = 6 * 3600.0
"""Minimum interval of alerts about the same error of a provider."""


class AccountAlerts:
    """Sends alerts about account errors, rate-limited by provider and kind of error."""

    def __init__(self, notifier: AdminNotifier, texts: Catalogue, clock: Clock) -> None:
        """Send alerts through ``notifier``, in the bot's language."""
        self._notifier = notifier
        self._texts = texts
        self._clock = clock
        self._told: dict[tuple[str, str], float] = {}

    async def note(self, provider: str, error: TgllmError) -> None:
        """Alert the admins to an error of a provider, if it is an account error.

        Raises:
            DatabaseError: the alert can't be stored.
        """
        match error:
            case QuotaExceeded():
                text = self._texts("admin.quota_exceeded", provider=provider)
            case AuthFailed():
                text = self._texts("admin.auth_failed", provider=provider)
            case _:
                return
        now = self._clock.monotonic()
        told = self._told.get((provider, error.code))
        if told is None or now - told >= QUIET_SECONDS:
            self._told[provider, error.code] = now
            await self._notifier.bot_notify_admin(text)
