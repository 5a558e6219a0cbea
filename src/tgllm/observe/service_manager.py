"""State of the program for the service manager that started it, such as systemd (the protocol of sd_notify).

Without a service manager nothing is sent.
"""

import os
import socket
from collections.abc import Mapping
from functools import cache
from typing import Final

from tgllm.api.clock import Clock
from tgllm.observe.logs import get_logger
from tgllm.observe.redaction import redact

__all__ = ["ServiceManager", "service_manager"]

log = get_logger(__name__)

MICROSECONDS: Final = 1_000_000


class ServiceManager:
    """Sender of datagrams to the socket of the service manager. No error of it ends the program."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Create a sender from the variables that the service manager has set for this process."""
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._is_ready = False
        self._is_stopping = False
        self._is_lost = False
        """Whether a failure was logged, which then repeats with each sign of life."""
        self.watchdog_seconds = _watchdog_seconds(environ)
        """How long the service manager waits for a sign of life; None if it doesn't."""

    def ready(self, status: str) -> None:
        """Report that the start is complete, or a change of the status afterwards.

        The start is complete also while the bot waits for Telegram, since starting it again would not bring that: with
        the status it says what it waits for.
        """
        if self._is_stopping:
            return
        self._send(**({} if self._is_ready else {"READY": "1"}), STATUS=_one_line(status))
        self._is_ready = True

    def status(self, status: str) -> None:
        """Report what the program waits for, or that it waits no more."""
        if not self._is_stopping:
            self._send(STATUS=_one_line(status))

    def starting(self, status: str) -> None:
        """Report what the start does, or waits for."""
        if not self._is_ready and not self._is_stopping:
            self._send(STATUS=_one_line(status))

    def stopping(self, status: str, seconds: float) -> None:
        """Report that the program shuts down, for which it may take so many seconds."""
        self._is_stopping = True
        self._send(STOPPING="1", EXTEND_TIMEOUT_USEC=str(int(seconds * MICROSECONDS)), STATUS=_one_line(status))

    async def run_watchdog(self, clock: Clock) -> None:
        """Send signs of life from the event loop, until cancelled. Without a watchdog, return."""
        if self.watchdog_seconds is None:
            return
        while True:
            self._send(WATCHDOG="1")
            await clock.sleep(self.watchdog_seconds / 2)

    def _send(self, **fields: str) -> None:
        if self._address is None:
            return
        message = "\n".join(f"{name}={value}" for name, value in fields.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # A full queue of the service manager must not block the event loop.
                sender.setblocking(False)
                sender.sendto(message.encode("utf-8", errors="replace"), self._address)
        except OSError as error:
            if not self._is_lost:
                self._is_lost = True
                log.warning("service_manager.unreachable", error=str(error))


@cache
def service_manager() -> ServiceManager:
    """Return the service manager of this process."""
    return ServiceManager(os.environ)


def _address(text: str) -> str | bytes | None:
    if text.startswith("@"):
        # An abstract socket of Linux, whose name begins with NUL.
        return b"\0" + os.fsencode(text[1:])
    return text if text.startswith("/") else None


def _watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    try:
        seconds = int(environ.get("WATCHDOG_USEC", "")) / MICROSECONDS
        pid = int(environ.get("WATCHDOG_PID") or os.getpid())
    except ValueError:
        return None
    # The variables may have been inherited from another process that is watched.
    return seconds if seconds > 0 and pid == os.getpid() else None


def _one_line(text: str) -> str:
    return " ".join(redact(text).split())
