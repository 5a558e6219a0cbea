"""Injected faults, by method, by chat and by number of calls."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from tgllm.testing.emulator.protocol.errors import BotApiError, too_many_requests
from tgllm.testing.emulator.protocol.parameters import method_spec
from tgllm.testing.emulator.state.updates import OTHER_POLLER

__all__ = ["EVERY_METHOD", "Fault", "FaultKind", "Faults"]

# Every method but getUpdates, which must be named.
EVERY_METHOD = "*"
_ERROR_CODES = range(400, 600)


class FaultKind(Enum):
    """Replacement of the normal response."""

    ERROR = auto()
    HTML = auto()
    CUT_BEFORE = auto()
    CUT_AFTER = auto()
    HOLD_BEFORE = auto()
    HOLD_AFTER = auto()
    RAW = auto()


@dataclass(slots=True, eq=False)
class Fault:
    """A fault; created by the class methods below. Raises ValueError for ``times`` below 1.

    ``times`` is the number of affected calls, None for all until it is removed; ``chat_id`` restricts
    it to one chat; ``hits`` is the number of affected calls so far; ``reached`` is set at the first of them.
    """

    method: str
    kind: FaultKind
    times: int | None = 1
    chat_id: int | None = None
    error: BotApiError | None = None
    status: int = 502
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    hits: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError("times is at least 1, or None for all calls")

    @classmethod
    def retry_after(cls, method: str, seconds: int, *, times: int | None = 1, chat_id: int | None = None) -> "Fault":
        """Respond with 429 and ``retry_after``, without executing the call."""
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
        """Respond with any Bot API error with a ``code`` from 400 to 599, without executing the call."""
        if code not in _ERROR_CODES:
            raise ValueError(f"{code} is no code of an error; they go from 400 to 599")
        return cls(method, FaultKind.ERROR, times, chat_id, BotApiError(code, description))

    @classmethod
    def unauthorized(cls, method: str = "getUpdates", *, times: int | None = 1) -> "Fault":
        """Respond with 401, as after the token was revoked."""
        return cls.api_error(method, 401, "Unauthorized", times=times)

    @classmethod
    def conflict(cls, *, times: int | None = 1) -> "Fault":
        """Respond to getUpdates with 409, as when a second process polls with the same token."""
        return cls.api_error("getUpdates", 409, f"Conflict: {OTHER_POLLER}", times=times)

    @classmethod
    def restarting(cls, method: str, *, times: int | None = 1) -> "Fault":
        """Respond with 500 "restart", as while Telegram restarts a server, without executing the call."""
        return cls.api_error(method, 500, "Internal Server Error: restart", times=times)

    @classmethod
    def bad_gateway(
        cls, method: str, *, times: int | None = 1, chat_id: int | None = None, status: int = 502
    ) -> "Fault":
        """Respond with an HTML page, as from a proxy, without executing the call."""
        return cls(method, FaultKind.HTML, times, chat_id, status=status)

    @classmethod
    def raw(
        cls,
        method: str,
        body: bytes,
        *,
        times: int | None = 1,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> "Fault":
        """Respond with any bytes, as from a broken proxy, without executing the call.

        ``headers`` replace the default ``Content-Type: application/json``.
        """
        shown = {"Content-Type": "application/json"} if headers is None else headers
        return cls(method, FaultKind.RAW, times, status=status, body=body, headers=shown)

    @classmethod
    def cut_before(cls, method: str, *, times: int | None = 1, chat_id: int | None = None) -> "Fault":
        """Close the connection without a response, without executing the call."""
        return cls(method, FaultKind.CUT_BEFORE, times, chat_id)

    @classmethod
    def cut_after(cls, method: str, *, times: int | None = 1, chat_id: int | None = None) -> "Fault":
        """Execute the call, then close the connection without a response."""
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
        """Hold the call until ``release()``, before its execution or ``after`` it."""
        kind = FaultKind.HOLD_AFTER if after else FaultKind.HOLD_BEFORE
        return cls(method, kind, times, chat_id)

    def release(self) -> None:
        """Continue the held calls; later ones are not held."""
        self.released.set()

    def strikes(self, method: str, chat_id: object) -> bool:
        """Return whether the fault applies to this call."""
        named = self.method.lower() == method.lower()
        if not named and (self.method != EVERY_METHOD or method == "getUpdates"):
            return False
        return self.chat_id is None or self.chat_id == chat_id


class Faults:
    """The active faults; the first that applies to a call takes effect."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Activate a fault, and return it.

        Raises ValueError for an unknown method.
        """
        if fault.method != EVERY_METHOD and method_spec(fault.method) is None:
            raise ValueError(f"the Bot API has no method {fault.method}")
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Deactivate a fault; calls that it holds continue."""
        fault.release()
        if fault in self._faults:
            self._faults.remove(fault)

    def clear(self) -> None:
        """Deactivate all faults."""
        for fault in tuple(self._faults):
            self.remove(fault)

    def take(self, method: str, chat_id: object) -> Fault | None:
        """Return the fault for this call, or None; it is counted as a hit."""
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
