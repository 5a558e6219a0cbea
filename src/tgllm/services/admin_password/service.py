"""Check of the admin password, and the sessions that a correct answer opens."""

import asyncio

from tgllm.api.clock import Clock
from tgllm.config.password_hash import PasswordHash
from tgllm.config.sections.admin import AdminSection
from tgllm.services.admin_password.questions import Questions

__all__ = ["AdminPassword"]


class AdminPassword:
    """The admin password and its sessions, which are only in memory: after a restart, admins enter it again."""

    def __init__(self, settings: AdminSection, clock: Clock) -> None:
        """Use the hash and the durations of the settings."""
        hidden = settings.password_hash
        self._hash = None if hidden is None else PasswordHash.parse(hidden.get_secret_value())
        self._settings = settings
        self._clock = clock
        self._until: dict[int, float] = {}
        self.questions = Questions()
        self.turn = asyncio.Lock()
        """Held during the check of an answer, so that parallel answers can't exceed the limit of attempts."""

    @property
    def is_set(self) -> bool:
        """Whether a password is configured."""
        return self._hash is not None

    @property
    def question_life(self) -> int:
        """Lifetime of a prompt in milliseconds."""
        return int(self._settings.question_seconds * 1000)

    @property
    def first_lockout(self) -> int:
        """Duration of the first lockout in milliseconds."""
        return int(self._settings.lockout_minutes * 60_000)

    def is_open(self, user_id: int) -> bool:
        """Whether an admin may act now without entering the password."""
        return not self.is_set or self._clock.monotonic() < self._until.get(user_id, float("-inf"))

    def open(self, user_id: int) -> None:
        """Open or renew the session of an admin who has entered the password."""
        self._until[user_id] = self._clock.monotonic() + self._settings.session_minutes * 60

    async def is_right(self, answer: str) -> bool:
        """Whether an answer is the password. The hash takes a good part of a second, so a thread computes it."""
        return self._hash is not None and await asyncio.to_thread(self._hash.matches, answer)
