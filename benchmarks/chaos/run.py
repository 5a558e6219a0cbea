"""A run: people ask while the program is killed, and then until everything is answered."""

import asyncio
import json
import math
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.chaos.balancer import Balancer
from benchmarks.chaos.effects import Effects, judge_effects
from benchmarks.chaos.faults import Weather
from benchmarks.chaos.fleet import Fleet, free_ports
from benchmarks.chaos.judge import Verdict
from benchmarks.chaos.lives import Program, choose
from benchmarks.chaos.model import Model
from benchmarks.chaos.outbox import Outbox, of_file, of_server
from benchmarks.chaos.people import LOOK_SECONDS, Habits, Talk
from benchmarks.chaos.postgres import Postgres, running_postgres
from benchmarks.chaos.questions import TOOLS
from benchmarks.chaos.states import Sending, read_sending
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups
from tgllm.testing.emulator import Emulator, RateLimits

__all__ = ["Options", "Report", "run"]

SETTLED_SECONDS: Final = 3.0
"""How long nothing happens before the chats are judged: a repeat would come late."""
_QUIET: Final = frozenset({"getUpdates", "getMe", "getWebhookInfo"})


@dataclass(frozen=True, slots=True)
class Options:
    """What a run does."""

    seed: int = 1
    chats: int = 8
    """A quarter of them are groups."""
    messages: int = 20
    """Of each chat."""
    kills: int = 50
    aimed: bool = False
    """Whether most kills come at moments that are hard to survive; otherwise at any time."""
    life: float = 4.0
    """Longest life of the program after it is ready, in seconds."""
    paced: bool = True
    """Whether the bot keeps Telegram's rates, which the emulator then enforces."""
    faults: bool = True
    webhook: bool = False
    """Whether Telegram sends updates to a webhook."""
    replicas: int = 0
    """Number of processes on one PostgreSQL database, behind one webhook; 0: one process on a SQLite file."""
    lease: float = 3.0
    """Seconds after which a replica that gives no sign of life is given up."""
    patience: float = 300.0
    """Longest time after the last kill until everything is answered, in seconds."""
    habits: Habits = field(default_factory=Habits)
    folder: Path | None = None
    """Where the bot's data and log are kept; a temporary folder by default."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run."""

    options: Options
    seconds: float
    questions: int
    kills: Mapping[str, int]
    """Number of kills by moment."""
    verdict: Verdict
    calls: int
    """Requests to the provider that were not failed deliberately."""
    edits: int
    """Edited questions, which need a further request."""
    without_file: int
    effects: Effects
    """What the tools did."""
    without_tool: int
    cards: int
    """Approvals that were given."""
    faults: Mapping[str, int]
    unknown: int
    """Messages that a fault has left without a response."""
    violations: int
    """Calls above Telegram's rates."""
    sending: Sending
    updates: str
    """What the load balancer has passed on, where there is one."""
    exits: Sequence[int]
    """Exit codes of replicas that have ended by themselves before that."""
    exit_code: int | None
    """Of the last shutdown."""

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, repeated without a mark, out of order or given up, and the end was in order."""
        found = self.verdict
        if self.effects.twice or self.effects.undone:
            return False
        return not (found.lost or found.repeated or found.disorder or found.given_up or self.exit_code)

    def as_json(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        folder = None if self.options.folder is None else str(self.options.folder)
        shown = asdict(self)
        return {**shown, "options": {**shown["options"], "folder": folder}, "is_good": self.is_good}


async def run(options: Options) -> Report:
    """Run the program under kills and faults."""
    dice = random.Random(options.seed)  # noqa: S311  reproducible
    model = Model(random.Random(dice.random()), faults=0.05 if options.faults else 0.0, seconds=2.0)  # noqa: S311  reproducible
    limits = RateLimits() if options.paced else None
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(TemporaryDirectory(prefix="tgllm-chaos-")))
        server = stack.enter_context(running_postgres()) if options.replicas else None
        async with AsyncExitStack() as later:
            emulator = await later.enter_async_context(Emulator(rate_limits=limits))
            await later.enter_async_context(model.serving())
            place = Place(folder, server)
            if server is not None:
                ports = free_ports(options.replicas)
                twice = 0.2 if options.faults else 0.0
                balancer = Balancer(ports, random.Random(dice.random()), twice=twice)  # noqa: S311  reproducible
                place = Place(folder, server, ports, await later.enter_async_context(balancer.serving()), balancer)
            return await _Run(options, dice, emulator, model, place).report()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the program keeps its data, and where Telegram reaches it."""

    folder: Path
    server: Postgres | None = None
    """Of several replicas; None: a file in the folder."""
    ports: Sequence[int] = ()
    """Of the webhooks of the replicas."""
    port: int = 0
    """Of the load balancer in front of them."""
    balancer: Balancer | None = None

    @property
    def database(self) -> Path | str:
        """The place of the database."""
        return self.folder / "tgllm.db" if self.server is None else self.server.url

    def outbox(self) -> Outbox:
        """Return the outbox, to look into it."""
        return of_file(self.folder / "tgllm.db") if self.server is None else of_server(self.server)


class _Run:
    def __init__(self, options: Options, dice: random.Random, emulator: Emulator, model: Model, place: Place) -> None:
        self._options = options
        self._dice = dice
        self._emulator = emulator
        self._model = model
        self._place = place
        self._folder = place.folder
        self._talks = [self._talk(number) for number in range(options.chats)]
        self._weather = Weather(emulator, random.Random(dice.random()), seconds=1.0)  # noqa: S311  reproducible
        self._kills: Counter[str] = Counter()
        self._left = options.messages * options.chats
        self._exit_code: int | None = None
        self._exits: Sequence[int] = ()

    def _talk(self, number: int) -> Talk:
        emulator = self._emulator
        person = emulator.add_user(first_name=f"P{number}", language_code="en")
        dice = random.Random(self._dice.random())  # noqa: S311  reproducible
        if number % 4 != 3:
            return Talk(emulator, number, person, person.private_chat(), dice, self._options.habits)
        group = emulator.add_group(title=f"Group {number}", members=[person])
        prefix = f"@{emulator.bot.username} "
        return Talk(emulator, number, person, group, dice, self._options.habits, prefix)

    async def report(self) -> Report:
        """Do it all."""
        options = self._options
        began = time.monotonic()
        await self._admit_groups()
        # The database has its tables from the admission of the groups on.
        outbox, program = self._place.outbox(), self._lives()
        async with asyncio.TaskGroup() as beside:
            pressing = [beside.create_task(talk.press_notices(outbox)) for talk in self._talks]
            pressing += [beside.create_task(talk.press_cards()) for talk in self._talks if options.habits.tools]
            async with asyncio.TaskGroup() as asking:
                weather = beside.create_task(self._weather.run()) if options.faults else None
                for number in range(options.kills):
                    self._ask_some(asking, options.kills - number)
                    self._kills[await program.live(choose(self._dice, aimed=options.aimed, life=options.life))] += 1
                self._ask_some(asking, 1)
                if weather is not None:
                    weather.cancel()
                    await asyncio.wait({weather})
                self._weather.clear()
                asking.create_task(self._settle(program))
            for task in pressing:
                task.cancel()
        if isinstance(program, Fleet):
            self._exits = program.exits
        return self._reported(time.monotonic() - began)

    def _ask_some(self, asking: asyncio.TaskGroup, lives: int) -> None:
        """Have people ask so many questions that those left suffice for the lives to come."""
        for _ in range(math.ceil(self._left / lives)):
            self._left -= 1
            talk = self._talks[self._left % len(self._talks)]
            asking.create_task(talk.ask_after(self._dice.random() * self._options.life))

    def _lives(self) -> Program | Fleet:
        """Return what is killed: the program, or its replicas."""
        server = self._place.server
        if server is None:
            return Program(self._emulator, self._folder, self._variables())
        programs = [Program(self._emulator, self._folder, self._of_replica(port)) for port in self._place.ports]
        return Fleet(programs, server, random.Random(self._dice.random()), lease=self._options.lease)  # noqa: S311  reproducible

    def _of_replica(self, port: int) -> Mapping[str, str]:
        server, lease = self._place.server, self._options.lease
        assert server is not None  # noqa: S101  there are replicas only on a server
        return {
            **self._variables(),
            "TGLLM_DATABASE__URL": server.url,
            "TGLLM_REPLICAS__LEASE": str(lease),
            "TGLLM_REPLICAS__HEARTBEAT": str(lease / 5),
            "TGLLM_WEBHOOK__URL": f"http://127.0.0.1:{self._place.port}/hook",
            "TGLLM_WEBHOOK__PORT": str(port),
            "TGLLM_WEBHOOK__SECRET": "a-secret-that-all-replicas-share",
        }

    async def _settle(self, program: Program | Fleet) -> None:
        """Run the program until everything is answered, and shut it down."""
        async with program.running() as process:
            until = time.monotonic() + self._options.patience
            quiet_since, seen = time.monotonic(), -1
            while time.monotonic() < until:
                now = self._activity()
                if now != seen or not all(talk.is_settled for talk in self._talks):
                    quiet_since, seen = time.monotonic(), now
                elif time.monotonic() - quiet_since > SETTLED_SECONDS:
                    break
                await asyncio.sleep(LOOK_SECONDS)
            self._exit_code = await process.stop()
        for talk in self._talks:
            talk.give_up()

    def _activity(self) -> int:
        """Return a number that changes with each call that shows something in a chat."""
        return sum(call.method not in _QUIET for call in self._emulator.journal)

    async def _admit_groups(self) -> None:
        async with await Database.open(self._place.database) as database:
            for talk in self._talks:
                if not talk.chat.is_private:
                    await database.write(partial(_admit, chat_id=talk.chat.id, title=talk.chat.title or ""))

    def _variables(self) -> Mapping[str, str]:
        return {
            **(_webhook() if self._options.webhook else {}),
            "BENCHMARK_MODEL_URL": self._model.url,
            "TGLLM_BOT_TOKEN": self._emulator.token,
            "TGLLM_TELEGRAM_API": self._emulator.base_url,
            "TGLLM_ADMIN_IDS": ",".join(str(talk.person.id) for talk in self._talks),
            "TGLLM_CONFIG": "",
            # Not needed, and each takes time at every start.
            "TGLLM_DISABLE_PLUGINS": "anthropic,dipseek,gemini,local,mistral,openai,whisper",
            "TGLLM_DATA_DIR": str(self._folder),
            "TGLLM_DEFAULT_MODEL": "benchmark/model",
            "TGLLM_SENDING__PACED": str(self._options.paced).lower(),
            "TGLLM_TURNS__STOP_TIMEOUT": "5",
            "TGLLM_ERRORS__NOTIFY": "false",
            "CHAOS_EFFECTS": str(self._folder / "effects") if self._options.habits.tools else "",
            "TGLLM_TOOLS__RULES": json.dumps({name: {"private": "user", "groups": "user"} for name in TOOLS[1:]}),
            # More than people reach, who must not be refused.
            "TGLLM_BUDGETS__MESSAGES_PER_MINUTE": "0",
        }

    def _reported(self, seconds: float) -> Report:
        verdict = Verdict()
        for talk in self._talks:
            verdict.add(talk.verdict())
        outbox = self._place.outbox()
        verdict.lost = [
            f"{each} ({'; '.join(outbox.states(each.split()[-1])) or 'not in the outbox'})" for each in verdict.lost
        ]
        asked = [question for talk in self._talks for question, _ in talk.asked]
        return Report(
            self._options,
            seconds,
            questions=len(asked),
            kills=dict(self._kills),
            verdict=verdict,
            calls=self._model.calls.total(),
            edits=sum(question.version > 1 for question in asked),
            without_file=self._model.without_file,
            effects=judge_effects(self._folder / "effects", asked, self._model.results),
            without_tool=self._model.without_tool,
            cards=sum(talk.cards for talk in self._talks),
            faults=self._weather.hits() | {"restarts": self._weather.restarts},
            unknown=self._weather.unknown_hits(),
            violations=self._emulator.rates.violations,
            sending=read_sending(self._folder / "states"),
            updates="" if self._place.balancer is None else self._place.balancer.figures(),
            exits=self._exits,
            exit_code=self._exit_code,
        )


def _webhook() -> Mapping[str, str]:
    """Return the settings of a webhook on a port that is free now."""
    (port,) = free_ports(1)
    return {"TGLLM_WEBHOOK__URL": f"http://127.0.0.1:{port}/hook", "TGLLM_WEBHOOK__PORT": str(port)}


def _admit(conn: Connection, chat_id: int, title: str) -> None:
    groups.request(conn, chat_id, title, 1)
    groups.set_status(conn, chat_id, "active", 1)
