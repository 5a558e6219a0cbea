"""Checks of this machine: versions, time zones, clock."""

import importlib.util
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from zoneinfo import available_timezones

import tgllm
from tgllm.api import Check
from tgllm.i18n import Catalogue
from tgllm.observe.installation import install_command

__all__ = ["check_clock", "check_machine"]

MOST_SKEW = 5.0
"""Seconds by which the clock may be off without a word: a network is slow at times."""
BAD_SKEW = 60.0
"""Seconds from which a wrong clock fails."""
_PACKAGES = ("aiogram", "aiohttp", "httpx", "pydantic")


def check_machine(texts: Catalogue) -> Sequence[Check]:
    """Return the versions, and whether time zones and the faster event loop are there."""
    versions = [f"tgllm {tgllm.__version__}", *(f"{name} {_version(name)}" for name in _PACKAGES)]
    python = f"{platform.python_version()} ({sys.executable}), {platform.system()} {platform.machine()}"
    zones = available_timezones()
    return (
        Check("Python", "ok", python),
        Check("Versions", "ok", ", ".join(versions)),
        Check("Time zones", "ok") if zones else Check("Time zones", "warning", texts("doctor.no_zones")),
        Check(
            "Event loop",
            "ok",
            "uvloop"
            if importlib.util.find_spec("uvloop")
            else texts("doctor.no_uvloop", command=install_command("tgllm[fast]")),
        ),
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "?"


def check_clock(skew: float | None, server: str, texts: Catalogue) -> Check:
    """Return the check of the clock.

    Args:
        skew: seconds by which this clock is ahead of the server's; None if it is unknown.
        server: name of the server.
        texts: the catalogue.
    """
    if skew is None:
        return Check("Clock", "not configured", texts("doctor.clock_unknown"))
    if abs(skew) <= MOST_SKEW:
        return Check("Clock", "ok", texts("doctor.clock_right", name=server))
    words = texts("doctor.clock_ahead" if skew > 0 else "doctor.clock_behind", name=server, limit=f"{abs(skew):.0f}")
    return Check("Clock", "failed" if abs(skew) >= BAD_SKEW else "warning", words)
