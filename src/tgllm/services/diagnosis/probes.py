"""Runs checks side by side; one that fails or hangs does so alone."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from tgllm.api import Check
from tgllm.i18n import Catalogue
from tgllm.observe.redaction import redact
from tgllm.plugins.calls.outcome import Returned, TimedOut
from tgllm.plugins.calls.thread import HookThread

__all__ = ["Probe", "in_thread", "run_probes"]

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Probe:
    """A subject to be checked."""

    name: str
    """Name of the check if the subject can't be checked."""
    look: Callable[[], Awaitable[Sequence[Check]]]
    seconds: float = SECONDS


async def run_probes(probes: Iterable[Probe], texts: Catalogue) -> list[Check]:
    """Run all probes at the same time, and return their checks in the order of the probes."""
    found = await asyncio.gather(*(_run(probe, texts) for probe in probes))
    return [check for checks in found for check in checks]


async def _run(probe: Probe, texts: Catalogue) -> Sequence[Check]:
    limit = asyncio.timeout(probe.seconds)
    try:
        async with limit:
            return await probe.look()
    except TimeoutError as error:
        if not limit.expired():
            return (_broken(probe, error, texts),)
        return (Check(probe.name, "failed", texts("doctor.timeout", limit=f"{probe.seconds:g}")),)
    except Exception as error:  # noqa: BLE001  the other checks go on
        return (_broken(probe, error, texts),)


def _broken(probe: Probe, error: Exception, texts: Catalogue) -> Check:
    reason = redact(" ".join(f"{type(error).__name__}: {error}".split()))
    return Check(probe.name, "failed", texts("doctor.broken", reason=reason))


async def in_thread(
    name: str, function: Callable[[], Sequence[Check]], texts: Catalogue, seconds: float
) -> Sequence[Check]:
    """Call a function that may hang, such as on a network file system, in a thread that may be left behind."""
    thread = HookThread()
    try:
        outcome = await thread.run(function, seconds)
    finally:
        thread.close()
    if isinstance(outcome, Returned):
        return outcome.value
    if isinstance(outcome, TimedOut):
        return (Check(name, "failed", texts("doctor.timeout", limit=f"{seconds:g}")),)
    if isinstance(outcome.error, Exception):
        raise outcome.error
    return (Check(name, "failed", texts("doctor.broken", reason=type(outcome.error).__name__)),)
