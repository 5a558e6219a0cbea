"""Seconds that no setting of the clock changes, and that go on while the machine sleeps."""

import time

from tgllm.api.clock import SystemClock

__all__ = ["uptime"]


def uptime() -> float:
    """Return seconds since an unspecified point in the past; no injected clock, since the database's own ends leases.

    Linux: the monotonic clock stands still while the machine is suspended, as virtual machines and laptops are, and the
    leases of others go on.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return SystemClock().monotonic()
