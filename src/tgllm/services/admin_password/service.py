"""The admin password: whether there is one, whether an answer is right, and for how long that holds."""

import asyncio

from tgllm.api.clock import Clock
from tgllm.config.password_hash import PasswordHash
from tgllm.config.sections.admin import AdminSection
from tgllm.services.admin_password.questions import Questions

__all__ = ["AdminPassword"]


class AdminPassword:
    """Who has given the password is kept in memory only: a restart asks again."""

    def __init__(self, settings: AdminSection, clock: Clock) -> None:
        """Use the hash of these settings."""
        hidden = settings.password_hash
        self._hash = None if hidden is None else PasswordHash.parse(hidden.get_secret_value())
        self._settings = settings
        self._clock = clock
        self._until: dict[int, float] = {}
        self.questions = Questions()
        self.turn = asyncio.Lock()
        """Held by the one whose answer is looked at, so that each is counted before the next one is."""

    @property
    def is_set(self) -> bool:
        """Whether there is a password at all."""
        return self._hash is not None

    @property
    def question_life(self) -> int:
        """How long a question waits, in milliseconds."""
        return int(self._settings.question_seconds * 1000)

    @property
    def first_lockout(self) -> int:
        """How long the first lockout is, in milliseconds."""
        return int(self._settings.lockout_minutes * 60_000)

    def is_open(self, user_id: int) -> bool:
        """Whether somebody need not give the password now."""
        return not self.is_set or self._clock.monotonic() < self._until.get(user_id, float("-inf"))

    def open(self, user_id: int) -> None:
        """Let somebody who has given the password act for a while."""
        self._until[user_id] = self._clock.monotonic() + self._settings.session_minutes * 60

    async def is_right(self, answer: str) -> bool:
        """Whether that is the password; takes a good part of a second, in a thread."""
        return self._hash is not None and await asyncio.to_thread(self._hash.matches, answer)
