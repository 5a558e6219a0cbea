"""The time limit of calls of plugins while the database can't be written."""

import asyncio
from contextlib import aclosing

from tgllm.api import DatabaseError
from tgllm.db.engine.gate import StorageGate
from tgllm.plugins.calls.outcome import Returned, TimedOut
from tgllm.plugins.calls.runner import HookRunner


async def test_time_stands_still_while_nothing_can_be_stored() -> None:
    """A hook that waits for its stored values is not at fault; one that hangs afterwards is."""
    gate = StorageGate(lambda: 0.0)
    stored = asyncio.Event()

    async def hook() -> str:
        await stored.wait()
        return "stored"

    async with aclosing(HookRunner(0.05, 0.1, strict=True, storage=gate)) as runner:
        gate.note("writer", 1, DatabaseError("full", code="database_full"))
        task = asyncio.create_task(runner.call(hook))
        await asyncio.wait({task}, timeout=0.3)
        assert not task.done()
        gate.note_success("writer")
        stored.set()
        assert await task == Returned("stored")
        stored.clear()
        assert await runner.call(hook) == TimedOut(0.05)
