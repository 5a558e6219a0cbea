"""Tells the admins of trouble that only they can end: no credit left at a provider, or a key that it refuses."""

from tgllm.api import AuthFailed, QuotaExceeded, TgllmError
from tgllm.api.clock import Clock
from tgllm.i18n import Catalogue
from tgllm.services.messaging.admins import AdminNotifier

__all__ = ["AccountTrouble"]

QUIET_SECONDS = 6 * 3600.0
"""How long the same trouble is not told again."""


class AccountTrouble:
    """Tells each kind of trouble with each provider once in a while."""

    def __init__(self, notifier: AdminNotifier, texts: Catalogue, clock: Clock) -> None:
        """Tell it through ``notifier``, in the bot's language."""
        self._notifier = notifier
        self._texts = texts
        self._clock = clock
        self._told: dict[tuple[str, str], float] = {}

    async def note(self, provider: str, error: TgllmError) -> None:
        """Take note of an error of a provider; most kinds are no business of the admins.

        Raises:
            DatabaseError: it can't be stored.
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
