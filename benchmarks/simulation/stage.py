"""What all schedules share: the core of the bot with its plugins and settings, opened once."""

# ruff: noqa: SLF001  it stands in for threads, sessions and connections, which have no other way in

import asyncio
import random
import sqlite3
import ssl
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiogram.client.session.aiohttp as aiogram_session

from benchmarks.chaos.questions import find_questions
from benchmarks.simulation.loop import InlineExecutor, SimulatedClock, Time
from benchmarks.simulation.telegram import Network
from tgllm import app
from tgllm.api import ChatRequest, Finished, StreamEvent, TextDelta
from tgllm.bot.telegram import session
from tgllm.db.engine import writer
from tgllm.db.engine.signals import SignalConnection
from tgllm.db.tables import groups, users
from tgllm.services.core import Core
from tgllm.testing.bot import settings_for
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator, RateLimits
from tgllm.testing.scripted import ScriptedProvider

__all__ = ["Stage", "open_stage"]

PEOPLE = 3


class Model(ScriptedProvider):
    """Answers numbered questions, a piece at a time."""

    def __init__(self) -> None:
        """Create the model; ``dice`` is set for each schedule."""
        super().__init__()
        self.dice = random.Random(0)  # noqa: S311  reproducible
        self.calls = 0

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream the answer to the last message."""
        self.calls += 1
        question = next(find_questions(request.messages[-1].text))
        filler = "word " * (780 if question.parts > 1 else 5)
        pause = self.dice.choice((0.0, 0.05, 0.6))
        for part in question.part_names():
            for piece in (f"{part} ", f"{filler}\n\n"):
                await asyncio.sleep(pause)
                yield TextDelta(piece)
        yield Finished()


class KeptConnection(SignalConnection):
    """A connection to a database in memory, which is what a crash leaves."""

    def close(self) -> None:
        """Keep it open for the next life."""


class World:
    """Telegram with some people and their chats; each has the same ids."""

    def __init__(self, clock: SimulatedClock, *, paced: bool) -> None:
        """Create it."""
        self.emulator = Emulator(clock=clock, rate_limits=RateLimits() if paced else None)
        self.people = [self.emulator.add_user(first_name=f"P{each}", language_code="en") for each in range(PEOPLE)]
        self.group = self.emulator.add_group(title="Group", members=[self.people[-1]])
        self.chats = [*(person.private_chat() for person in self.people[:-1]), self.group]


@dataclass(slots=True)
class Stage:
    """The core, and the world around it."""

    time: Time
    clock: SimulatedClock
    world: World
    network: Network
    model: Model
    core: Core
    image: bytes
    """The database before a schedule."""
    paced: bool

    @property
    def emulator(self) -> Emulator:
        """Telegram."""
        return self.world.emulator

    @property
    def people(self) -> list[EmulatedUser]:
        """Who asks, one for each chat."""
        return self.world.people

    @property
    def chats(self) -> list[EmulatedChat]:
        """Where they ask."""
        return self.world.chats

    def keep(self) -> None:
        """Let schedules begin with the database as it is now."""
        self.image = self.connection.serialize()
        self.reset()

    def reset(self) -> None:
        """Make it as it was before any schedule; what Python has imported and cached stays."""
        self.drop_memory()
        self.time.now = Time().now
        self.world = World(self.clock, paced=self.paced)
        self.network.reset(self.world.emulator)
        self.model.calls = 0
        _use(self.core, self.image)

    @property
    def connection(self) -> sqlite3.Connection:
        """The database."""
        conn = self.core.database._writer._conn
        assert conn is not None  # noqa: S101  it is opened
        return conn

    def drop_memory(self) -> None:
        """Forget what the database object holds in memory, as a crash does."""
        database = cast("Any", self.core.database)
        if self.connection.in_transaction:
            self.connection.rollback()
        for thread in (database._writer, database._reader):
            thread._waiting = []
            thread._busy = False
        database._listeners = {}


async def open_stage(folder: Path, stack: AsyncExitStack, *, paced: bool = True) -> Stage:
    """Open it on the running loop, which must stay as it is."""
    _without_threads()
    time = Time()
    clock = SimulatedClock(time)
    world = World(clock, paced=paced)
    network = Network(world.emulator, random.Random(0))  # noqa: S311  reproducible
    session.BotSession._request = network_request(network)  # type: ignore[method-assign]  replaced in this process only
    model = Model()
    settings = {
        "default_model": "scripted/model",
        "sending.paced": paced,
        "budgets.messages_per_minute": 0,
        "streaming.first_delay": 0.3,
        "streaming.draft_interval": 1.0,
        "streaming.edit_interval": 1.0,
        "sending.poll_timeout": 25,
    }
    changed = {key.replace(".", "__"): value for key, value in settings.items()}
    loaded = settings_for(world.emulator, folder, admins=[person.id for person in world.people], **changed)
    core = await stack.enter_async_context(app.open_core(loaded, clock=clock, found=[model.plugin]))
    await core.registry.provider("scripted")
    await core.models.pull_and_sync_models()
    await core.database.write(lambda conn: _admit(conn, world.people, world.group))
    return Stage(time, clock, world, network, model, core, _move_to_memory(core), paced)


def network_request(network: Network) -> Any:  # noqa: ANN401  a method
    """Return what stands in for ``BotSession._request``."""

    async def request(self: session.BotSession, bot: Any, method: Any, seconds: float) -> Any:  # noqa: ANN401  methods and results of any kind
        return await network.request(self, bot, method, seconds)

    return request


def _without_threads() -> None:
    """Replace what would start threads or take long at each start."""
    writer.ThreadPoolExecutor = InlineExecutor  # type: ignore[misc,assignment]  replaced in this process only
    context = cache(ssl.create_default_context)
    aiogram_session.ssl = SimpleNamespace(create_default_context=context)  # type: ignore[assignment]  replaced in this process only
    session.certificates = context  # type: ignore[assignment]  replaced in this process only


def _admit(conn: sqlite3.Connection, people: list[EmulatedUser], group: EmulatedChat) -> None:
    users.ensure_owners(conn, tuple(person.id for person in people), 1)
    for person in people:
        users.upsert_seen(conn, users.SeenUser(person.id, None, person.first_name, None, "en"), 1)
    groups.request(conn, group.id, group.title or "", 1)
    groups.set_status(conn, group.id, "active", 1)


def _move_to_memory(core: Core) -> bytes:
    """Put a connection in memory in place of those of the database, and return its content."""
    conn = cast("Any", core.database)._writer._conn
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    image = bytearray(conn.serialize())
    # SQLite, file format: 1 for a rollback journal. A database in memory can't have a write-ahead log.
    image[18:20] = b"\x01\x01"
    _use(core, bytes(image))
    return bytes(image)


def _use(core: Core, image: bytes) -> None:
    conn = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=KeptConnection)
    conn.row_factory = sqlite3.Row
    conn.deserialize(image)
    for pragma in ("foreign_keys = ON", "temp_store = MEMORY", "synchronous = OFF"):
        conn.execute(f"PRAGMA {pragma}")
    database = cast("Any", core.database)
    for thread in (database._writer, database._reader):
        thread._conn = conn
