"""What the tests of the services share: a database, a clock that stands still, and hosts of plugins at hand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from plugin_support import LoadHost, Offer, Offering
from tgllm.api import ChatInfo, ProviderSpec, UserInfo
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.contexts import HostServices
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.turn import ShownEvent, Turn, TurnOutcome
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import GivenPlugin


@dataclass
class ListSink:
    """Keeps what a turn shows, and sends one message for its end."""

    events: list[ShownEvent] = field(default_factory=list)
    outcomes: list[TurnOutcome] = field(default_factory=list)
    shown: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something was shown."""

    def show(self, event: ShownEvent) -> None:
        self.events.append(event)
        self.shown.set()

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        self.outcomes.append(outcome)
        payload = {"chat_id": 7, "text": outcome.text}
        return [NewOutbox(lane=Lane(7).key, method="sendMessage", chat_id=7, payload=payload, turn_id="u1")]


@pytest.fixture
async def load_host(tmp_path: Path, clock: ManualClock) -> AsyncIterator[LoadHost]:
    """Load plugins that are at hand; built-in ones are left out."""
    async with AsyncExitStack() as stack:

        async def load(*found: FoundPlugin) -> PluginHost:
            services = HostServices(None, tmp_path, clock, Catalogue(), get_logger)
            host = await PluginHost.load(found, services, choice=PluginChoice(builtin=False))
            return await stack.enter_async_context(host)

        yield load


@pytest.fixture
def offer() -> Offer:
    """A plugin with these providers."""

    def make(*specs: ProviderSpec, plugin_id: str = "given") -> FoundPlugin:
        return GivenPlugin.of(plugin_id, Offering(*specs, plugin_id=plugin_id))

    return make


@pytest.fixture
def sink() -> ListSink:
    return ListSink()


@pytest.fixture
def turn() -> Turn:
    return Turn("u1", Lane(7).key, UserInfo(7, "Ann", "user"), ChatInfo(7, "private"), "How are you?", 70)
