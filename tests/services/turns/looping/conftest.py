"""A conversation service with a scripted model that calls tools."""

import pytest

from loop_support import Box, MakeBench, ToolBench, add_person, open_bench
from plugin_support import LoadHost
from tgllm.db.database import Database
from tgllm.services.conversations.turn import Turn
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import ScriptedProvider


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
async def bench(database: Database, load_host: LoadHost, clock: ManualClock, turn: Turn, box: Box) -> MakeBench:
    """Makes the service; keywords are settings of the section ``tools``, and further parts."""

    async def make(*, tools: bool = True, **given: object) -> ToolBench:
        provider = ScriptedProvider(tools=tools)
        host = await load_host(provider.plugin, box.plugin)
        await database.write(add_person)
        parts = {name: given.pop(name) for name in ("approvals", "budgets", "fallbacks") if name in given}
        return open_bench(database, host, clock, turn, provider, box, settings=given, **parts)

    return make
