"""Check of the admin password, and the sessions that a correct answer opens."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

from tgllm.api.clock import Clock
from tgllm.config.password_hash import PasswordHash
from tgllm.config.sections.admin import AdminSection
from tgllm.services.admin_password.fingerprint import Fingerprint
from tgllm.services.admin_password.questions import LATE, Questions
from tgllm.services.admin_password.vault import Vault

__all__ = ["AdminPassword"]

MOST_CHECKS: Final = 10
"""Most texts of an admin in an hour that are checked though the password was not asked for."""


class AdminPassword:
    """The admin password and its sessions, which are only in memory: after a restart, admins enter it again."""

    def __init__(self, settings: AdminSection, clock: Clock) -> None:
        """Use the hash and the durations of the settings."""
        hidden = settings.password_hash
        self._hash = None if hidden is None else PasswordHash.parse(hidden.get_secret_value())
        self._settings = settings
        self._clock = clock
        self._until: dict[int, float] = {}
        self._checked: dict[int, deque[float]] = {}
        self._fingerprint: Fingerprint | None = None
        self.questions = Questions()
        self.vault = Vault()
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

    def close(self, user_id: int) -> None:
        """End the session of somebody who is no admin any more."""
        self._until.pop(user_id, None)

    def is_repeated(self, user_id: int, texts: Iterable[str]) -> bool:
        """Whether the password is in one of these texts of an admin who entered it lately.

        Only until some minutes after the session, so that it does not help to guess: they know the password.
        """
        until = self._until.get(user_id, float("-inf")) + LATE / 1000
        known = self._fingerprint
        return known is not None and self._clock.monotonic() < until and any(known.is_in(text) for text in texts)

    def may_check(self, user_id: int) -> bool:
        """Whether a text of an admin may be checked though the password was not asked for.

        Whether it is then deleted tells the sender if it was right, so only a few texts an hour are checked.
        """
        checked = self._checked.get(user_id, ())
        return sum(self._clock.monotonic() - at < 3600 for at in checked) < MOST_CHECKS

    def may_be_known(self, user_id: int, candidates: Iterable[str]) -> bool:
        """Whether one of these texts is as long as the password that was entered earlier, and may be checked."""
        known = self._fingerprint
        return known is not None and self.may_check(user_id) and any(map(known.fits, candidates))

    def may_be_unknown(self, user_id: int, candidates: Iterable[str]) -> bool:
        """Whether one of these texts may be checked, since the password was not entered since the start."""
        return self._fingerprint is None and self.may_check(user_id) and any(candidates)

    async def is_right(self, answers: Iterable[str]) -> bool:
        """Whether one of these answers is the password. The hash is slow, so a thread computes it."""
        for answer in dict.fromkeys(answers):
            if self._hash is not None and await asyncio.to_thread(self._hash.matches, answer):
                self._fingerprint = Fingerprint.of(answer)
                return True
        return False

    async def is_unasked(self, user_id: int, candidates: Iterable[str]) -> bool:
        """Whether one of these texts is the password; they are checked as long as ``may_check`` is True.

        Texts that are not as long as the password that was entered earlier need no check.
        """
        known = self._fingerprint
        for candidate in candidates:
            if known is not None and not known.fits(candidate):
                continue
            if not self.may_check(user_id):
                return False
            self._checked.setdefault(user_id, deque(maxlen=MOST_CHECKS)).append(self._clock.monotonic())
            if await self.is_right([candidate]):
                return True
        return False
