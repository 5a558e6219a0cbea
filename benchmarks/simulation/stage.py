"""What all schedules share: the core of the bot with its plugins and settings, opened once."""

# ruff: noqa: SLF001  it stands in for threads, sessions and connections, which have no other way in

import asyncio
import inspect
import os
import sqlite3
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from types import CodeType, MethodType, SimpleNamespace
from typing import Any, cast

import aiogram.client.session.aiohttp as aiogram_session
import aiogram.dispatcher.event.handler as aiogram_handlers

from benchmarks.chaos.questions import find_questions
from benchmarks.simulation.loop import InlineExecutor, SimulatedClock, Time
from benchmarks.simulation.outside import Outside, World
from benchmarks.simulation.storage import Storage
from benchmarks.simulation.telegram import Network
from tgllm import app
from tgllm.api import ChatRequest, Finished, Role, StreamEvent, TextDelta
from tgllm.bot.loading import LATE_MODULES
from tgllm.bot.telegram import session
from tgllm.bot.ui import command_menu
from tgllm.bot.ui.command_menu import CommandMenu
from tgllm.bot.ui.command_table import CommandTable
from tgllm.db.engine import writer
from tgllm.db.engine.sqlite_store import SqliteSession
from tgllm.db.tables import groups, users
from tgllm.services.core import Core
from tgllm.testing.bot import settings_for
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator
from tgllm.testing.scripted import ScriptedProvider

__all__ = ["Stage", "open_stage"]


class Model(ScriptedProvider):
    """Answers numbered questions, a piece at a time."""

    def __init__(self) -> None:
        """Create the model; ``outside`` is set for each schedule."""
        super().__init__()
        self.outside: Outside | None = None

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream the answer to the last message."""
        assert self.outside is not None  # noqa: S101  set by the schedule
        self.outside.model_calls += 1
        question = next(find_questions(request.messages[-1].text))
        filler = "word " * (780 if question.parts > 1 else 5)
        pause = self.outside.model.choice((0.0, 0.05, 0.6))
        for part in question.part_names():
            for piece in (f"{part} ", f"{filler}\n\n"):
                await asyncio.sleep(pause)
                yield TextDelta(piece)
        yield Finished()


class Stage:
    """The core, and what is around it."""

    def __init__(self, clock: SimulatedClock, time: Time, core: Core, model: Model, *, paced: bool) -> None:
        """Create it; ``outside`` is set by each schedule."""
        self.clock = clock
        self.time = time
        self.core = core
        self.paced = paced
        self.network = Network()
        self.graves: list[object] = []
        """What crashes have left in memory, which must not be collected: finally clauses would run."""
        self._model = model
        self._outside: Outside | None = None
        database = cast("Any", core.database)
        conn = database._writer._session.connection
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._image: bytes = conn.serialize()
        self.separate()
        self.keep()

    @property
    def outside(self) -> Outside:
        """What is outside of the program."""
        assert self._outside is not None  # noqa: S101  set by the schedule
        return self._outside

    @outside.setter
    def outside(self, outside: Outside) -> None:
        self._outside = self._model.outside = self.network.outside = outside
        latency = outside.latency
        InlineExecutor.latency = staticmethod(lambda: latency.choice((0.0, 0.001, 0.01)))

    @property
    def emulator(self) -> Emulator:
        """Telegram."""
        return self.outside.world.emulator

    @property
    def chats(self) -> list[EmulatedChat]:
        """Where people ask."""
        return self.outside.world.chats

    def separate(self) -> None:
        """Use a database file of its own from now on, as each process must."""
        database = cast("Any", self.core.database)
        self._storage = Storage(self.core.database.path.with_name(f"simulated-{os.getpid()}.db"), self._image)
        for thread in (database._writer, database._reader):
            thread._session = SqliteSession(self.core.database.path, self.connection)

    def keep(self) -> None:
        """Let schedules begin with the database as it is now."""
        self._image = self.image_now()

    def reset(self) -> None:
        """Make the program as it was before any schedule; what Python has imported and cached stays."""
        self.restore(self._image, Time().now)

    def restore(self, image: bytes, now: float) -> None:
        """Take away the program's memory, and put a database in place at a time."""
        self.drop_memory()
        self.time.now = now
        self._storage.replace(image)
        # It has changed behind the back of the connection, but in the simulation no other program has changed it.
        cast("Any", self.core.database)._writer._session = session = SqliteSession(
            self.core.database.path, self.connection
        )
        session.changed()

    @property
    def connection(self) -> sqlite3.Connection:
        """The database."""
        return self._storage.connection

    def image_now(self) -> bytes:
        """Return the content of the database."""
        return self._storage.content()

    async def rest(self) -> None:
        """Wait until the database has nothing to do, as the end of the program does."""
        database = cast("Any", self.core.database)
        for thread in (database._writer, database._reader):
            await thread.outside(lambda _conn: None)

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
    for name in LATE_MODULES:
        # In each life, also in the first one of the process, as if they had been imported before.
        import_module(name)
    time = Time()
    clock = SimulatedClock(time)
    world = World(clock, paced=paced)
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
    stage = Stage(clock, time, core, model, paced=paced)
    session.BotSession._request = network_request(stage.network)  # type: ignore[method-assign]  replaced in this process only
    return stage


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
    aiogram_handlers.inspect = SimpleNamespace(**vars(inspect) | {"signature": _signature})  # type: ignore[assignment]  replaced in this process only
    command_menu._build = _built_once(command_menu._build)
    session.certificates = context  # type: ignore[assignment]  replaced in this process only


def _built_once(build: Callable[..., CommandMenu]) -> Callable[..., CommandMenu]:
    """Return what builds the menu of a role and language, which are the same in each life."""
    built: dict[tuple[str, str], CommandMenu] = {}

    def once(table: CommandTable, role: Role, language: str) -> CommandMenu:
        if (role, language) not in built:
            built[role, language] = build(table, role, language)
        return built[role, language]

    return once


def _signature(callback: Any, **options: Any) -> inspect.Signature:  # noqa: ANN401  as in inspect
    """Return the signature of a handler, which each life registers again."""
    function = getattr(callback, "__func__", None)
    if function is not None:
        return _signature_of_method(function)
    code = getattr(callback, "__code__", None)
    if code is None:
        return inspect.signature(callback, **options)
    # A function within another one is made anew in each life.
    if code not in _SIGNATURES:
        _SIGNATURES[code] = inspect.signature(callback, **options)
    return _SIGNATURES[code]


_SIGNATURES: dict[CodeType, inspect.Signature] = {}


@cache
def _signature_of_method(function: Any) -> inspect.Signature:  # noqa: ANN401  as in inspect
    return inspect.signature(MethodType(function, object()))


def _admit(conn: sqlite3.Connection, people: list[EmulatedUser], group: EmulatedChat) -> None:
    users.ensure_owners(conn, tuple(person.id for person in people), 1)
    for person in people:
        users.upsert_seen(conn, users.SeenUser(person.id, None, person.first_name, None, "en"), 1)
    groups.request(conn, group.id, group.title or "", 1)
    groups.set_status(conn, group.id, "active", 1)
