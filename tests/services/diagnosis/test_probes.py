"""Checks run side by side, and one that fails or hangs does so alone."""

import asyncio
from collections.abc import Sequence

from tgllm.api import Check
from tgllm.i18n import Catalogue
from tgllm.observe.redaction import redactor
from tgllm.services.diagnosis.probes import Probe, in_thread, run_probes

TEXTS = Catalogue(strict=True)


async def well() -> Sequence[Check]:
    return (Check("well", "ok"),)


async def test_a_broken_one_fails_alone_without_a_secret() -> None:
    redactor.add("a-secret-of-mine")

    async def broken() -> Sequence[Check]:
        raise LookupError("a-secret-of-mine is not there")

    first, second = await run_probes([Probe("broken", broken), Probe("well", well)], TEXTS)

    assert (first.name, first.state) == ("broken", "failed")
    assert "LookupError" in first.detail
    assert "a-secret-of-mine" not in first.detail
    assert second == Check("well", "ok")


async def test_one_that_hangs_fails_alone() -> None:
    async def hanging() -> Sequence[Check]:
        await asyncio.Event().wait()
        return ()

    first, second = await run_probes([Probe("hanging", hanging, 0.01), Probe("well", well)], TEXTS)

    assert (first.name, first.state) == ("hanging", "failed")
    assert "no answer within 0.01 s" in first.detail
    assert second.state == "ok"


async def test_a_timeout_inside_is_not_that_of_the_check() -> None:
    async def slow() -> Sequence[Check]:
        raise TimeoutError("the lock")

    (found,) = await run_probes([Probe("slow", slow)], TEXTS)

    assert "TimeoutError: the lock" in found.detail


async def test_they_run_at_the_same_time() -> None:
    met = asyncio.Barrier(2)

    async def meet() -> Sequence[Check]:
        await met.wait()
        return (Check("met", "ok"),)

    assert len(await run_probes([Probe("one", meet, 60), Probe("two", meet, 60)], TEXTS)) == 2


async def test_a_thread_that_hangs_is_left_behind() -> None:
    import threading  # noqa: PLC0415  only here

    released = threading.Event()

    def hang() -> Sequence[Check]:
        released.wait()
        return ()

    (found,) = await in_thread("disk", hang, TEXTS, 0.01)
    released.set()

    assert (found.name, found.state) == ("disk", "failed")
