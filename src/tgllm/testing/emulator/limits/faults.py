"""Troubles to order: for a method, for a chat, for the next few calls."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto

from tgllm.testing.emulator.protocol.errors import BotApiError, too_many_requests
from tgllm.testing.emulator.protocol.parameters import method_spec
from tgllm.testing.emulator.state.updates import OTHER_POLLER

__all__ = ["EVERY_METHOD", "Fault", "FaultKind", "Faults"]

# Stands for every method but getUpdates, which has to be named.
EVERY_METHOD = "*"
_ERROR_CODES = range(400, 600)


class FaultKind(Enum):
    """What happens instead of the plain answer."""

    ERROR = auto()
    HTML = auto()
    CUT_BEFORE = auto()
    CUT_AFTER = auto()
    HOLD_BEFORE = auto()
    HOLD_AFTER = auto()


@dataclass(slots=True, eq=False)
class Fault:
    """One trouble; made by the class methods below. ValueError for ``times`` below 1.

    ``times`` is how many calls it strikes, None for all until it is removed; ``chat_id`` restricts
    it to one chat; ``hits`` counts the calls it struck; ``reached`` is set at the first of them.
    """

    method: str
    kind: FaultKind
    times: int | None = 1
    chat_id: int | None = None
    error: BotApiError | None = None
    status: int = 502
    hits: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError("times is at least 1, or None for all calls")

    @classmethod
    def retry_after(cls, method: str, seconds: int, *, times: int | None = 1, chat_id: int | None = None) -> "Fault":
        """429 with ``retry_after``; nothing is done."""
        error = too_many_requests(seconds)
        return cls(method, FaultKind.ERROR, times, chat_id, error)

    @classmethod
    def api_error(
        cls,
        method: str,
        code: int,
        description: str,
        *,
        times: int | None = 1,
        chat_id: int | None = None,
    ) -> "Fault":
        """Any error in the form of the Bot API, with a ``code`` from 400 to 599; nothing is done."""
        if code not in _ERROR_CODES:
            raise ValueError(f"{code} is no code of an error; they go from 400 to 599")
        return cls(method, FaultKind.ERROR, times, chat_id, BotApiError(code, description))

    @classmethod
    def unauthorized(cls, method: str = "getUpdates", *, times: int | None = 1) -> "Fault":
        """401, as after the token was revoked."""
        return cls.api_error(method, 401, "Unauthorized", times=times)

    @classmethod
    def conflict(cls, *, times: int | None = 1) -> "Fault":
        """409 for getUpdates, as when a second program polls with the same token."""
        return cls.api_error("getUpdates", 409, f"Conflict: {OTHER_POLLER}", times=times)

    @classmethod
    def restarting(cls, method: str, *, times: int | None = 1) -> "Fault":
        """500 "restart", as while Telegram restarts a server; nothing is done."""
        return cls.api_error(method, 500, "Internal Server Error: restart", times=times)

    @classmethod
    def bad_gateway(
        cls, method: str, *, times: int | None = 1, chat_id: int | None = None, status: int = 502
    ) -> "Fault":
        """A page of HTML from a proxy in between; nothing is done."""
        return cls(method, FaultKind.HTML, times, chat_id, status=status)

    @classmethod
    def cut_before(cls, method: str, *, times: int | None = 1, chat_id: int | None = None) -> "Fault":
        """The connection is closed without an answer; nothing is done."""
        return cls(method, FaultKind.CUT_BEFORE, times, chat_id)

    @classmethod
    def cut_after(cls, method: str, *, times: int | None = 1, chat_id: int | None = None) -> "Fault":
        """The call is carried out, then the connection is closed without an answer."""
        return cls(method, FaultKind.CUT_AFTER, times, chat_id)

    @classmethod
    def hold(
        cls,
        method: str,
        *,
        after: bool = False,
        times: int | None = 1,
        chat_id: int | None = None,
    ) -> "Fault":
        """The call waits for ``release()``, before it is carried out or ``after`` that."""
        kind = FaultKind.HOLD_AFTER if after else FaultKind.HOLD_BEFORE
        return cls(method, kind, times, chat_id)

    def release(self) -> None:
        """Let held calls go on; later ones are not held either."""
        self.released.set()

    def strikes(self, method: str, chat_id: object) -> bool:
        """Whether this call is one of those it is meant for."""
        named = self.method.lower() == method.lower()
        if not named and (self.method != EVERY_METHOD or method == "getUpdates"):
            return False
        return self.chat_id is None or self.chat_id == chat_id


class Faults:
    """The faults in force; for each call the first that fits strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force; returned so that it can be released or looked at.

        Raises ValueError for a method that there is not, whose fault could never strike.
        """
        if fault.method != EVERY_METHOD and method_spec(fault.method) is None:
            raise ValueError(f"the Bot API has no method {fault.method}")
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """End a fault; what it holds goes on."""
        fault.release()
        if fault in self._faults:
            self._faults.remove(fault)

    def clear(self) -> None:
        """End all faults."""
        for fault in tuple(self._faults):
            self.remove(fault)

    def take(self, method: str, chat_id: object) -> Fault | None:
        """The fault that strikes this call, counted as a hit."""
        for fault in self._faults:
            if fault.strikes(method, chat_id):
                self._hit(fault)
                return fault
        return None

    def _hit(self, fault: Fault) -> None:
        fault.hits += 1
        fault.reached.set()
        if fault.times is not None and fault.hits >= fault.times:
            self._faults.remove(fault)
